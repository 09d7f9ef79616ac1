"""Losses between probability distributions: cross-entropies and divergence."""

import warnings

import jax.numpy as jnp

from minikeras import ops
from minikeras.core.bridge import set_mask
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import to_arrays
from minikeras.settings import epsilon


def check_same_shape(function, y_true, y_pred):
    """Raise ValueError unless targets and predictions have the same shape."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{function}: y_true and y_pred must have the same shape, got "
            f"y_true.shape={y_true.shape} and y_pred.shape={y_pred.shape}. Integer "
            "labels of classes go with sparse_categorical_crossentropy."
        )


def smooth_labels(y_true, label_smoothing, classes):
    """(1 - s) y + s / classes, with s = `label_smoothing`."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes


def warn_if_one_class(function, y_pred):
    """Warn of predictions with one column: the softmax of one score is always 1."""
    if y_pred.ndim and y_pred.shape[-1] == 1:
        warnings.warn(
            f"{function}: y_pred has shape {y_pred.shape}, that is: a single class. "
            "Expected (..., classes) with classes > 1; for two classes in one column "
            "use 'binary_crossentropy'.",
            SyntaxWarning,
            stacklevel=3,
        )


@loss_function
def binary_crossentropy(
    y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1
):
    """mean(-(y log p + (1 - y) log(1 - p))) over `axis`.

    Args:
        y_true: (..., n) labels in [0, 1].
        y_pred: (..., n) probabilities, or scores in (-∞, ∞) if `from_logits`.
        from_logits: bool, whether probabilities are sigmoid(y_pred).
        label_smoothing: s in [0, 1]; labels y become (1 - s) y + s / 2.
        axis: axis of the mean.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    >>> keras.losses.binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [0.693147...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    check_same_shape("binary_crossentropy", y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, 2)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits)
    return jnp.mean(values, axis=axis)


@loss_function
def categorical_crossentropy(
    y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1
):
    """-sum(y log p) over `axis`.

    Args:
        y_true: (..., classes) one-hot labels or probabilities.
        y_pred: (..., classes) probabilities, which are divided by their sum; or scores
            in (-∞, ∞) if `from_logits`.
        from_logits: bool, whether probabilities are softmax(y_pred).
        label_smoothing: s in [0, 1]; labels y become (1 - s) y + s / classes.
        axis: axis of the classes.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    >>> keras.losses.categorical_crossentropy([[0.0, 1.0]], [[1.0, 1.0]]).tolist()
    [0.693147...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    warn_if_one_class("categorical_crossentropy", y_pred)
    check_same_shape("categorical_crossentropy", y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@loss_function
def sparse_categorical_crossentropy(
    y_true, y_pred, from_logits=False, ignore_class=None, axis=-1
):
    """-log p[y_true].

    Args:
        y_true: (...) or (..., 1) integer labels in [0, classes).
        y_pred: (..., classes) probabilities, which are divided by their sum; or scores
            in (-∞, ∞) if `from_logits`.
        from_logits: bool, whether probabilities are softmax(y_pred).
        ignore_class: entries with this label get the loss 0 and are masked out of
            means; None: all count.
        axis: axis of the classes in `y_pred`. (Keras on JAX takes the last one only.)

    Returns:
        (...) losses.

    Raises:
        ValueError: the shapes differ, apart from the axis of the classes.

    >>> keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
    [0.693147...]
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = convert_to_tensor(y_true).astype("int32")
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = jnp.squeeze(y_true, -1)
    if not -y_pred.ndim <= axis < y_pred.ndim:
        raise ValueError(
            f"sparse_categorical_crossentropy: axis {axis} is out of bounds for "
            f"y_pred of shape {y_pred.shape}."
        )
    axis = axis % y_pred.ndim
    if y_true.shape != y_pred.shape[:axis] + y_pred.shape[axis + 1 :]:
        raise ValueError(
            "sparse_categorical_crossentropy: y_true and y_pred must have the same "
            f"shape, but for the axis of the classes, got y_true.shape={y_true.shape} "
            f"and y_pred.shape={y_pred.shape}. One-hot labels go with "
            "categorical_crossentropy."
        )
    mask = None
    if ignore_class is not None:
        mask = y_true != ignore_class
        y_true = jnp.where(mask, y_true, 0)
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    if mask is not None:
        losses = jnp.where(mask, losses, 0.0)
        set_mask(losses, mask)
    return losses


@loss_function
def kl_divergence(y_true, y_pred):
    """sum(y log(y / p)) over the last axis, with both clipped to [epsilon(), 1].

    Args:
        y_true: (..., n) probabilities y.
        y_pred: (..., n) probabilities p.

    Returns:
        (...) divergences.

    >>> keras.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).tolist()
    [0.143841...]
    """
    y_true, y_pred = (jnp.clip(y, epsilon(), 1.0) for y in to_arrays(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@loss_function
def poisson(y_true, y_pred):
    """mean(y_pred - y_true log(y_pred)) over the last axis.

    This is the negative log-likelihood of counts at given rates, without the terms
    that do not depend on the rates.

    Args:
        y_true: (..., n) counts, >= 0.
        y_pred: (..., n) rates, > 0.

    Returns:
        (...) losses.

    >>> keras.losses.poisson([[1.0, 0.0]], [[2.0, 4.0]]).tolist()
    [2.653426...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    log_pred = jnp.log(y_pred + jnp.asarray(epsilon(), y_pred.dtype))
    return jnp.mean(y_pred - y_true * log_pred, axis=-1)


class BinaryCrossentropy(LossFunctionWrapper):
    """mean(-(y log p + (1 - y) log(1 - p))).

    Targets y in [0, 1] and predictions: (batch, ..., n).

    Args:
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities;
            their sigmoid gives probabilities.
        label_smoothing: in [0, 1]; labels y become (1 - s) y + s / 2.
        axis: axis of the mean.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: targets and predictions have different shapes.

    >>> float(keras.losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]]))
    0.693147...
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """-sum(y log p) over the classes.

    Targets y, one-hot or probabilities, and predictions: (batch, ..., classes).
    Probabilities are divided by their sum first.

    Args:
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities;
            their softmax gives probabilities.
        label_smoothing: in [0, 1]; labels y become (1 - s) y + s / classes.
        axis: axis of the classes.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: targets and predictions have different shapes.

    >>> float(keras.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.693147...
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """-log p[y].

    Targets y: (batch, ...) or (batch, ..., 1) integers in [0, classes); predictions:
    (batch, ..., classes). Probabilities are divided by their sum first.

    Args:
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities;
            their softmax gives probabilities.
        ignore_class: targets with this label do not count; None: all count.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        axis: axis of the classes in the predictions.
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: the shapes differ, apart from the axis of the classes.

    >>> float(keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.693147...
    """

    _mk_implicit = {"axis": -1}

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(LossFunctionWrapper):
    """sum(y log(y / p)), with y and p clipped to [epsilon(), 1].

    Targets y and predictions p: (batch, ..., n) probabilities.

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]))
    0.143841...
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None
    ):
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """mean(y_pred - y_true log(y_pred)).

    Targets are counts >= 0, predictions rates > 0: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.Poisson()([[1.0, 0.0]], [[2.0, 4.0]]))
    2.653426...
    """

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(poisson, reduction, name, dtype)
