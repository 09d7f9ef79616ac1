"""Sums and means over samples."""

import jax.numpy as jnp

from minikeras.core import registry
from minikeras.core.bridge import get_mask
from minikeras.core.members import Alias
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import (
    apply_mask,
    squeeze_or_expand_to_same_rank,
)
from minikeras.metrics.metric import Metric


def broadcast_weights(weights, values):
    """Weights of the shape of the values; ValueError if they do not broadcast to it."""
    try:
        return jnp.broadcast_to(weights, values.shape)
    except ValueError:
        raise ValueError(
            f"sample_weight of shape {weights.shape} does not go with values of shape "
            f"{values.shape}: expected one weight for each sample or each value. "
            "(class_weight makes one for each sample.)"
        ) from None


def samplewise(values, sample_weight, reduce, dtype):
    """One weighted value, and one weight, per sample.

    Args:
        values: (n, ...) or () values.
        sample_weight: broadcastable to `values`, or to its first axes; or None.
        reduce: `jnp.mean` or `jnp.sum`: what axes after the first are joined by.
        dtype: name of the dtype to compute in.

    Returns:
        (n,) values times weights, (n,) weights or None.
    """
    mask = None if isinstance(values, (list, tuple)) else get_mask(values)
    values = convert_to_tensor(values, dtype)
    if sample_weight is not None:
        # As in Keras, the values' own mask counts only where there are weights.
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
    """total + sum(values weight)."""
    values, _ = samplewise(values, sample_weight, jnp.sum, total.dtype)
    return total + jnp.sum(values)


def mean_update(total, count, values, sample_weight=None):
    """(total + sum(values weight), count + sum(weight)), one value per sample."""
    values, weights = samplewise(values, sample_weight, jnp.mean, total.dtype)
    if weights is None:
        added = values.shape[0] if values.ndim else 1
    else:
        added = jnp.sum(weights)
    return total + jnp.sum(values), count + jnp.asarray(added, count.dtype)


def divide_no_nan(x, y):
    """x / y, and 0 where y is 0."""
    return jnp.where(y == 0, 0, x / jnp.where(y == 0, 1, y))


class Sum(Metric):
    """Weighted sum of values.

    >>> float(Sum()([1.0, 3.0], sample_weight=[1.0, 2.0]))
    7.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values, sample_weight=None):
        """Add (n, ...) values, weighted by samples or elements."""
        self.total.assign(sum_update(self.total.value, values, sample_weight))

    def result(self):
        """The sum so far."""
        return self.total.value


class Mean(Metric):
    """Weighted mean of values; 0 of none.

    >>> float(Mean()([1.0, 3.0], sample_weight=[1.0, 3.0]))
    2.5
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        """Add (n, ...) values, weighted by samples or elements."""
        total, count = mean_update(
            self.total.value, self.count.value, values, sample_weight
        )
        self.total.assign(total)
        self.count.assign(count)

    def result(self):
        """The mean so far."""
        return divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """Weighted mean over samples of `fn(y_true, y_pred, **kwargs)`.

    Args:
        fn: function giving (n, ...) values.
        name, dtype: see `Metric`.
        **kwargs: further arguments of `fn`.
    """

    _fn = Alias("_mk_fn")
    _fn_kwargs = Alias("_mk_fn_kwargs")

    # Arguments that Keras leaves out of the config: ours has them when they were
    # given, so that a saved metric never comes back as another one.
    _mk_implicit: dict = {}

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._mk_fn, self._mk_fn_kwargs = fn, kwargs
        vars(self).update(kwargs)  # `metric.threshold` as in Keras
        if self._mk_direction is None and registry.module_of(fn) == "keras.losses":
            self._mk_direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch; entries that `y_pred`'s mask calls False do not count."""
        mask = get_mask(y_pred)
        values = self._mk_fn(y_true, y_pred, **self._mk_fn_kwargs)
        if sample_weight is not None:
            sample_weight = convert_to_tensor(sample_weight, self.dtype)
        if mask is not None:
            mask = convert_to_tensor(mask, self.dtype)
        weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, weight)

    def get_config(self):
        """The constructor's arguments."""
        given = {
            key: value
            for key, value in self._mk_fn_kwargs.items()
            if key not in self._mk_implicit or value != self._mk_implicit[key]
        }
        if type(self) is MeanMetricWrapper:
            given = {"fn": serialize_keras_object(self._mk_fn), **given}
        return {**super().get_config(), **given}

    @classmethod
    def from_config(cls, config):
        """A new metric from `get_config()`."""
        if "fn" in config:
            config = deserialize_keras_object(config)
        return cls(**config)
