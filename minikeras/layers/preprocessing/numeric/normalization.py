"""Normalization: inputs of mean 0 and variance 1."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.layers.preprocessing.adapt import as_numpy, batches, is_whole
from minikeras.layers.preprocessing.data_layer import DataLayer


@partial(jax.jit, static_argnames=("invert", "epsilon"))
def normalize(x, mean, variance, invert=False, epsilon=1e-7):
    """(x - mean) / max(√variance, epsilon), or the inverse of it.

    Args:
        x: array.
        mean, variance: arrays that broadcast to `x`.
        invert: bool, whether to return the x' of which this is x.
        epsilon: float > 0, the smallest deviation that divides.
    """
    deviation = jnp.maximum(jnp.sqrt(variance), epsilon)
    return mean + x * deviation if invert else (x - mean) / deviation


@partial(jax.jit, static_argnames="axes")
def add_moments(total, batch, share, axes):
    """Mean and variance of data and one more batch.

    Args:
        total: pair of arrays, mean and variance so far.
        batch: array.
        share: float in (0, 1], the share of the batch in all data.
        axes: tuple of ints, the axes of the batch that are averaged.
    """
    mean, variance = batch.mean(axes), batch.var(axes)
    new_mean = total[0] * (1 - share) + mean * share
    old_part = (total[1] + (total[0] - new_mean) ** 2) * (1 - share)
    return new_mean, old_part + (variance + (mean - new_mean) ** 2) * share


class Normalization(DataLayer):
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

    _mk_not_in_config = ("axis", "mean", "variance", "invert")  # in Keras's order below

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        axis = () if axis is None else axis
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance = mean, variance
        self.invert = invert
        self.supports_masking = True
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        shapes = np.shape(mean), np.shape(variance)
        if shapes[0] != shapes[1]:
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the "
                f"same shape. Received: mean shape {shapes[0]} and variance shape "
                f"{shapes[1]}"
            )
        if len(shapes[0]) > len(self.axis):
            raise ValueError(
                "The rank of `mean` must be less than or equal to the number of axes "
                f"({len(self.axis)}). Received: mean shape {shapes[0]} for axis "
                f"{self.axis}"
            )

    def build(self, input_shape):
        """Create the weights, or check that the given values fit.

        Args:
            input_shape: tuple of ints and None.
        """
        if input_shape is None:
            return
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs "
                f"with ndim={ndim}, while axis={self.axis}"
            )
        self._mk_kept = tuple(sorted(a % ndim for a in self.axis))
        for a in self._mk_kept:
            if input_shape[a] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. Received "
                    f"axis={self.axis}, inputs.shape={tuple(input_shape)}, with "
                    f"unknown axis at index {a}"
                )
        self._mk_shape = tuple(input_shape)
        if self.input_mean is None:
            add = partial(self.add_weight, trainable=False)
            shape = tuple(input_shape[a] for a in self._mk_kept)
            self.adapt_mean = add(name="mean", shape=shape, initializer="zeros")
            self.adapt_variance = add(name="variance", shape=shape, initializer="ones")
            # Files of Keras hold it, nothing reads it.
            self.count = add(name="count", shape=(), dtype="int", initializer="zeros")
        else:
            self._mk_aligned(self.input_mean)

    def _mk_aligned(self, value):
        """The value with an axis for each of the inputs, in the compute dtype."""
        ndim, value = len(self._mk_shape), jnp.asarray(value)
        kept = [
            size if a in self._mk_kept else 1 for a, size in enumerate(self._mk_shape)
        ]
        if value.ndim:  # its axes are the last ones of the kept
            shape = [1] * ndim
            for axis, size in zip(
                self._mk_kept[-value.ndim :], value.shape, strict=True
            ):
                shape[axis] = size
            value = value.reshape(shape)
        return jnp.broadcast_to(value, kept).astype(self.compute_dtype)

    @property
    def mean(self):
        """The mean, with an axis for each of the inputs; None before `build`."""
        return self._mk_moment(self.input_mean, "adapt_mean")

    @property
    def variance(self):
        """The variance, with an axis for each of the inputs; None before `build`."""
        return self._mk_moment(self.input_variance, "adapt_variance")

    def _mk_moment(self, given, weight):
        """The given value or the weight, aligned."""
        if not hasattr(self, "_mk_shape"):
            return None
        value = given if given is not None else getattr(self, weight).value
        return self._mk_aligned(value)

    def adapt(self, data):
        """Take mean and variance from data.

        Args:
            data: array, pandas data frame, or an iterable of batches, which a list is
                too. Of tuples of arrays, the first is taken.

        Raises:
            ValueError: no data, or shapes that do not fit.
            TypeError: no arrays.
        """
        if is_whole(data, lists=False):
            data = data if isinstance(data, jax.Array) else as_numpy(data)
            self._mk_build_for_data(data)
            reduced = self._mk_reduced(data)
            moments = data.mean(reduced), data.var(reduced)
        else:
            moments = self._mk_moments_of_batches(data)
        self.adapt_mean.assign(moments[0])
        self.adapt_variance.assign(moments[1])

    def _mk_reduced(self, x):
        """The axes that are averaged."""
        return tuple(a for a in range(x.ndim) if a not in self._mk_kept)

    def _mk_moments_of_batches(self, data):
        """Mean and variance of an iterable of batches, one batch in memory."""
        moments, total = None, 0
        for batch in batches(self, data, lists=False, drop_targets=True):
            self._mk_build_for_data(batch)
            x = jnp.asarray(batch, self.compute_dtype)
            reduced = self._mk_reduced(x)
            count = math.prod(x.shape[a] for a in reduced)
            total += count
            if moments is None:
                zeros = jnp.zeros([x.shape[a] for a in self._mk_kept])
                moments = zeros, zeros
            moments = add_moments(moments, x, count / total, reduced)
        if moments is None:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Pass at least one "
                "array, for example layer.adapt([x])."
            )
        return moments

    def _mk_build_for_data(self, x):
        """Build from the first data, and check the shape of the other."""
        shape = getattr(x, "shape", None)
        if shape is None:
            raise TypeError(
                "adapt() expects an iterable that yields arrays with a `.shape` "
                f"attribute. Got an element of type {type(x).__name__}. Of numbers in "
                "a list make an array: layer.adapt(np.array(data))."
            )
        if not self.built:
            self.build(shape)
            self.built = True
        same = len(shape) == len(self._mk_shape)
        if not same or any(shape[a] != self._mk_shape[a] for a in self._mk_kept):
            raise ValueError(
                f"The layer was built with input_shape={self._mk_shape}, but adapt() "
                "is being called with data with an incompatible shape, "
                f"data.shape={tuple(shape)}"
            )

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

    def get_config(self):
        """The constructor's arguments; arrays as lists."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }
