"""What is measured: networks, each with random data of its shape."""

import re
from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A network and its training.

    Attributes:
        title: how the table calls it.
        shape: of one sample.
        batch: samples a step.
        steps: steps an epoch.
        epochs: warm epochs a turn.
        task: "classes" (10 logits), "binary" (1 logit), "images" (the input again),
            "pairs" (two logits, of 1 and of 0).
        vocabulary: samples are integers below it; 0: they are floats in [0, 1).
        hidden: units of the hidden layers, of networks made of `Dense` alone.
    """

    title: str
    shape: tuple[int, ...]
    batch: int
    steps: int
    epochs: int
    task: str = "classes"
    vocabulary: int = 0
    hidden: tuple[int, ...] = ()

    @property
    def samples(self):
        """Of an epoch."""
        return self.batch * self.steps

    @property
    def outputs(self):
        """Width of the last layer."""
        widths = {"classes": 10, "binary": 1, "pairs": 2, "images": self.shape[0]}
        return widths[self.task]

    def data(self):
        """x (samples, *shape), float32 or int32, and y: what the task asks for."""
        rng = np.random.default_rng(0)
        shape = (self.samples, *self.shape)
        if self.vocabulary:
            x = rng.integers(0, self.vocabulary, shape).astype("int32")
        else:
            x = rng.random(shape, dtype=np.float32)
        if self.task == "images":
            return x, x
        if self.task == "pairs":
            return x, np.tile(np.float32([1, 0]), (self.samples, 1))
        if self.task == "binary":
            return x, rng.integers(0, 2, (self.samples, 1)).astype("float32")
        return x, rng.integers(0, 10, self.samples).astype("int32")


_TEXT = {"task": "binary", "vocabulary": 5000}
WORKLOADS = {
    "tiny": Workload("MLP 64-32-10", (64,), 32, 200, 6, hidden=(32,)),
    "mlp": Workload("MLP 784-256-128-10, dropout, BN", (784,), 128, 60, 3),
    "convnet": Workload("convnet 32-64 on 28x28", (28, 28, 1), 128, 8, 2),
    "resnet": Workload("ResNet-8 on 32x32x3", (32, 32, 3), 64, 8, 2),
    "lstm": Workload("Embedding 64, LSTM 64, 80 steps", (80,), 64, 8, 2, **_TEXT),
    "gru": Workload("Embedding 64, GRU 64, 80 steps", (80,), 64, 8, 2, **_TEXT),
    "transformer": Workload(
        "2 transformer blocks of 128, 64 tokens", (64,), 64, 8, 2, **_TEXT
    ),
    "autoencoder": Workload(
        "autoencoder 784-128-32-128-784", (784,), 128, 60, 3, "images"
    ),
    "dcgan": Workload("DCGAN on 28x28", (28, 28, 1), 64, 4, 1, "pairs"),
    "vae_conv": Workload("convolutional VAE", (28, 28, 1), 128, 8, 2, "images"),
    "unet": Workload("U-Net 16-32-64 on 64x64x3", (64, 64, 3), 16, 8, 2, "images"),
    "mobile": Workload("mobile network on 64x64x3", (64, 64, 3), 32, 8, 2),
}


def find(name):
    """A `Workload` by name; "dense-WIDTHxDEPTH-bBATCH-nSAMPLES" is made to measure.

    >>> find("dense-64x2-b32-n320").hidden
    (64, 64)
    """
    if name in WORKLOADS:
        return WORKLOADS[name]
    numbers = re.fullmatch(r"dense-(\d+)x(\d+)-b(\d+)-n(\d+)", name)
    if numbers is None:
        raise ValueError(
            f"No workload {name!r}. Expected one of {list(WORKLOADS)}, or "
            "dense-WIDTHxDEPTH-bBATCH-nSAMPLES."
        )
    width, depth, batch, samples = map(int, numbers.groups())
    title = f"{depth} x Dense({width}), {samples} samples"
    steps = max(1, samples // batch)
    return Workload(title, (64,), batch, steps, 3, hidden=(width,) * depth)
