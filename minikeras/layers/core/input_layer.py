"""Input and InputLayer: where a graph of layers starts."""

import warnings

from minikeras.core import dtypes
from minikeras.core.dtype_policy import DTypePolicy
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Node
from minikeras.layers.layer import Layer
from minikeras.settings import floatx


def input_batch_shape(shape, batch_size, batch_shape):
    """The shape with the batch axis, from `shape` and `batch_size` or `batch_shape`."""
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
    """Raise ValueError if an argument contradicts the given KerasTensor."""
    for name, (value, actual) in given.items():
        if value is not None and value != actual:
            raise ValueError(
                f"With `input_tensor`, you cannot provide an incompatible `{name}`: "
                f"got {value!r}, but the tensor is {tensor!r}."
            )


def _legacy_shape(shape, batch_shape, kwargs):
    """(shape, batch_shape), also from the argument names of Keras 2."""
    if "input_shape" in kwargs:
        warnings.warn(
            "Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=3
        )
        shape = kwargs.pop("input_shape")
    return shape, kwargs.pop("batch_input_shape", batch_shape)


class InputLayer(Layer):
    """The layer of an input: it holds the shape and dtype, and computes nothing.

    Args:
        shape: tuple of ints or None, without the batch axis.
        batch_size: int, size of the batch axis; None for any size.
        dtype: dtype of the array; None takes `keras.config.floatx()`.
        sparse: bool, whether the input is a sparse array (`BCOO`).
        ragged: must be False or None: JAX has no ragged arrays.
        batch_shape: tuple, shape with the batch axis, instead of `shape` and
            `batch_size`.
        input_tensor: KerasTensor to use as the input; None makes one.
        optional: bool, whether the input may be None.
        name: str, unique name of the layer; None makes one.
        **kwargs: `trainable` and other arguments of `keras.Layer`; `input_shape` and
            `batch_input_shape`, the names of Keras 2.

    Raises:
        ValueError: arguments that contradict each other, or no shape.

    >>> keras.layers.InputLayer((28, 28)).output.shape
    (None, 28, 28)
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
            tensor_shape = input_tensor.shape
            check_agreement(
                input_tensor,
                shape=(shape and tuple(shape), tensor_shape[1:]),
                batch_shape=(batch_shape and tuple(batch_shape), tensor_shape),
                batch_size=(batch_size, tensor_shape[0] if tensor_shape else None),
                dtype=(dtype, input_tensor.dtype),
                sparse=(sparse, input_tensor.sparse),
            )
            batch_shape, dtype = tensor_shape, input_tensor.dtype
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
        """Do nothing: a model replaces the input by an array."""

    def get_config(self):
        """Return shape, dtype and kind of the array."""
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
) -> KerasTensor:
    """Create the input of a functional model: a KerasTensor.

    Args:
        shape: tuple of ints or None, without the batch axis.
        batch_size: int, size of the batch axis; None for any size.
        dtype: dtype of the array; None takes `keras.config.floatx()`.
        sparse: bool, whether the input is a sparse array (`BCOO`).
        ragged: must be False or None: JAX has no ragged arrays.
        batch_shape: tuple, shape with the batch axis, instead of `shape` and
            `batch_size`.
        name: str, unique name of the input layer; None makes one.
        tensor: KerasTensor to use as the input; None makes one.
        optional: bool, whether the input may be None.

    Returns:
        `KerasTensor` of shape (batch_size, *shape).

    Raises:
        ValueError: arguments that contradict each other, or no shape.

    >>> keras.Input((28, 28)).shape
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
