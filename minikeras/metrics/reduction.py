"""Sums and means over samples."""

import jax.numpy as jnp

from minikeras.core import registry
from minikeras.core.bridge import get_mask
from minikeras.core.members import Alias
from minikeras.core.serialization import serialize_keras_object
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import (
    FunctionConfig,
    apply_mask,
    average,
    broadcast_weights,
    squeeze_or_expand_to_same_rank,
)
from minikeras.metrics.metric import Metric


def reduce_to_samples(values, sample_weight, reduce, dtype):
    """Reduce (n, ...) values and weights to one of each for every sample.

    Args:
        values: (n, ...) or () values.
        sample_weight: weights that broadcast to `values` or to its first axes; or None.
        reduce: `jnp.mean` or `jnp.sum`: reduces the axes after the first.
        dtype: name of the dtype to compute in.

    Returns:
        (n,) values times weights; (n,) weights, or None.
    """
    mask = None if isinstance(values, (list, tuple)) else get_mask(values)
    values = convert_to_tensor(values, dtype)
    if sample_weight is not None:
        # As in Keras, the mask of the values counts only where weights are given.
        weights = convert_to_tensor(sample_weight, dtype)
        weights = apply_mask(weights, mask, dtype, "sum")
        values, weights = squeeze_or_expand_to_same_rank(
            values, weights, expand_rank_1=False
        )
        if weights.ndim < values.ndim:
            values = reduce(values, axis=tuple(range(weights.ndim, values.ndim)))
        weights = broadcast_weights(weights, values)
        values = values * weights
        if values.ndim > 1:
            weights = reduce(weights, axis=tuple(range(1, values.ndim)))
    else:
        weights = None
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, weights


def sum_update(total, values, sample_weight=None):
    """total + Σ value weight."""
    values, _ = reduce_to_samples(values, sample_weight, jnp.sum, total.dtype)
    return total + jnp.sum(values)


def mean_update(total, count, values, sample_weight=None):
    """Return (total + Σ value weight, count + Σ weight), the state after a batch."""
    values, weights = reduce_to_samples(values, sample_weight, jnp.mean, total.dtype)
    if weights is None:
        added = values.shape[0] if values.ndim else 1
    else:
        added = jnp.sum(weights)
    return total + jnp.sum(values), count + jnp.asarray(added, count.dtype)


class Sum(Metric):
    """Σ value weight over all values.

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.Sum()([1.0, 3.0], sample_weight=[1.0, 2.0]))
    7.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values, sample_weight=None):
        """Add a batch.

        Args:
            values: (batch, ...) values; a scalar counts as one sample.
            sample_weight: weights that broadcast to the values, for instance (batch,);
                None: all 1.
        """
        self.total.assign(sum_update(self.total.value, values, sample_weight))

    def result(self):
        """Return the sum so far."""
        return self.total.value


class Mean(Metric):
    """Σ value weight / Σ weight over all samples; 0 if there were none.

    A sample with several values counts with their mean.

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.Mean()([1.0, 3.0], sample_weight=[1.0, 3.0]))
    2.5
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        """Add a batch.

        Args:
            values: (batch, ...) values; a scalar counts as one sample.
            sample_weight: weights that broadcast to the values, for instance (batch,);
                None: all 1.
        """
        total, count = mean_update(
            self.total.value, self.count.value, values, sample_weight
        )
        self.total.assign(total)
        self.count.assign(count)

    def result(self):
        """Return the mean so far."""
        return average(self.total.value, self.count.value)


class MeanMetricWrapper(FunctionConfig, Mean):
    """Weighted mean over samples of `fn(y_true, y_pred, **kwargs)`.

    Args:
        fn: function that returns (batch, ...) values.
        name: name of the metric; by default the class name in snake case, made unique.
        dtype: dtype or policy of state and result; `floatx()` by default.
        **kwargs: further arguments of `fn`.

    >>> error = keras.metrics.MeanMetricWrapper(lambda y, p: abs(y - p), name="error")
    >>> float(error(np.array([1.0, 2.0]), np.array([1.0, 5.0])))
    1.5
    """

    _fn = Alias("_mk_fn")
    _fn_kwargs = Alias("_mk_fn_kwargs")

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._mk_fn, self._mk_fn_kwargs = fn, kwargs
        vars(self).update(kwargs)  # Keras's metrics have such attributes: `threshold`
        if self._mk_direction is None and registry.module_of(fn) == "keras.losses":
            self._mk_direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add the values of a batch.

        Args:
            y_true: (batch, ...) targets.
            y_pred: (batch, ...) predictions; entries whose Keras mask is False do not
                count.
            sample_weight: weights that broadcast to the values; None: all 1.
        """
        mask = get_mask(y_pred)
        values = self._mk_fn(y_true, y_pred, **self._mk_fn_kwargs)
        if sample_weight is not None:
            sample_weight = convert_to_tensor(sample_weight, self.dtype)
        if mask is not None:
            mask = convert_to_tensor(mask, self.dtype)
        weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, weight)

    def get_config(self):
        """Return the constructor's arguments."""
        config = {**super().get_config(), **self._mk_function_config()}
        if type(self) is MeanMetricWrapper:  # a subclass knows its function
            config["fn"] = serialize_keras_object(self._mk_fn)
        return config
