"""How often predictions equal labels."""

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.regression import to_arrays_of_same_rank
from minikeras.metrics.reduction import MeanMetricWrapper
from minikeras.settings import floatx


def accuracy(y_true, y_pred):
    """1 where y_true equals y_pred, else 0: two (n, ...) -> (n, ...)."""
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    return (y_true == y_pred).astype(floatx())


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where (y_pred > threshold) is the label, else 0: two (n, ...) -> (n, ...).

    >>> binary_accuracy([1, 0, 1], [0.6, 0.4, 0.3]).tolist()
    [1.0, 1.0, 0.0]
    """
    y_pred = convert_to_tensor(y_pred)
    if not jnp.issubdtype(y_pred.dtype, jnp.floating):
        y_pred = y_pred.astype(floatx())
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    above = y_pred > convert_to_tensor(threshold, y_pred.dtype)
    return (y_true == above.astype(y_pred.dtype)).astype(floatx())


def categorical_accuracy(y_true, y_pred):
    """1 where the largest score is at the label, else 0.

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) scores.

    Returns:
        (...) matches.
    """
    y_true, y_pred = _labels_of(y_true, y_pred), convert_to_tensor(y_pred)
    return sparse_categorical_accuracy(y_true, y_pred)


def _labels_of(one_hot, y_pred):
    """(..., classes) one-hot -> (...) labels, if `y_pred` has scores for them."""
    one_hot, axes = convert_to_tensor(one_hot), jnp.ndim(y_pred)
    if 1 < one_hot.ndim > axes:
        raise ValueError(
            f"y_true has shape {one_hot.shape}, y_pred {jnp.shape(y_pred)}: scores of "
            "one-hot labels have a shape like theirs, (..., classes)."
        )
    return jnp.argmax(one_hot, axis=-1)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the largest score is at the label, else 0.

    Args:
        y_true: (...) or (..., 1) integer labels.
        y_pred: (..., classes) scores.

    Returns:
        (...) matches.

    >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.4, 0.6]]).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    column = y_true.ndim > 1 and y_true.shape[-1] == 1
    if column and y_pred.ndim in (1, y_true.ndim):
        y_true = jnp.squeeze(y_true, -1)
    best = jnp.argmax(y_pred, axis=-1)
    return (y_true == best.astype(y_true.dtype)).astype(floatx())


def in_top_k(labels, scores, k):
    """Are fewer than `k` scores above the label's? (n,), (n, classes) -> (n,).

    Ties count as in; a label outside [0, classes) never is.
    """
    inside = (labels >= 0) & (labels < scores.shape[-1])
    index = jnp.where(inside, labels, 0)[:, None]
    above = scores > jnp.take_along_axis(scores, index, axis=-1)
    return inside & (jnp.sum(above, axis=-1) < k)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the label is among the `k` largest scores, else 0.

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) scores.
        k: >= 1.

    Returns:
        (...) matches.
    """
    y_true, y_pred = _labels_of(y_true, y_pred), convert_to_tensor(y_pred)
    return sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the label is among the `k` largest scores, else 0.

    Args:
        y_true: (...) or (..., 1) integer labels.
        y_pred: (..., classes) scores; or, if `from_sorted_ids`, (..., m) labels with
            the best first.
        k: >= 1.
        from_sorted_ids: does `y_pred` hold labels?

    Returns:
        matches, with the shape of `y_true`.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    if y_true.ndim and y_pred.ndim < 2:
        raise ValueError(
            f"y_pred has shape {y_pred.shape}; the best k are sought in (..., classes)."
        )
    rows = y_pred.reshape(-1, y_pred.shape[-1])
    labels = y_true.reshape(-1).astype("int32")
    if from_sorted_ids:
        matches = jnp.any(labels[:, None] == rows[:, :k], axis=-1)
    else:
        matches = in_top_k(labels, rows, k)
    return matches.astype(floatx()).reshape(y_true.shape)


class Accuracy(MeanMetricWrapper):
    """Mean of `accuracy`."""

    _mk_direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Mean of `binary_accuracy`."""

    _mk_direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """Mean of `categorical_accuracy`."""

    _mk_direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Mean of `sparse_categorical_accuracy`."""

    _mk_direction = "up"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Mean of `top_k_categorical_accuracy`."""

    _mk_direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Mean of `sparse_top_k_categorical_accuracy`."""

    _mk_direction = "up"
    _mk_implicit = {"from_sorted_ids": False}

    def __init__(
        self,
        k=5,
        name="sparse_top_k_categorical_accuracy",
        dtype=None,
        from_sorted_ids=False,
    ):
        super().__init__(
            *(sparse_top_k_categorical_accuracy, name, dtype),
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
