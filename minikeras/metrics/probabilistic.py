"""Losses of classifiers as metrics: means over everything seen."""

from minikeras.losses.hinge import categorical_hinge, hinge, squared_hinge
from minikeras.losses.probabilistic import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from minikeras.metrics.reduction import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean of -(y log p + (1 - y) log(1 - p)).

    Targets y in [0, 1] and predictions: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities.
        label_smoothing: in [0, 1]; labels y become (1 - s) y + s / 2.

    >>> float(keras.metrics.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]]))
    0.693147...
    """

    _mk_direction = "down"

    def __init__(
        self,
        name="binary_crossentropy",
        dtype=None,
        from_logits=False,
        label_smoothing=0,
    ):
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean of -sum(y log p) over the classes.

    Targets y, one-hot or probabilities, and predictions: (batch, ..., classes).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities.
        label_smoothing: in [0, 1]; labels y become (1 - s) y + s / classes.
        axis: axis of the classes.

    >>> float(keras.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.693147...
    """

    _mk_direction = "down"

    def __init__(
        self,
        name="categorical_crossentropy",
        dtype=None,
        from_logits=False,
        label_smoothing=0,
        axis=-1,
    ):
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean of -log p[y].

    Targets y: (batch, ...) or (batch, ..., 1) integers; predictions: (batch, ...,
    classes).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities.
        ignore_class: targets with this label have the value 0; None: none.
        axis: axis of the classes in the predictions.

    >>> float(keras.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.693147...
    """

    _mk_direction = "down"

    def __init__(
        self,
        name="sparse_categorical_crossentropy",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        axis=-1,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(MeanMetricWrapper):
    """Mean of sum(y log(y / p)).

    Targets y and predictions p: (batch, ..., n) probabilities.

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]))
    0.143841...
    """

    _mk_direction = "down"

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of y_pred - y_true log(y_pred).

    Targets are counts >= 0, predictions rates > 0: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.Poisson()([[1.0, 0.0]], [[2.0, 4.0]]))
    2.653426...
    """

    _mk_direction = "down"

    def __init__(self, name="poisson", dtype=None):
        super().__init__(poisson, name, dtype)


class Hinge(MeanMetricWrapper):
    """Mean of max(1 - y_true y_pred, 0).

    Targets are -1 or 1; 0 or 1 are converted to them. Both: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.Hinge()([[1.0, 0.0]], [[0.5, 0.5]]))
    1.0
    """

    _mk_direction = "down"

    def __init__(self, name="hinge", dtype=None):
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of max(1 - y_true y_pred, 0)².

    Targets are -1 or 1; 0 or 1 are converted to them. Both: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.SquaredHinge()([[1.0, 0.0]], [[0.5, 0.5]]))
    1.25
    """

    _mk_direction = "down"

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of max(0, 1 + highest score of wrong classes - score of the right one).

    Targets, one-hot, and predictions: (batch, ..., classes).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    _mk_direction = "down"

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, name, dtype)
