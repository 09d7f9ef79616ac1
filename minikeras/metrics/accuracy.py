"""How often predictions equal labels."""

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.regression import to_arrays_of_same_rank
from minikeras.metrics.reduction import MeanMetricWrapper
from minikeras.settings import floatx


def accuracy(y_true, y_pred):
    """1 where y_true equals y_pred, 0 elsewhere: (n, ...), (n, ...) -> (n, ...)."""
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    return (y_true == y_pred).astype(floatx())


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where (y_pred > threshold) is the label, 0 elsewhere.

    Args:
        y_true: (n, ...) labels 0 or 1.
        y_pred: (n, ...) scores.
        threshold: scores above it count as 1.

    Returns:
        (n, ...) matches.

    >>> keras.metrics.binary_accuracy([1, 0, 1], [0.6, 0.4, 0.3]).tolist()
    [1.0, 1.0, 0.0]
    """
    y_pred = convert_to_tensor(y_pred)
    # Without the cast the threshold 0.5 would become 0, or True, of the scores' dtype.
    if not jnp.issubdtype(y_pred.dtype, jnp.floating):
        y_pred = y_pred.astype(floatx())
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    above = y_pred > convert_to_tensor(threshold, y_pred.dtype)
    return (y_true == above.astype(y_pred.dtype)).astype(floatx())


def categorical_accuracy(y_true, y_pred):
    """1 where the class with the largest score is the label, 0 elsewhere.

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) scores.

    Returns:
        (...) matches.

    Raises:
        ValueError: `y_true` has more axes than `y_pred`.

    >>> y_pred = [[0.3, 0.7], [0.4, 0.6]]
    >>> keras.metrics.categorical_accuracy([[0, 1], [1, 0]], y_pred).tolist()
    [1.0, 0.0]
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = _one_hot_to_labels(y_true, y_pred)
    return sparse_categorical_accuracy(y_true, y_pred)


def _one_hot_to_labels(one_hot, y_pred):
    """(..., classes) one-hot -> (...) labels; ValueError if `y_pred` has fewer axes."""
    one_hot, axes = convert_to_tensor(one_hot), jnp.ndim(y_pred)
    if 1 < one_hot.ndim > axes:
        raise ValueError(
            f"y_true has shape {one_hot.shape}, y_pred {jnp.shape(y_pred)}: scores of "
            "one-hot labels have a shape like theirs, (..., classes)."
        )
    return jnp.argmax(one_hot, axis=-1)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the class with the largest score is the label, 0 elsewhere.

    Args:
        y_true: (...) or (..., 1) integer labels.
        y_pred: (..., classes) scores.

    Returns:
        (...) matches.

    >>> y_pred = [[0.3, 0.7], [0.4, 0.6]]
    >>> keras.metrics.sparse_categorical_accuracy([1, 0], y_pred).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    column = y_true.ndim > 1 and y_true.shape[-1] == 1
    if column and y_pred.ndim in (1, y_true.ndim):
        y_true = jnp.squeeze(y_true, -1)
    best = jnp.argmax(y_pred, axis=-1)
    return (y_true == best.astype(y_true.dtype)).astype(floatx())


def in_top_k(labels, scores, k):
    """True where fewer than `k` scores are above the label's.

    A label outside [0, classes) gives False. Counting, instead of `lax.top_k`, lets
    all scores equal to the k-th count, as in Keras.

    Args:
        labels: (n,) integers.
        scores: (n, classes).
        k: >= 1.

    Returns:
        (n,) bools.
    """
    is_class = (labels >= 0) & (labels < scores.shape[-1])
    index = jnp.where(is_class, labels, 0)[:, None]
    above = scores > jnp.take_along_axis(scores, index, axis=-1)
    return is_class & (jnp.sum(above, axis=-1) < k)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the label is among the classes with the `k` largest scores, 0 elsewhere.

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) scores.
        k: >= 1; number of classes that count as a match.

    Returns:
        (...) matches.

    >>> y_pred = [[0.5, 0.2, 0.3]]
    >>> keras.metrics.top_k_categorical_accuracy([[0, 0, 1]], y_pred, k=2).tolist()
    [1.0]
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = _one_hot_to_labels(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the label is among the classes with the `k` largest scores, 0 elsewhere.

    Args:
        y_true: (...) or (..., 1) integer labels.
        y_pred: (..., classes) scores; if `from_sorted_ids`, (..., m) labels, the best
            first.
        k: >= 1; number of classes that count as a match.
        from_sorted_ids: bool, whether `y_pred` holds labels instead of scores.

    Returns:
        Matches in the shape of `y_true`.

    Raises:
        ValueError: `y_pred` has no axis of classes.

    >>> y_pred = [[0.5, 0.2, 0.3]]
    >>> keras.metrics.sparse_top_k_categorical_accuracy([2], y_pred, k=2).tolist()
    [1.0]
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
    """Share of the entries where y_true equals y_pred.

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [1, 2, 0, 0]))
    0.5
    """

    _mk_direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Share of the entries where (y_pred > threshold) is the label.

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        threshold: scores above it count as 1.

    >>> float(keras.metrics.BinaryAccuracy()([1, 0, 1, 0], [0.6, 0.4, 0.3, 0.1]))
    0.75
    """

    _mk_direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of the samples whose largest score is at the label; one-hot labels.

    Labels and scores: (batch, ..., classes).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> metric = keras.metrics.CategoricalAccuracy()
    >>> float(metric([[0, 1], [1, 0]], [[0.3, 0.7], [0.4, 0.6]]))
    0.5
    """

    _mk_direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of the samples whose largest score is at the label; integer labels.

    Labels: (batch, ...) or (batch, ..., 1); scores: (batch, ..., classes).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> metric = keras.metrics.SparseCategoricalAccuracy()
    >>> float(metric([1, 0], [[0.3, 0.7], [0.4, 0.6]]))
    0.5
    """

    _mk_direction = "up"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of the samples whose label has one of the k largest scores; one-hot labels.

    Labels and scores: (batch, ..., classes).

    Args:
        k: >= 1; number of classes that count as a match.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> metric = keras.metrics.TopKCategoricalAccuracy(k=2)
    >>> float(metric([[0, 0, 1]], [[0.5, 0.2, 0.3]]))
    1.0
    """

    _mk_direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of the samples whose label has one of the k largest scores; integer labels.

    Labels: (batch, ...) or (batch, ..., 1); scores: (batch, ..., classes).

    Args:
        k: >= 1; number of classes that count as a match.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        from_sorted_ids: bool, whether predictions are labels, the best first, instead
            of scores.

    >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.2, 0.3]]))
    1.0
    """

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
            sparse_top_k_categorical_accuracy,
            name,
            dtype,
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
