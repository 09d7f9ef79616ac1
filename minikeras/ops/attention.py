"""Scaled dot-product attention."""

import functools

import jax
import jax.numpy as jnp

from minikeras import settings
from minikeras.core import dtypes, platform
from minikeras.core.keras_tensor import KerasTensor
from minikeras.ops.convert import as_array, promote
from minikeras.ops.keras_modules import nn_op

__all__ = [
    "dot_product_attention",
]  # fmt: skip


def _like_query(trace, query, key, value, *more, **settings):
    """The shape of the queries and the common dtype."""
    dtype = dtypes.result_type(query.dtype, key.dtype, value.dtype)
    return KerasTensor(query.shape, dtype)


# cuDNN's fused attention takes these dtypes and head sizes. It never writes the scores
# (targets x sources) to memory.
_FUSED_DTYPES, _MAX_FUSED_SIZE = ("float16", "bfloat16"), 128


def _may_fuse(query):
    """Is it worth trying cuDNN's fused kernel?"""
    return (
        settings.is_flash_attention_enabled() is not False
        and query.dtype.name in _FUSED_DTYPES
        and query.shape[-1] <= _MAX_FUSED_SIZE
        and query.shape[-1] % 8 == 0
        and platform.platform() == "gpu"
    )


@nn_op(
    tensors=("query", "key", "value", "bias", "mask", "scale"),
    spec=_like_query,
)
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
        query: (batch, targets, heads, d) array.
        key: (batch, sources, heads or a divisor of it, d) array.
        value: array of the shape of `key`.
        bias: array added to the scores; it broadcasts to (batch, heads, targets,
            sources).
        mask: bools that broadcast to (batch, heads, targets, sources); False hides a
            source from a target.
        scale: number; 1 / √d by default.
        is_causal: hide sources that come after the target.
        flash_attention: True for cuDNN's fused kernel (GPU, half floats), False for
            XLA's operations, None for the kernel where it runs and
            `keras.config.disable_flash_attention()` was not called.
        attn_logits_soft_cap: must be None; Keras has it for TPUs.

    Returns:
        (batch, targets, heads, d) array.

    Raises:
        ValueError: a rank other than 4, or `attn_logits_soft_cap` is given.

    >>> x = jnp.array([[[[1.0]], [[3.0]]]])
    >>> dot_product_attention(x, x, x, is_causal=True).shape
    (1, 2, 1, 1)
    """
    if attn_logits_soft_cap is not None:
        raise ValueError(
            "dot_product_attention: attn_logits_soft_cap is for TPUs and must be None, "
            f"got {attn_logits_soft_cap}."
        )
    query, key, value = promote(query, key, value)
    shapes = [tuple(x.shape) for x in (query, key, value)]
    if {len(shape) for shape in shapes} != {4}:
        raise ValueError(
            "dot_product_attention: query, key and value must have the shape (batch, "
            f"length, heads, d), got {shapes}."
        )
    attend = functools.partial(
        jax.nn.dot_product_attention,
        query,
        key,
        value,
        bias=None if bias is None else as_array(bias),
        mask=None if mask is None else as_array(mask).astype(jnp.bool_),
        scale=scale,
        is_causal=is_causal,
    )
    # None tries the kernel and falls back; True raises where the kernel does not run.
    if flash_attention is None and _may_fuse(query):
        try:
            return attend(implementation="cudnn")
        except (NotImplementedError, RuntimeError, ValueError):
            # Only cuDNN knows all of its limits: GPU, version, lengths, kinds of masks.
            pass
    return attend(implementation="cudnn" if flash_attention else "xla")
