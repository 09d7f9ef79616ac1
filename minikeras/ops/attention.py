"""Scaled dot-product attention."""

import jax
import jax.numpy as jnp

from minikeras.ops.activation import nn_op
from minikeras.ops.convert import as_array
from minikeras.ops.reshaping import promote


@nn_op(tensors=("query", "key", "value", "bias", "mask", "scale"))
def dot_product_attention(
    query,
    key,
    value,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention=None,
    attn_logits_soft_cap=None,
):
    """softmax(scale · query keyᵀ + bias) value, for each head.

    Args:
        query: (batch, targets, heads, d).
        key, value: (batch, sources, heads or a divisor of it, d).
        bias: added to the scores, broadcasts to (batch, heads, targets, sources).
        mask: bools that broadcast likewise; False hides a source from a target.
        scale: d^-½ by default.
        is_causal: hide sources that come after the target.
        flash_attention: True asks for cuDNN's fused kernel (GPU, half floats).
        attn_logits_soft_cap: must be None.

    Returns:
        (batch, targets, heads, d).
    """
    if attn_logits_soft_cap is not None:
        raise ValueError("dot_product_attention: attn_logits_soft_cap is for TPUs.")
    query, key, value = promote(query, key, value)
    if query.ndim != 4:
        raise ValueError(
            "dot_product_attention: query, key and value must have the shape (batch, "
            f"length, heads, d), got query.shape={query.shape}."
        )
    return jax.nn.dot_product_attention(
        query,
        key,
        value,
        bias=None if bias is None else as_array(bias),
        mask=None if mask is None else as_array(mask).astype(jnp.bool_),
        scale=scale,
        is_causal=is_causal,
        implementation="cudnn" if flash_attention else "xla",
    )
