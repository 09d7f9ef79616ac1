"""Gaussian noise, added to or multiplied with the inputs."""

import math

from minikeras import random
from minikeras.core.checks import unit_interval
from minikeras.layers.regularization.random_layer import RandomLayer


class GaussianNoise(RandomLayer):
    """Add Gaussian noise in training: x + N(0, stddev²).

    Args:
        stddev: number in [0, 1], standard deviation of the noise.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: `stddev` is not in [0, 1].

    >>> keras.layers.GaussianNoise(0.1)(np.ones(2)).tolist()  # in inference
    [1.0, 1.0]
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = unit_interval(stddev, "stddev")
        self._mk_init_random(stddev, seed)

    def _mk_training_output(self, inputs):
        """inputs + noise"""
        return inputs + random.normal(
            inputs.shape,
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )


class GaussianDropout(RandomLayer):
    """Multiply by Gaussian noise in training: x · N(1, rate / (1 - rate)).

    Args:
        rate: number in [0, 1]; the noise has the mean and variance of `Dropout(rate)`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: `rate` is not in [0, 1].

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.

    >>> keras.layers.GaussianDropout(0.1)(np.ones(2)).tolist()  # in inference
    [1.0, 1.0]
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = unit_interval(rate, "rate")
        self._mk_init_random(rate, seed)

    def _mk_training_output(self, inputs):
        """inputs * noise"""
        return inputs * random.normal(
            inputs.shape,
            mean=1.0,
            stddev=math.sqrt(self.rate / (1.0 - self.rate)),
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
