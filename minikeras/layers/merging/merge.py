"""Merge: base of the layers that combine inputs entry by entry."""

import functools

import jax.numpy as jnp

from minikeras import ops
from minikeras.core.bridge import get_mask
from minikeras.layers.layer import Layer


def is_shape_list(shapes) -> bool:
    """Is it a list of shapes, not one shape?"""
    return bool(shapes) and all(isinstance(s, (tuple, list)) for s in shapes)


def expand_to_rank(x, ndim):
    """Insert axes of size 1 after the batch axis: (batch, 1, ..., 1, *rest)."""
    if x.ndim == ndim:
        return x
    return ops.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:]))


def merge(function, inputs, masks, neutral, all_masked):
    """Reduce arrays with `function`; masked entries do not take part.

    Args:
        function: f(x, y) -> array.
        inputs: arrays whose samples broadcast.
        masks: for each input a bool array without the last axes, or None.
        neutral: f(dtype) -> value that replaces masked entries; None keeps them.
        all_masked: f(first input) -> the result where all inputs are masked.
    """
    ndim = max(x.ndim for x in inputs)
    used_masks = []
    values = []
    for x, mask in zip(inputs, masks, strict=True):
        # As in Keras, the mask of an input that gets further axes is ignored.
        if neutral is not None and mask is not None and x.ndim == ndim:
            mask = jnp.asarray(mask).astype(bool)
            mask = mask.reshape((*mask.shape, *(1,) * (x.ndim - mask.ndim)))
            x = jnp.where(mask, x, jnp.asarray(neutral(x.dtype), x.dtype))
            used_masks.append(mask)
        values.append(expand_to_rank(x, ndim))
    out = functools.reduce(function, values)
    if len(used_masks) < len(inputs):  # an input without a mask counts everywhere
        return out
    any_unmasked = functools.reduce(jnp.logical_or, used_masks)
    return jnp.where(any_unmasked, out, all_masked(inputs[0]))


def check_mask_list(inputs, mask):
    """Raise ValueError unless both are lists of the same length."""
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

    Samples broadcast: (batch, n) and (batch, m, n) combine as (batch, 1, n) and
    (batch, m, n). Subclasses define `_mk_merge_function`.
    """

    _mk_input_count: int | None = None  # how many inputs there must be

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Check that the samples broadcast.

        Args:
            input_shape: list of the shapes of the inputs.
        """
        if not is_shape_list(input_shape):
            raise ValueError(
                f"{type(self).__name__} combines a list of arrays, got one array of "
                f"shape {input_shape}. Call it on [x, y, ...]."
            )
        if self._mk_input_count and len(input_shape) != self._mk_input_count:
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on exactly "
                f"{self._mk_input_count} inputs, got those of shapes {input_shape}."
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

    # f(dtype) -> value that does not change the result, put at masked entries; None if
    # masked entries take part as they are.
    _mk_neutral = None

    @staticmethod
    def _mk_all_masked(first):
        """The output where all inputs are masked; by default the first input."""
        return first

    @staticmethod
    def _mk_merge_function(x, y, /):
        """Combine two arrays of equal rank."""
        raise NotImplementedError

    def call(self, inputs):
        """Combine the inputs.

        Args:
            inputs: list of arrays (batch, ...) whose samples broadcast.
        """
        masks = [get_mask(x) for x in inputs]
        return merge(
            self._mk_merge_function,
            inputs,
            masks,
            self._mk_neutral,
            self._mk_all_masked,
        )

    def compute_mask(self, inputs, mask=None):
        """Return the logical or of the masks; None if an input has no mask.

        Args:
            inputs: list of arrays.
            mask: list of their masks, or None.
        """
        if mask is None:
            return None
        check_mask_list(inputs, mask)
        if any(m is None for m in mask):
            return None
        ndim = max(len(m.shape) for m in mask)
        return functools.reduce(ops.logical_or, [_expand_mask(m, ndim) for m in mask])


def _expand_mask(mask, ndim):
    """Insert axes of size 1 after the batch axis."""
    for _ in range(ndim - len(mask.shape)):
        mask = ops.expand_dims(mask, 1)
    return mask
