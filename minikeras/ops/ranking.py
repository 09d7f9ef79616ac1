"""The greatest entries, and whether a target is among them."""

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import MATH, as_array

__all__ = [
    "in_top_k",
    "top_k",
]


@op(tensors=("x",), module=MATH)
def top_k(x, k, sorted=True):
    """The k greatest entries of the last axis and their indices -> [values, indices].

    >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
    >>> values.tolist(), indices.tolist()
    ([5.0, 3.0], [1, 2])
    """
    del sorted  # they are
    return jax.lax.top_k(as_array(x), k)


@op(tensors=("targets", "predictions"), module=MATH)
def in_top_k(targets, predictions, k):
    """Is the target class among the k most probable ones?

    Args:
        targets: (batch,) class indices.
        predictions: (batch, classes).
        k: int.

    Returns:
        (batch,) bools. Ties with the target count for it; a target that is out of
        range counts as least probable.
    """
    targets, predictions = as_array(targets).astype("int32"), as_array(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    rank = 1 + jnp.sum((predictions > own).astype("int32"), axis=-1)
    return rank <= k
