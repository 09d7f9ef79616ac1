"""The greatest entries, and whether a target is among them."""

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import MATH

__all__ = [
    "in_top_k", "top_k",
]  # fmt: skip


@op(tensors=("x",), module=MATH)
def top_k(x, k, sorted=True):
    """The k greatest entries along the last axis, in descending order.

    Args:
        x: (…, n) array.
        k: int in 1..n.
        sorted: has no effect, the result is always sorted.

    Returns:
        (…, k) values and (…, k) int32 indices.

    >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
    >>> values.tolist(), indices.tolist()
    ([5.0, 3.0], [1, 2])
    """
    del sorted  # JAX always sorts
    return jax.lax.top_k(as_array(x), k)


@op(tensors=("targets", "predictions"), module=MATH)
def in_top_k(targets, predictions, k):
    """True where fewer than k classes are more probable than the target class.

    Args:
        targets: (batch,) class indices; one that is out of range is least probable.
        predictions: (batch, classes) scores.
        k: int >= 1.

    Returns:
        (batch,) bools.

    >>> in_top_k([0, 1], [[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]], k=2).tolist()
    [False, True]
    """
    targets, predictions = as_array(targets).astype("int32"), as_array(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    # A target out of range reads NaN: it counts as least probable, not as unknown.
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    # Ties count for the target, as in Keras: only greater predictions lower its rank.
    rank = 1 + jnp.sum((predictions > own).astype("int32"), axis=-1)
    return rank <= k
