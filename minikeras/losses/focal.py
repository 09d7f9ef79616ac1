"""Cross-entropies that weigh easy samples down, and one that bounds wrong labels."""

import jax
import jax.numpy as jnp

from minikeras import ops
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.probabilistic import (
    check_same_shape,
    smooth_labels,
    warn_if_one_class,
)
from minikeras.losses.regression import to_arrays
from minikeras.settings import epsilon


@loss_function
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """mean((1 - q)^gamma H) over `axis`, q being the probability of the right label.

    H is the binary cross-entropy.

    Args:
        y_true: (..., n) labels in [0, 1].
        y_pred: (..., n) probabilities, or scores in (-∞, ∞) if `from_logits`.
        apply_class_balancing: bool, whether to multiply losses by alpha for label 1, by
            1 - alpha for label 0.
        alpha: in [0, 1]; weight of label 1.
        gamma: >= 0; 0 gives the cross-entropy.
        from_logits: bool, whether probabilities are sigmoid(y_pred).
        label_smoothing: s in [0, 1]; labels y become (1 - s) y + s / 2.
        axis: axis of the mean.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> keras.losses.binary_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [0.173286...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    check_same_shape("binary_focal_crossentropy", y_true, y_pred)
    y_true = smooth_labels(y_true, label_smoothing, 2)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    p_right = y_true * p + (1.0 - y_true) * (1.0 - p)
    losses = jnp.power(1.0 - p_right, gamma) * ops.binary_crossentropy(y_true, p)
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return jnp.mean(losses, axis=axis)


@loss_function
def categorical_focal_crossentropy(
    y_true,
    y_pred,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """sum(-alpha (1 - p)^gamma y log p) over `axis`.

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) probabilities, which are divided by their sum; or scores
            in (-∞, ∞) if `from_logits`.
        alpha: weight: a number, or (classes,) numbers.
        gamma: >= 0; 0 gives alpha times the cross-entropy.
        from_logits: bool, whether probabilities are softmax(y_pred).
        label_smoothing: s in [0, 1]; labels y become (1 - s) y + s / classes.
        axis: axis of the classes.

    Returns:
        (...) losses.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [0.043321...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    warn_if_one_class("categorical_focal_crossentropy", y_pred)
    y_true = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = p / jnp.sum(p, axis=axis, keepdims=True)
    p = jnp.clip(p, epsilon(), 1.0 - epsilon())  # log(0) would give NaN for y = 0
    weight = convert_to_tensor(alpha, p.dtype) * jnp.power(1.0 - p, gamma)
    return jnp.sum(weight * (-y_true * jnp.log(p)), axis=axis)


@loss_function
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p[y_true]^q) / q: the cross-entropy at q -> 0, the absolute error at q = 1.

    Args:
        y_true: (...) integer labels in [0, classes).
        y_pred: (..., classes) probabilities.
        q: in (0, 1].

    Returns:
        (...) losses in [0, 1/q].

    Source: Zhang and Sabuncu, Generalized Cross Entropy Loss, 2018.

    >>> loss = keras.losses.categorical_generalized_cross_entropy
    >>> loss([1], [[0.75, 0.25]], q=0.5).tolist()
    [1.0]
    """
    y_pred = convert_to_tensor(y_pred)
    labels = convert_to_tensor(y_true).astype("int32")
    one_hot = jax.nn.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    p_right = jnp.sum(one_hot * y_pred, axis=-1)
    return (1.0 - jnp.power(p_right, q)) / q


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """mean((1 - q)^gamma H), q being the probability of the right label.

    H is the binary cross-entropy. Targets in [0, 1] and predictions: (batch, ..., n).

    Args:
        apply_class_balancing: bool, whether to multiply losses by alpha for label 1, by
            1 - alpha for label 0.
        alpha: in [0, 1]; weight of label 1.
        gamma: >= 0; 0 gives the cross-entropy.
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

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> float(keras.losses.BinaryFocalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]]))
    0.173286...
    """

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """sum(-alpha (1 - p)^gamma y log p) over the classes.

    Targets y, one-hot, and predictions: (batch, ..., classes). Probabilities are
    divided by their sum first.

    Args:
        alpha: weight: a number, or one for each class.
        gamma: >= 0; 0 gives alpha times the cross-entropy.
        from_logits: bool, whether predictions are scores in (-∞, ∞), not probabilities;
            their softmax gives probabilities.
        label_smoothing: in [0, 1]; labels y become (1 - s) y + s / classes.
        axis: axis of the classes.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> float(keras.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.043321...
    """

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """(1 - p[y]^q) / q: the cross-entropy at q -> 0, the absolute error at q = 1.

    It is bounded, so wrong labels have less influence. Targets y: (batch, ...) integers
    in [0, classes); predictions: (batch, ..., classes) probabilities.

    Args:
        q: in (0, 1).
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: q is not in (0, 1).

    Source: Zhang and Sabuncu, Generalized Cross Entropy Loss, 2018.

    >>> float(keras.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    def __init__(
        self,
        q=0.5,
        reduction="sum_over_batch_size",
        name="categorical_generalized_cross_entropy",
        dtype=None,
    ):
        if not 0 < q < 1:
            raise ValueError(
                f"CategoricalGeneralizedCrossEntropy: q must lie in (0, 1), got {q}."
            )
        super().__init__(
            categorical_generalized_cross_entropy, reduction, name, dtype, q=q
        )
