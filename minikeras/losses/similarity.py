"""Losses that compare directions."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import set_mask
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import as_aligned

_MIN_SQUARED_NORM = 1e-14


def l2_normalize(x, axis=-1):
    """x / |x| along `axis`; the zero vector stays zero."""
    squared = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squared, _MIN_SQUARED_NORM))


@loss_function
def cosine_similarity(y_true, y_pred, axis=-1):
    """-(y_true / |y_true|) . (y_pred / |y_pred|): -1 for one direction, 1 for opposite.

    Args:
        y_true, y_pred: (..., n).
        axis: axis of the vectors.

    Returns:
        (...) losses in [-1, 1].
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    y_true, y_pred = (l2_normalize(y, axis) for y in (y_true, y_pred))
    return -jnp.sum(y_true * y_pred, axis=axis)


class CosineSimilarity(LossFunctionWrapper):
    """Loss of `cosine_similarity`."""

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
    """log(1 + sum over unlike of e^n times sum over like of e^p), for each sample.

    With s the cosine between two embeddings, at most 1, p = -gamma
    max(1 + margin - s, 0) (s - 1 + margin) for a pair of one label, and
    n = gamma max(s + margin, 0) (s - margin) for a pair of two.

    Args:
        y_true: (n,) or (n, 1) integer labels.
        y_pred: (n, d) embeddings of length 1.
        ref_labels: (m,) labels to pair with; by default `y_true`.
        ref_embeddings: (m, d) embeddings to pair with; by default `y_pred`.
        remove_diagonal: pair no sample with itself?
        gamma: > 0; scale.
        margin: in [0, 1].

    Returns:
        (n,) losses; 0, and masked out of means, for a sample that has no like or no
        unlike one.

    Source: Sun et al., Circle Loss, 2020.
    """
    y_pred = convert_to_tensor(y_pred, "float32")
    y_true = convert_to_tensor(y_true, "int32").reshape(-1)
    others = y_pred if ref_embeddings is None else ref_embeddings
    labels = y_true if ref_labels is None else ref_labels
    others = convert_to_tensor(others, "float32")
    labels = convert_to_tensor(labels, "int32").reshape(-1)
    distance = jnp.maximum(1.0 - y_pred @ others.T, 0.0)
    like = y_true[:, None] == labels[None, :]
    unlike = ~like
    if remove_diagonal:
        like &= ~jnp.eye(*like.shape, dtype=bool)
    pull = jnp.maximum(margin + distance, 0.0) * (margin - distance)
    push = jnp.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    pull = jnp.where(like, -gamma * pull, -jnp.inf)
    push = jnp.where(unlike, gamma * push, -jnp.inf)
    losses = jax.nn.softplus(
        jax.nn.logsumexp(pull, axis=1) + jax.nn.logsumexp(push, axis=1)
    )
    set_mask(losses, losses > 0)
    return losses


class Circle(LossFunctionWrapper):
    """Loss of `circle` between the samples of a batch."""

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
            *(circle, reduction, name, dtype),
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
