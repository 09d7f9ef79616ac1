"""What is measured: three networks, each with random data of its shape."""

from typing import NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A network and its training.

    Attributes:
        title: how the table calls it.
        shape: of one sample.
        batch: samples a step.
        steps: steps an epoch.
        epochs: warm epochs a repeat; the best one counts.
    """

    title: str
    shape: tuple[int, ...]
    batch: int
    steps: int
    epochs: int

    def data(self):
        """x (samples, *shape) in float32, y (samples,) integers 0..9."""
        rng = np.random.default_rng(0)
        samples = self.batch * self.steps
        x = rng.random((samples, *self.shape), dtype=np.float32)
        return x, rng.integers(0, 10, samples).astype("int32")


WORKLOADS = {
    "tiny": Workload("MLP 64-32-10", (64,), 32, 200, 5),
    "mlp": Workload("MLP 784-256-128-10, dropout, BN", (784,), 128, 60, 3),
    "convnet": Workload("convnet 32-64 on 28x28", (28, 28, 1), 128, 8, 2),
}
