"""Merge: base of the layers that combine inputs entry by entry."""

import functools

import jax.numpy as jnp

from minikeras import ops
from minikeras.core.bridge import get_mask
from minikeras.layers.layer import Layer


def is_shape_list(shapes) -> bool:
    """Is it a list of shapes, not one shape?"""
    return bool(shapes) and all(isinstance(s, (tuple, list)) for s in shapes)


def aligned(x, ndim):
    """Give each sample of `x` leading axes of size 1: (batch, 1, ..., 1, *rest)."""
    if x.ndim == ndim:
        return x
    return ops.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))


def merge(function, inputs, masks, neutral, unseen):
    """Reduce arrays with `function`; masked entries do not take part.

    Args:
        function: f(x, y) -> array.
        inputs: arrays that broadcast sample by sample.
        masks: for each, None or a bool array without the last axes.
        neutral: f(dtype) -> what masked entries count as; None takes them as they
            are.
        unseen: f(first input) -> the result where every input is masked.

    Returns:
        The reduction.
    """
    ndim = max(x.ndim for x in inputs)
    seen = []
    values = []
    for x, mask in zip(inputs, masks, strict=True):
        # As in Keras, an input that is given further axes leaves its mask behind.
        if neutral is not None and mask is not None and x.ndim == ndim:
            mask = jnp.asarray(mask).astype(bool)
            mask = mask.reshape((*mask.shape, *(1,) * (x.ndim - mask.ndim)))
            x = jnp.where(mask, x, jnp.asarray(neutral(x.dtype), x.dtype))
            seen.append(mask)
        values.append(aligned(x, ndim))
    out = functools.reduce(function, values)
    if len(seen) < len(inputs):  # an input without a mask is seen everywhere
        return out
    return jnp.where(functools.reduce(jnp.logical_or, seen), out, unseen(inputs[0]))


def check_mask_list(inputs, mask):
    """ValueError unless both are lists of one length."""
    if not isinstance(mask, (list, tuple)):
        raise ValueError(f"`mask` should be a list. It is one {type(mask).__name__}.")
    if not isinstance(inputs, (list, tuple)):
        raise ValueError(
            f"`inputs` should be a list. It is one {type(inputs).__name__}."
        )
    if len(mask) != len(inputs):
        raise ValueError(
            f"{len(inputs)} inputs and {len(mask)} masks should have the same length."
        )


class Merge(Layer):
    """Combine a list of inputs, entry by entry.

    Inputs broadcast sample by sample: (batch, n) with (batch, m, n) is
    (batch, 1, n) with (batch, m, n). Subclasses give `merge_function`.
    """

    count: int | None = None  # how many inputs there must be

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Check that the shapes go together."""
        if not is_shape_list(input_shape):
            raise ValueError(
                f"{type(self).__name__} combines a list of arrays, got one array of "
                f"shape {input_shape}. Call it on [x, y, ...]."
            )
        if self.count and len(input_shape) != self.count:
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on exactly "
                f"{self.count} inputs, got those of shapes {input_shape}."
            )
        if len({shape[0] for shape in input_shape} - {None}) > 1:
            raise ValueError(
                f"{type(self).__name__}: the batch sizes (first axis) of the shapes "
                f"{input_shape} differ."
            )
        ndim = max(map(len, input_shape))
        for axis in range(1, ndim):
            sizes = {s[axis - ndim] for s in input_shape if len(s) > ndim - axis}
            if len(sizes - {None, 1}) > 1:
                raise ValueError(
                    f"{type(self).__name__}: samples of the shapes {input_shape} do "
                    "not broadcast to one shape."
                )

    neutral = None  # f(dtype) -> what masked entries count as, if they are left out

    @staticmethod
    def unseen(first):
        """The output where all inputs are masked, from the first of them"""
        return first

    @staticmethod
    def merge_function(x, y, /):
        """Two arrays of equal rank -> one."""
        raise NotImplementedError

    def call(self, inputs):
        """The inputs, reduced with `merge_function`"""
        masks = [get_mask(x) for x in inputs]
        return merge(self.merge_function, inputs, masks, self.neutral, self.unseen)

    def compute_mask(self, inputs, mask=None):
        """True where any input counts; None if one of them has no mask."""
        if mask is None:
            return None
        check_mask_list(inputs, mask)
        if any(m is None for m in mask):
            return None
        ndim = max(len(m.shape) for m in mask)
        return functools.reduce(ops.logical_or, [_aligned_mask(m, ndim) for m in mask])


def _aligned_mask(mask, ndim):
    for _ in range(ndim - len(mask.shape)):
        mask = ops.expand_dims(mask, 1)
    return mask
