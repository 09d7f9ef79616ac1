"""A data set whose module, in a worker process, loads neither JAX nor minikeras."""

import os
import signal
import sys

import numpy as np

import minikeras as keras
from minikeras.utils import PyDataset, Sequence

assert Sequence is PyDataset is keras.utils.PyDataset
assert PyDataset is keras.utils.Sequence

X = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
Y = (np.arange(8) % 2).astype("int64")


def batch(i, size=2):
    return X[i : i + size], Y[i : i + size]


class Source(keras.utils.PyDataset):
    """Eight batches; reading number 5 ends as `mishap` says."""

    def __init__(self, mishap=None, **kwargs):
        super().__init__(**kwargs)
        self.mishap = mishap

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 5 and self.mishap == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 5 and self.mishap == "raised":
            raise RuntimeError("disk on fire")
        return batch(index % 7)


class Modules(Source):
    """Tells what is loaded where it is read, and on which platform JAX runs there."""

    def __init__(self, uses_ops=False, **kwargs):
        super().__init__(**kwargs)
        self.uses_ops = uses_ops

    def __getitem__(self, index):
        if self.uses_ops:
            keras.ops.ones(2)
        ours = sum(name.startswith("minikeras") for name in sys.modules)
        platform = -1
        if "jax" in sys.modules:
            platform = sys.modules["jax"].default_backend() == "cpu"
        return np.array([os.getpid()]), np.array([ours]), np.array([platform])


class Counting(Source):
    """Its hooks change what it gives."""

    epoch = 0

    def on_epoch_end(self):
        self.epoch += 1

    def __getitem__(self, index):
        return np.array([self.epoch]), np.array([os.getpid()])


class Odd(Source):
    """Cannot be sent, or raises what cannot be sent."""

    def __getitem__(self, index):
        print("said in a worker")

        class Local(Exception):
            pass

        raise Local("from afar")
