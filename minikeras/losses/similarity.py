"""Losses that compare directions."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import set_mask
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import to_arrays_of_same_rank

# (1e-7)²: Keras limits 1 / |x| to 1 / 1e-7.
_MIN_SQUARED_NORM = 1e-14


def l2_normalize(x, axis=-1):
    """x / |x| along `axis`; a zero vector gives zeros."""
    squared = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squared, _MIN_SQUARED_NORM))


@loss_function
def cosine_similarity(y_true, y_pred, axis=-1):
    """-cos(angle between y_true and y_pred): -1 for the same direction.

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.
        axis: axis of the vectors.

    Returns:
        (...) losses in [-1, 1]; 0 for a zero vector.

    >>> keras.losses.cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]]).tolist()
    [-1.0]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    y_true, y_pred = (l2_normalize(y, axis) for y in (y_true, y_pred))
    return -jnp.sum(y_true * y_pred, axis=axis)


class CosineSimilarity(LossFunctionWrapper):
    """-cos(angle between y_true and y_pred): -1 for the same direction.

    Targets and predictions: (batch, ..., n).

    Args:
        axis: axis of the vectors.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.CosineSimilarity()([[0.0, 2.0]], [[3.0, 0.0]]))
    -0.0
    """

    _mk_implicit = {"axis": -1}

    def __init__(
        self,
        axis=-1,
        reduction="sum_over_batch_size",
        name="cosine_similarity",
        dtype=None,
    ):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


@loss_function
def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal=True,
    gamma=80,
    margin=0.4,
):
    """log(1 + Σ exp(n) Σ exp(p)) for each sample.

    With the cosine s of two embeddings, n = gamma max(s + margin, 0) (s - margin) for
    a pair with different labels, p = -gamma max(1 + margin - s, 0) (s - 1 + margin)
    for a pair with the same label.

    Args:
        y_true: (n,) or (n, 1) integer labels.
        y_pred: (n, d) embeddings of length 1.
        ref_labels: (m,) labels to pair with; None: `y_true`.
        ref_embeddings: (m, d) embeddings to pair with; None: `y_pred`.
        remove_diagonal: bool, whether to leave out the pairs of a sample with itself.
        gamma: > 0; scale of the exponents.
        margin: in [0, 1]; how far cosines should lie from -1 and 1.

    Returns:
        (n,) losses; 0, and masked out of means, for a sample without a pair of both
        kinds.

    Source: Sun et al., Circle Loss, 2020.

    >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> keras.losses.circle([0, 0, 1], embeddings, gamma=2).tolist()
    [0.423496..., 0.423496..., 0.0]
    """
    y_pred = convert_to_tensor(y_pred, "float32")
    y_true = convert_to_tensor(y_true, "int32").reshape(-1)
    others = y_pred if ref_embeddings is None else ref_embeddings
    labels = y_true if ref_labels is None else ref_labels
    others = convert_to_tensor(others, "float32")
    labels = convert_to_tensor(labels, "int32").reshape(-1)
    distance = jnp.maximum(1.0 - y_pred @ others.T, 0.0)
    same_label = y_true[:, None] == labels[None, :]
    other_label = ~same_label
    if remove_diagonal:
        same_label &= ~jnp.eye(*same_label.shape, dtype=bool)
    positive = jnp.maximum(margin + distance, 0.0) * (margin - distance)
    negative = jnp.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    positive = jnp.where(same_label, -gamma * positive, -jnp.inf)
    negative = jnp.where(other_label, gamma * negative, -jnp.inf)
    # logsumexp: exponents reach gamma (4 - margin²), 307 by default, where exp
    # overflows float32 at 89.
    losses = jax.nn.softplus(
        jax.nn.logsumexp(positive, axis=1) + jax.nn.logsumexp(negative, axis=1)
    )
    # As in Keras: without a pair of both kinds the loss is log(1 + 0), and no sample.
    set_mask(losses, losses > 0)
    return losses


class Circle(LossFunctionWrapper):
    """log(1 + Σ exp(n) Σ exp(p)) for each sample, from its pairs with the batch.

    With the cosine s of two embeddings, n = gamma max(s + margin, 0) (s - margin) for a
    pair with different labels, p = -gamma max(1 + margin - s, 0) (s - 1 + margin) for a
    pair with the same label. Targets: (batch,) or (batch, 1) integer labels;
    predictions: (batch, d) embeddings of length 1.

    Args:
        gamma: > 0; scale of the exponents.
        margin: in [0, 1]; how far cosines should lie from -1 and 1.
        remove_diagonal: bool, whether to leave out the pairs of a sample with itself.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Source: Sun et al., Circle Loss, 2020.

    >>> embeddings = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]
    >>> round(float(keras.losses.Circle(gamma=2)([0, 0, 1], embeddings)), 3)
    2.453
    """

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(
            circle,
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
