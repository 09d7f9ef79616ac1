"""F scores: weighted harmonic means of precision and recall."""

import functools

import jax
import jax.numpy as jnp

from minikeras.core.members import Alias, all_or_nothing
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import broadcast_weights
from minikeras.metrics.metric import Metric
from minikeras.settings import epsilon

_COUNTER_NAMES = ("true_positives", "false_positives", "false_negatives")


def predicted_positive(y_pred, threshold):
    """True for scores above the threshold; None: for the largest score of a row."""
    if threshold is not None:
        return y_pred > threshold
    largest = jnp.max(y_pred, axis=-1, keepdims=True)
    # As in Keras, a row of zeros has no positive.
    return (y_pred >= largest) & (jnp.abs(y_pred) > 1e-9)


def f_score(counts, beta):
    """(1 + beta²) P R / (beta² P + R), from {name of a count: array}."""
    hits = counts["true_positives"]
    precision = hits / (hits + counts["false_positives"] + epsilon())
    recall = hits / (hits + counts["false_negatives"] + epsilon())
    product = precision * recall
    weighted = beta**2 * precision + recall
    return product * (1.0 + beta**2) / (weighted + epsilon())


def _check_float(name, value, rule, holds):
    """Raise ValueError unless the value is a float for which `holds(value)`."""
    received = f"Received: {name}={value}"
    if not isinstance(value, float):
        raise ValueError(
            f"Invalid `{name}` argument value. It should be a Python float. "
            f"{received} of type '{type(value)}'"
        )
    if not holds(value):
        raise ValueError(
            f"Invalid `{name}` argument value. It should {rule}. {received}"
        )


def check_rank_2(metric, y_true_shape, y_pred_shape):
    """Raise ValueError unless both shapes are (n, columns) with known columns."""
    received = f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
    shape = f"{metric} expects 2D inputs with shape (batch_size, output_dim)"
    if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
        raise ValueError(f"{shape}. Received input shapes: {received}")
    if y_pred_shape[-1] != y_true_shape[-1]:
        raise ValueError(f"{shape}, one output_dim for both. Received: {received}")
    if y_pred_shape[-1] is None or y_true_shape[-1] is None:
        raise ValueError(
            f"{shape}, with output_dim fully defined (not None). Received input "
            f"shapes: {received}"
        )


# Compiled: an eager call would dispatch each of twenty small operations.
@functools.partial(jax.jit, static_argnames=("threshold", "axis"), inline=True)
def batch_counts(y_true, y_pred, weights, threshold, axis):
    """Counts of a batch of (n, classes): {name of a Variable: sum over `axis`}."""
    predicted = predicted_positive(y_pred, threshold).astype(y_true.dtype)
    values = {
        "true_positives": predicted * y_true,
        "false_positives": predicted * (1 - y_true),
        "false_negatives": (1 - predicted) * y_true,
        "intermediate_weights": y_true,
    }
    weights = 1 if weights is None else weights
    return {name: jnp.sum(x * weights, axis=axis) for name, x in values.items()}


def row_weights(sample_weight, y):
    """Broadcast (n,) weights, or others, to the shape (n, columns) of `y`."""
    weights = convert_to_tensor(sample_weight, y.dtype)
    return broadcast_weights(weights[:, None] if weights.ndim == 1 else weights, y)


class FBetaScore(Metric):
    """(1 + beta²) precision recall / (beta² precision + recall) of each class.

    Labels, one-hot or multi-hot, and scores: (batch, classes).

    Args:
        average: None (one score for each class), "micro" (counts of all classes
            together), "macro" (mean of the classes) or "weighted" (mean weighted by the
            positives of the classes).
        beta: > 0; recall counts beta times as much as precision.
        threshold: in (0, 1]; scores above it are positive. None: the
            largest score of a row is.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: unknown average; `beta` or `threshold` is no float, or out of range.

    >>> scores = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> keras.metrics.FBetaScore(beta=2.0)([[1, 0], [0, 1], [0, 1]], scores).tolist()
    [0.833333..., 0.555555...]
    """

    _build = Alias("_mk_build")

    _mk_direction = "up"

    def __init__(
        self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None
    ):
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', "
                f"'macro', 'weighted'}}. Received: average={average}"
            )
        _check_float("beta", beta, "be > 0", lambda x: x > 0)
        if threshold is not None:
            rule = "verify 0 < threshold <= 1"
            _check_float("threshold", threshold, rule, lambda x: 0 < x <= 1)
        self.average, self.beta, self.threshold = average, beta, threshold
        self.axis = None if average == "micro" else 0
        self._mk_built = False

    @all_or_nothing
    def _mk_build(self, y_true_shape, y_pred_shape):
        check_rank_2(type(self).__name__, y_true_shape, y_pred_shape)
        shape = () if self.axis is None else (y_pred_shape[-1],)
        for name in (*_COUNTER_NAMES, "intermediate_weights"):
            variable = self.add_variable(shape, "zeros", self.dtype, name=name)
            setattr(self, name, variable)
        self._mk_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, classes) labels 0 or 1.
            y_pred: (batch, classes) scores.
            sample_weight: (batch,) or (batch, classes) weights; None: all 1.

        Raises:
            ValueError: labels or scores have another rank, or other classes.
        """
        y_true = convert_to_tensor(y_true, self.dtype)
        y_pred = convert_to_tensor(y_pred, self.dtype)
        if not self._mk_built:
            self._mk_build(y_true.shape, y_pred.shape)
        weights = None
        if sample_weight is not None:
            weights = row_weights(sample_weight, y_pred)
        counts = batch_counts(y_true, y_pred, weights, self.threshold, self.axis)
        for name, value in counts.items():
            getattr(self, name).assign_add(value)

    def result(self):
        """Return the score: (classes,) if `average` is None, else ()."""
        score = f_score({n: getattr(self, n).value for n in _COUNTER_NAMES}, self.beta)
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return jnp.sum(score * weights / (jnp.sum(weights) + epsilon()))
        return jnp.mean(score) if self.average is not None else score

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall) of each class.

    Labels, one-hot or multi-hot, and scores: (batch, classes).

    Args:
        average: None (one score for each class), "micro" (counts of all classes
            together), "macro" (mean of the classes) or "weighted" (mean weighted by the
            positives of the classes).
        threshold: in (0, 1]; scores above it are positive. None: the
            largest score of a row is.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: unknown average; `threshold` is no float, or out of range.

    >>> scores = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> float(keras.metrics.F1Score("micro")([[1, 0], [0, 1], [0, 1]], scores))
    0.666666...
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["beta"]
        return config
