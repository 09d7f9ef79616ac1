"""Concatenate: join inputs along an axis."""

from minikeras import ops
from minikeras.layers.layer import Layer
from minikeras.layers.merging.merge import check_mask_list, is_shape_list


class Concatenate(Layer):
    """Join a list of inputs along an axis.

    Call it on a list of arrays whose sizes agree along all other axes.

    Args:
        axis: int, the axis to join; negative values count from the end.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or differ along other axes.

    >>> keras.layers.Concatenate()([np.ones((2, 3)), np.ones((2, 1))]).shape
    (2, 4)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape):
        """Check that all sizes agree, except along `axis`.

        Args:
            input_shape: list of the shapes of the inputs.
        """
        if not is_shape_list(input_shape):
            raise ValueError(
                "Concatenate joins a list of arrays, got one array of shape "
                f"{input_shape}. Call it on [x, y, ...]."
            )
        first = input_shape[0]
        axis = self.axis % len(first) if first else 0
        others = [[n for i, n in enumerate(s) if i != axis] for s in input_shape]
        # A size of None fits any size.
        columns = zip(*others, strict=False)
        agree = all(len(set(sizes) - {None}) <= 1 for sizes in columns)
        if not agree or len({len(s) for s in input_shape}) > 1:
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except "
                f"for the concatenation axis: axis={self.axis}, shapes {input_shape}."
            )

    def call(self, inputs):
        """Return the joined inputs.

        Args:
            inputs: list of arrays.
        """
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        """Return the masks, joined like the inputs; None if no input has a mask.

        Args:
            inputs: list of arrays.
            mask: list of their masks; None for an input in which all entries count.
        """
        if mask is None:
            return None
        check_mask_list(inputs, mask)
        if all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None or len(m.shape) < len(x.shape):
                ones = ops.ones_like(x, dtype="bool")
                m = ones if m is None else ops.logical_and(ones, ops.expand_dims(m, -1))
            masks.append(m)
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)
