"""Cross-entropies that weigh easy samples down, and one that bounds wrong labels."""

import jax
import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.probabilistic import (
    _expect_classes,
    _smooth,
    binary_entropies,
    clip_probabilities,
    same_shape,
)
from minikeras.losses.regression import as_pair


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
    """mean((1 - q)^gamma H) over `axis`; q = probability given to the right label.

    H is the binary cross-entropy.

    Args:
        y_true: (..., n) labels in [0, 1].
        y_pred: (..., n) probabilities, or any real scores if `from_logits`.
        apply_class_balancing: weigh label 1 by alpha, label 0 by 1 - alpha?
        alpha: in [0, 1].
        gamma: >= 0; 0 is the plain cross-entropy.
        from_logits: is p = sigmoid(y_pred)?
        label_smoothing: in [0, 1]; moves labels towards 1/2 by this share.
        axis: axis of the mean.

    Returns:
        (...) losses.

    Raises:
        ValueError: `y_true` and `y_pred` have different shapes.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    same_shape("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    right = y_true * p + (1.0 - y_true) * (1.0 - p)
    losses = jnp.power(1.0 - right, gamma) * binary_entropies(y_true, p)
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
        y_pred: (..., classes) probabilities (they are normalized to sum to 1), or
            any real scores if `from_logits`.
        alpha: weight, a number or (classes,).
        gamma: >= 0; 0 is the plain cross-entropy.
        from_logits: is p = softmax(y_pred)?
        label_smoothing: in [0, 1]; moves labels towards 1/classes by this share.
        axis: axis of the classes.

    Returns:
        (...) losses.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    _expect_classes("categorical_focal_crossentropy", y_pred)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = clip_probabilities(p / jnp.sum(p, axis=axis, keepdims=True))
    weight = convert_to_tensor(alpha, p.dtype) * jnp.power(1.0 - p, gamma)
    return jnp.sum(weight * (-y_true * jnp.log(p)), axis=axis)


@loss_function
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p[y_true]^q) / q: the cross-entropy at q -> 0, the absolute error at 1.

    Args:
        y_true: (...) integer labels in [0, classes).
        y_pred: (..., classes) probabilities.
        q: in (0, 1].

    Returns:
        (...) losses in [0, 1/q].

    Source: Zhang and Sabuncu, Generalized Cross Entropy Loss, 2018.
    """
    y_pred = convert_to_tensor(y_pred)
    labels = convert_to_tensor(y_true).astype("int32")
    one_hot = jax.nn.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    right = jnp.sum(one_hot * y_pred, axis=-1)
    return (1.0 - jnp.power(right, q)) / q


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Loss of `binary_focal_crossentropy`, whose arguments it takes."""

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
            *(binary_focal_crossentropy, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Loss of `categorical_focal_crossentropy`, whose arguments it takes."""

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
            *(categorical_focal_crossentropy, reduction, name, dtype),
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Loss of `categorical_generalized_cross_entropy`.

    Raises:
        ValueError: q is not in (0, 1).
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
            *(categorical_generalized_cross_entropy, reduction, name, dtype), q=q
        )
