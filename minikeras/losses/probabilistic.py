"""Losses between probability distributions: cross-entropies and divergence."""

import warnings

import jax
import jax.numpy as jnp

from minikeras.core.bridge import set_mask
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import as_pair
from minikeras.settings import epsilon, floatx


def clip_probabilities(p):
    """Probabilities kept `epsilon()` away from 0 and 1, where log is infinite."""
    return jnp.clip(p, epsilon(), 1.0 - epsilon())


def same_shape(function, y_true, y_pred):
    """ValueError unless targets and predictions have one shape."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"{function}: y_true and y_pred must have the same shape, got "
            f"y_true.shape={y_true.shape} and y_pred.shape={y_pred.shape}. Integer "
            "labels of classes go with sparse_categorical_crossentropy."
        )


def binary_entropies(y_true, y_pred, from_logits=False):
    """-(y log p + (1 - y) log(1 - p)), elementwise."""
    if from_logits:
        log_p, log_q = jax.nn.log_sigmoid(y_pred), jax.nn.log_sigmoid(-y_pred)
    else:
        p = clip_probabilities(y_pred)
        log_p, log_q = jnp.log(p), jnp.log(1.0 - p)
    return -(y_true * log_p + (1.0 - y_true) * log_q)


def log_probabilities(y_pred, from_logits=False, axis=-1):
    """log p of scores (logits), or of probabilities, which are first normalized."""
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    p = y_pred / jnp.sum(y_pred, axis=axis, keepdims=True)
    return jnp.log(clip_probabilities(p))


def _smooth(y_true, label_smoothing, classes):
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes


def _expect_classes(function, y_pred):
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
        y_pred: (..., n) probabilities, or any real scores if `from_logits`.
        from_logits: is p = sigmoid(y_pred)?
        label_smoothing: in [0, 1]; moves labels towards 1/2 by this share.
        axis: axis of the mean.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [0.693147...]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    same_shape("binary_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    return jnp.mean(binary_entropies(y_true, y_pred, from_logits), axis=axis)


@loss_function
def categorical_crossentropy(
    y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1
):
    """-sum(y log p) over `axis`.

    Args:
        y_true: (..., classes) one-hot labels or probabilities.
        y_pred: (..., classes) probabilities (they are normalized to sum to 1), or
            any real scores if `from_logits`.
        from_logits: is p = softmax(y_pred)?
        label_smoothing: in [0, 1]; moves labels towards 1/classes by this share.
        axis: axis of the classes.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    >>> categorical_crossentropy([[0.0, 1.0]], [[1.0, 1.0]]).tolist()
    [0.693147...]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    _expect_classes("categorical_crossentropy", y_pred)
    same_shape("categorical_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    return -jnp.sum(y_true * log_probabilities(y_pred, from_logits, axis), axis=axis)


@loss_function
def sparse_categorical_crossentropy(
    y_true, y_pred, from_logits=False, ignore_class=None, axis=-1
):
    """-log p[y_true].

    Args:
        y_true: (...) or (..., 1) integer labels in [0, classes).
        y_pred: (..., classes) probabilities (they are normalized to sum to 1), or
            any real scores if `from_logits`.
        from_logits: is p = softmax(y_pred)?
        ignore_class: entries with this label have no loss and are masked out of
            means. None: all count.
        axis: axis of the classes.

    Returns:
        (...) losses.

    Raises:
        ValueError: the shapes differ apart from the axis of the classes. Any axis will
            do; Keras on JAX takes the last one only.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
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
    rest = y_pred.shape[:axis] + y_pred.shape[axis + 1 :]
    if y_true.shape != rest:
        raise ValueError(
            "sparse_categorical_crossentropy: y_true and y_pred must have the same "
            f"shape, but for the axis of the classes, got y_true.shape={y_true.shape} "
            f"and y_pred.shape={y_pred.shape}. One-hot labels go with "
            "categorical_crossentropy."
        )
    kept = None
    if ignore_class is not None:
        kept = y_true != ignore_class
        y_true = jnp.where(kept, y_true, 0)
    log_p = log_probabilities(y_pred, from_logits, axis)
    # As in Keras half-width log-probabilities are picked in `floatx()`.
    one_hot = jax.nn.one_hot(y_true, y_pred.shape[axis], axis=axis, dtype=floatx())
    losses = -jnp.sum(one_hot * log_p, axis=axis)
    if kept is not None:
        losses = jnp.where(kept, losses, 0.0)
        set_mask(losses, kept)
    return losses


@loss_function
def kl_divergence(y_true, y_pred):
    """sum(y log(y / p)) over the last axis, both clipped to [epsilon(), 1].

    Args:
        y_true, y_pred: (..., n) probabilities.

    Returns:
        (...) divergences.
    """
    y_true, y_pred = (jnp.clip(y, epsilon(), 1.0) for y in as_pair(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


class BinaryCrossentropy(LossFunctionWrapper):
    """Loss of `binary_crossentropy`, whose arguments it takes."""

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
            *(binary_crossentropy, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """Loss of `categorical_crossentropy`, whose arguments it takes."""

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
            *(categorical_crossentropy, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Loss of `sparse_categorical_crossentropy`, whose arguments it takes."""

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
            *(sparse_categorical_crossentropy, reduction, name, dtype),
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(LossFunctionWrapper):
    """Loss of `kl_divergence`."""

    def __init__(
        self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None
    ):
        super().__init__(kl_divergence, reduction, name, dtype)
