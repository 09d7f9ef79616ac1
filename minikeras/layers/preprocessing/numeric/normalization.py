"""Normalization: inputs of mean 0 and variance 1."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.layers.preprocessing.adapt import as_numpy, batches, is_whole
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.encoding import OrderedConfig, check


def normalize(x, mean, variance, invert=False, epsilon=1e-7):
    """(x - mean) / max(√variance, epsilon); with `invert` the x of which this is x."""
    deviation = jnp.maximum(jnp.sqrt(variance), epsilon)
    return mean + x * deviation if invert else (x - mean) / deviation


def add_moments(total, batch, share, axes):
    """(mean, variance) of data with these moments and one more batch, of this share."""
    mean, variance = batch.mean(axes), batch.var(axes)
    new_mean = total[0] * (1 - share) + mean * share
    old_part = (total[1] + (total[0] - new_mean) ** 2) * (1 - share)
    return new_mean, old_part + (variance + (mean - new_mean) ** 2) * share


class Normalization(OrderedConfig, DataLayer):
    """Shift and scale the inputs to mean 0 and variance 1: (x - mean) / √variance.

    Args:
        axis: int, tuple of ints or None: the axes that keep a mean and a variance for
            each index. None takes one mean and variance of all entries.
        mean: number or array, if known; else `adapt` finds it.
        variance: number or array of the shape of `mean`; both or none are given.
        invert: bool, whether to undo it: x √variance + mean.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any, with known sizes of the kept axes. Output shape: the same.

    Raises:
        ValueError: only one of mean and variance, or they do not fit the axes.

    >>> layer = keras.layers.Normalization(axis=None)
    >>> layer.adapt(np.array([1.0, 2.0, 3.0]))
    >>> layer(np.array([2.0])).tolist()
    [0.0]
    """

    _convert_input_args = False
    _mk_config = "name trainable dtype axis invert mean variance"

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        axis = () if axis is None else axis
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance = mean, variance
        self.invert = invert
        self.supports_masking = True
        shapes = [() if x is None else np.shape(x) for x in (mean, variance)]
        check(
            self,
            ((mean is None) != (variance is None), "When setting values directly, both "
             f"`mean` and `variance` must be set. Received: {mean} and {variance}"),
            (shapes[0] != shapes[1], "When setting values directly, `mean` and "
             f"`variance` must have the same shape. Received: {shapes}"),
            (len(shapes[0]) > len(self.axis), "The rank of `mean` must be less than or "
             f"equal to the number of axes. Received: {shapes[0]}, axis={self.axis}"),
        )  # fmt: skip

    def build(self, input_shape):
        """Create the weights, or check that the given values fit.

        Args:
            input_shape: tuple of ints and None.
        """
        if input_shape is None:
            return
        ndim, shape = len(input_shape), tuple(input_shape)
        outside = any(not -ndim <= a < ndim for a in self.axis)
        received = f"Received axis={self.axis}, inputs.shape={shape}"
        check(self, (outside, "All `axis` values must be in the range [-ndim, ndim). "
                     + received))  # fmt: skip
        self._mk_kept = tuple(sorted(a % ndim for a in self.axis))
        kept = tuple(shape[a] for a in self._mk_kept)
        check(self, (None in kept, "All `axis` values to be kept must have a known "
                     f"shape. {received}"))  # fmt: skip
        self._mk_shape = shape
        if self.input_mean is None:
            add = partial(self.add_weight, trainable=False)
            self.adapt_mean = add(name="mean", shape=kept, initializer="zeros")
            self.adapt_variance = add(name="variance", shape=kept, initializer="ones")
            # Files of Keras hold it, nothing reads it.
            self.count = add(name="count", shape=(), dtype="int", initializer="zeros")
        else:
            self._mk_aligned(self.input_mean)  # ValueError if it does not fit

    def _mk_aligned(self, value):
        """The value with an axis for each of the inputs, in the compute dtype."""
        value, sizes = jnp.asarray(value), enumerate(self._mk_shape)
        shape = [1] * len(self._mk_shape)
        for i in range(-value.ndim, 0):  # its axes are the last ones of the kept
            shape[self._mk_kept[i]] = value.shape[i]
        full = [size if a in self._mk_kept else 1 for a, size in sizes]
        return jnp.broadcast_to(value.reshape(shape), full).astype(self.compute_dtype)

    def _mk_moment(self, given, weight):
        """The given value or the weight, aligned; None before `build`."""
        if not hasattr(self, "_mk_shape"):
            return None
        return self._mk_aligned(getattr(self, weight).value if given is None else given)

    @property
    def mean(self):
        """The mean, with an axis for each of the inputs; None before `build`."""
        return self._mk_moment(self.input_mean, "adapt_mean")

    @property
    def variance(self):
        """The variance, with an axis for each of the inputs; None before `build`."""
        return self._mk_moment(self.input_variance, "adapt_variance")

    def adapt(self, data):
        """Take mean and variance from data.

        Args:
            data: array, pandas data frame, or an iterable of batches, which a list is
                too. Of tuples of arrays, the first is taken.

        Raises:
            ValueError: no data, shapes that do not fit, or mean and variance are given.
            TypeError: no arrays.
        """
        check(self, (self.input_mean is not None, "it has a given mean and variance: "
                     "there is nothing to adapt."))  # fmt: skip
        if is_whole(data, lists=False):
            data = data if isinstance(data, jax.Array) else as_numpy(data)
            reduced = self._mk_reduced(data)
            moments = data.mean(reduced), data.var(reduced)
        else:
            moments = self._mk_moments_of_batches(data)
        self.adapt_mean.assign(moments[0])
        self.adapt_variance.assign(moments[1])

    def _mk_moments_of_batches(self, data):
        """Mean and variance of an iterable of batches, one batch in memory."""
        moments: Any = ()
        total = 0
        for batch in batches(self, data, lists=False, drop_targets=True):
            reduced = self._mk_reduced(batch)
            x = jnp.asarray(batch, self.compute_dtype)
            count = math.prod(x.shape[a] for a in reduced)
            total += count
            moments = moments or (jnp.zeros(self.adapt_mean.shape),) * 2
            moments = add_moments(moments, x, count / total, reduced)
        check(self, (not moments, "adapt() received an empty iterable (no batches). "
                     "Pass at least one array, as in layer.adapt([x])."))  # fmt: skip
        return moments

    def _mk_reduced(self, x):
        """The axes of data that are averaged; the first data builds the layer."""
        shape = getattr(x, "shape", None)
        if shape is None:
            raise TypeError(
                "adapt() expects an iterable that yields arrays with a `.shape` "
                f"attribute. Got an element of type {type(x).__name__}. Make an array "
                "of numbers in a list: layer.adapt(np.array(data))."
            )
        if not self.built:
            self.build(shape)
            self.built = True
        same = len(shape) == len(self._mk_shape)
        same = same and all(shape[a] == self._mk_shape[a] for a in self._mk_kept)
        check(self, (not same, f"it was built with input_shape={self._mk_shape}, but "
                     "adapt() is being called with data with an incompatible shape, "
                     f"data.shape={tuple(shape)}"))  # fmt: skip
        return tuple(a for a in range(len(shape)) if a not in self._mk_kept)

    def finalize_state(self):
        """Do nothing: mean and variance are read from the weights."""

    def call(self, inputs):
        """Normalize the inputs, or undo it.

        Args:
            inputs: array of numbers.
        """
        x = jnp.asarray(inputs, self.compute_dtype)
        return normalize(x, self.mean, self.variance, self.invert, settings.epsilon())

    def compute_output_shape(self, input_shape):
        """That of the inputs.

        Args:
            input_shape: tuple of ints and None.
        """
        return input_shape

    def _mk_config_values(self):
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {name: np.array(value).tolist() for name, value in given.items()}
