"""Dot: inner products of the samples of two inputs."""

import jax

from minikeras import ops
from minikeras.core.checks import is_int
from minikeras.core.variable import is_sparse
from minikeras.layers.layer import Layer
from minikeras.layers.merging.merge import is_shape_list
from minikeras.layers.normalization.unit_normalization import unit_normalization
from minikeras.ops.sparse import by_jax


def with_batch_axis(x):
    """Give a sparse array a batch dimension, which `dot_general` needs."""
    if is_sparse(x) and x.n_batch == 0:
        return x.update_layout(n_batch=1, on_inefficient=None)
    return x


def batch_dot(x, y, axes):
    """Contract axis axes[0] of x with axis axes[1] of y, for each sample.

    Args:
        x, y: (batch, ...), at least of rank 2.
        axes: two ints >= 1; the batch axis is 0.

    Returns:
        (batch, rest of x, rest of y), or (batch, 1) if no other axis is left.
    """
    numbers = (((axes[0],), (axes[1],)), ((0,), (0,)))
    out = by_jax(jax.lax.dot_general)(with_batch_axis(x), with_batch_axis(y), numbers)
    return ops.expand_dims(out, 1) if out.ndim == 1 else out


class Dot(Layer):
    """Compute inner products of the samples of two inputs.

    output[b] = Σ x[b] y[b] over the axes `axes`

    Call it on [x, y], (batch, ...) each. The output is (batch, other axes of x, other
    axes of y), or (batch, 1).

    Args:
        axes: int, or a pair with one int for each input: the axes to contract. The
            batch axis is 0.
        normalize: bool, whether to divide by the lengths first, which gives cosines.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        TypeError: `axes` is neither an int nor a list or tuple.
        ValueError: `axes` is not a pair of ints; in a call: sizes that do not agree.

    >>> keras.layers.Dot(axes=1)([np.ones((2, 3)), np.ones((2, 3))]).tolist()
    [[3.0], [3.0]]
    """

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        if not is_int(axes):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(
                    "Dot: `axes` must be an int or two ints, one for each input, got "
                    f"{axes!r}."
                )
            if len(axes) != 2 or not all(map(is_int, axes)):
                raise ValueError(
                    f"Dot: `axes` must hold two ints, one for each input, got {axes!r}."
                )
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True

    def _mk_axes_for(self, *ndims):
        axes = (self.axes,) * 2 if is_int(self.axes) else self.axes
        return tuple(axis % n for axis, n in zip(axes, ndims, strict=True))

    def build(self, input_shape):
        """Check that the contracted sizes agree.

        Args:
            input_shape: list of the two shapes.
        """
        if not is_shape_list(input_shape) or len(input_shape) != 2:
            raise ValueError(
                f"Dot multiplies 2 inputs: call it on [x, y]. Got shapes {input_shape}."
            )
        axes = self._mk_axes_for(*map(len, input_shape))
        if 0 in axes:
            raise ValueError(
                f"Dot: axes={self.axes} would contract the batch axis of inputs of "
                f"shapes {input_shape}."
            )
        sizes = {shape[axis] for shape, axis in zip(input_shape, axes, strict=True)}
        if len(sizes - {None}) > 1:
            raise ValueError(
                f"Dot: incompatible input shapes {input_shape}: their sizes along "
                f"axes={axes} differ."
            )

    def call(self, inputs):
        """Return batch_dot(x, y, axes).

        Args:
            inputs: [x, y].
        """
        x, y = inputs
        axes = self._mk_axes_for(x.ndim, y.ndim)
        if self.normalize:
            x, y = unit_normalization(x, axes[0]), unit_normalization(y, axes[1])
        return batch_dot(x, y, axes)

    def compute_mask(self, inputs, mask=None):
        """Return None: the output has no mask.

        Args:
            inputs: [x, y].
            mask: list of their masks, not used.
        """
        return None
