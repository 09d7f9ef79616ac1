"""Gaussian noise, added and multiplied."""

import math

from minikeras import random
from minikeras.core.checks import unit_interval
from minikeras.layers.regularization.random_layer import RandomLayer


class GaussianNoise(RandomLayer):
    """x + N(0, stddev²) while training.

    Args:
        stddev: number in [0, 1].
        seed: int; None takes one from Python's `random`.

    Raises:
        ValueError: stddev outside [0, 1].
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = unit_interval(stddev, "stddev")
        self._mk_prepare(stddev, seed)

    def _mk_perturb(self, inputs):
        """inputs + noise"""
        return inputs + random.normal(
            inputs.shape,
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )


class GaussianDropout(RandomLayer):
    """x * N(1, rate / (1 - rate)) while training.

    Args:
        rate: number in [0, 1], as in `Dropout`: the noise has the same variance.
        seed: int; None takes one from Python's `random`.

    Raises:
        ValueError: rate outside [0, 1].
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = unit_interval(rate, "rate")
        self._mk_prepare(rate, seed)

    def _mk_perturb(self, inputs):
        """inputs * noise"""
        return inputs * random.normal(
            inputs.shape,
            mean=1.0,
            stddev=math.sqrt(self.rate / (1.0 - self.rate)),
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
