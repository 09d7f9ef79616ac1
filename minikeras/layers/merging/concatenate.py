"""Concatenate: one input behind the other."""

from minikeras import ops
from minikeras.layers.layer import Layer
from minikeras.layers.merging.merge import check_mask_list, is_shape_list


class Concatenate(Layer):
    """Join a list of inputs along an axis.

    Args:
        axis: int, along which sizes may differ.

    Raises:
        ValueError: no list of inputs, or other sizes differ.

    >>> Concatenate()([ops.ones((2, 3)), ops.ones((2, 1))]).shape
    (2, 4)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape):
        """Check that all sizes but those of `axis` agree."""
        if not is_shape_list(input_shape):
            raise ValueError(
                "Concatenate joins a list of arrays, got one array of shape "
                f"{input_shape}. Call it on [x, y, ...]."
            )
        first = input_shape[0]
        axis = self.axis % len(first) if first else 0
        others = [[n for i, n in enumerate(s) if i != axis] for s in input_shape]
        agree = all(
            len(sizes) == len(others[0]) and len(set(column) - {None}) <= 1
            for sizes in others
            for column in zip(*others, strict=False)
        )
        if not agree or len({len(s) for s in input_shape}) > 1:
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except "
                f"for the concatenation axis: axis={self.axis}, shapes {input_shape}."
            )

    def call(self, inputs):
        """concatenate(inputs)"""
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        """The masks, joined likewise; an input without one counts everywhere."""
        if mask is None:
            return None
        check_mask_list(inputs, mask)
        if all(m is None for m in mask):
            return None
        whole = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None or len(m.shape) < len(x.shape):
                ones = ops.ones_like(x, dtype="bool")
                m = ones if m is None else ops.logical_and(ones, ops.expand_dims(m, -1))
            whole.append(m)
        return ops.any(ops.concatenate(whole, axis=self.axis), axis=-1)
