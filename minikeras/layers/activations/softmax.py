"""Softmax as a layer, with a mask."""

import jax
import jax.numpy as jnp

from minikeras.layers.layer import Layer


def masked_softmax(x, mask=None, axis=-1):
    """exp(x) / sum(exp(x)) over `axis`, among the entries where `mask` is True.

    Masked entries are 0, also if all entries are masked.
    """
    if mask is None:
        return jax.nn.softmax(x, axis=axis)
    mask = jnp.asarray(mask).astype(bool)
    # The lowest finite number: softmax of a row of -inf would be NaN.
    lowest = jnp.finfo(x.dtype).min
    return jax.nn.softmax(jnp.where(mask, x, lowest), axis=axis) * mask


def check_mask(mask, shape):
    """Raise ValueError unless `mask` broadcasts to `shape`."""
    if mask.ndim > len(shape):
        raise ValueError(
            "Softmax: the mask must not have more dimensions than the inputs: mask "
            f"{tuple(mask.shape)}, inputs {tuple(shape)}."
        )
    last = tuple(shape)[len(shape) - mask.ndim :]
    if any(m not in (1, n) for m, n in zip(mask.shape, last, strict=True)):
        raise ValueError(
            f"Softmax: the mask {tuple(mask.shape)} is not broadcastable to the "
            f"inputs {tuple(shape)}."
        )


class Softmax(Layer):
    """Turn inputs into probabilities: exp(x) / sum(exp(x)).

    Args:
        axis: int or ints, the axes over which the outputs sum to 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    >>> keras.layers.Softmax()(np.zeros((1, 2))).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs, mask=None):
        """Return the softmax of the unmasked entries.

        Args:
            inputs: array of any shape.
            mask: bools that broadcast to `inputs`; outputs are 0 where they are False.
                None for no mask.
        """
        if mask is not None:
            check_mask(mask, inputs.shape)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return masked_softmax(inputs, mask, axis)
