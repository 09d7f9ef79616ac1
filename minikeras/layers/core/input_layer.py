"""Input and InputLayer: where a graph begins."""

import warnings

from minikeras.core import dtypes
from minikeras.core.dtype_policy import DTypePolicy
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Node
from minikeras.layers.layer import Layer
from minikeras.settings import floatx


def input_batch_shape(shape, batch_size, batch_shape):
    """The full shape from `shape` and `batch_size`, or from `batch_shape`."""
    if shape is not None and batch_shape is not None:
        raise ValueError("You cannot pass both `shape` and `batch_shape`.")
    if batch_size is not None and batch_shape is not None:
        raise ValueError("You cannot pass both `batch_size` and `batch_shape`.")
    if batch_shape is not None:
        return dtypes.standardize_shape(batch_shape)
    if shape is None:
        raise ValueError("You must pass a `shape` argument.")
    return batch_size, *dtypes.standardize_shape(shape)


def check_agreement(tensor, **given):
    """ValueError if an argument contradicts the KerasTensor given beside it."""
    for name, (value, actual) in given.items():
        if value is not None and value != actual:
            raise ValueError(
                f"With `input_tensor`, you cannot provide an incompatible `{name}`: "
                f"got {value!r}, but the tensor is {tensor!r}."
            )


def _legacy_shape(shape, batch_shape, kwargs):
    """Keras 2's names of `shape` and `batch_shape`."""
    if "input_shape" in kwargs:
        warnings.warn(
            "Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=3
        )
        shape = kwargs.pop("input_shape")
    return shape, kwargs.pop("batch_input_shape", batch_shape)


class InputLayer(Layer):
    """The layer behind `Input`: it promises an array, and computes nothing.

    Args:
        shape: tuple of ints or None, without the batch axis.
        batch_size: size of the batch axis, None for any.
        dtype: dtype of the array, `floatx()` by default.
        sparse: is it a sparse (`BCOO`) array?
        ragged: ragged arrays do not exist on JAX: must be falsy.
        batch_shape: shape with the batch axis, instead of the first two.
        input_tensor: KerasTensor to stand for the input.
        optional: may the input be None?
        name: unique by default.
    """

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        shape, batch_shape = _legacy_shape(shape, batch_shape, kwargs)
        if ragged:
            raise ValueError("`ragged=True` is not supported: JAX has dense arrays.")
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    "Argument `input_tensor` must be a KerasTensor, got "
                    f"{input_tensor!r}."
                )
            own = input_tensor.shape
            check_agreement(
                input_tensor,
                shape=(shape and tuple(shape), own[1:]),
                batch_shape=(batch_shape and tuple(batch_shape), own),
                batch_size=(batch_size, own[0] if own else None),
                dtype=(dtype, input_tensor.dtype),
                sparse=(sparse, input_tensor.sparse),
            )
            batch_shape, dtype = own, input_tensor.dtype
            sparse = input_tensor.sparse
        else:
            batch_shape = input_batch_shape(shape, batch_size, batch_shape)
        dtype = floatx() if dtype is None else dtypes.standardize_dtype(dtype)
        super().__init__(name=name, dtype=DTypePolicy(dtype), **kwargs)
        self.batch_shape = batch_shape
        self.sparse, self.ragged = bool(sparse), False
        self.optional = optional
        self.built = True
        if input_tensor is None:
            input_tensor = KerasTensor(
                batch_shape, dtype, sparse=self.sparse, name=name
            )
        Node(self, (), {}, input_tensor)

    def call(self):
        """Nothing: a model puts the array in place."""

    def get_config(self):
        """Shape, dtype and kind of the array."""
        names = ("batch_shape", "dtype", "sparse", "ragged", "name", "optional")
        return {name: getattr(self, name) for name in names}


def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    ragged=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
):
    """Begin a functional model: a KerasTensor that stands for the input.

    Args:
        shape: tuple of ints or None, without the batch axis.
        batch_size: size of the batch axis, None for any.
        dtype: dtype of the array, `floatx()` by default.
        sparse: is it a sparse (`BCOO`) array?
        ragged: must be falsy.
        batch_shape: shape with the batch axis, instead of the first two.
        name: name of the input layer.
        tensor: KerasTensor to stand for the input.
        optional: may the input be None?

    Returns:
        `KerasTensor` of shape (batch_size, *shape).

    >>> Input((28, 28)).shape
    (None, 28, 28)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
    )
    return layer.output
