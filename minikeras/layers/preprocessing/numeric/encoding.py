"""Category indices as one-hot, multi-hot and count vectors, in JAX and in NumPy."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import serialize_keras_object
from minikeras.ops.encodings import as_sparse, multi_hot, one_hot

MODES = ("int", "one_hot", "multi_hot", "count")


def encode(x, mode, depth, dtype, sparse=False, weights=None):
    """Encode category indices; those out of range give zeros.

    Args:
        x: int array of any shape.
        mode: "int" returns it as it is, "one_hot" encodes each entry (a last axis of
            size 1 is left out), "multi_hot" marks and "count" counts the categories of
            each row.
        depth: int, the number of categories.
        dtype: of the result.
        sparse: return a sparse `BCOO` array.
        weights: array like `x`, what each entry counts; None: 1.
    """
    dtype = jax.dtypes.canonicalize_dtype(dtype).name
    if mode == "int":
        return x.astype(dtype)
    x = jnp.atleast_1d(x)
    if mode == "one_hot":
        x = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
        return one_hot(x, depth, dtype=dtype, sparse=sparse)
    if mode == "multi_hot":
        return multi_hot(x, depth, dtype=dtype, sparse=sparse)
    hot = one_hot(x, depth, dtype=dtype)
    hot = hot if weights is None else hot * weights[..., None]
    counts = hot.sum(axis=1 if x.ndim > 1 else 0)
    return as_sparse(counts, x.size) if sparse else counts


def encoded_shape(shape, mode, depth):
    """The shape of `encode`'s result, from that of the indices."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        column = len(shape) > 1 and shape[-1] == 1
        return (*(shape[:-1] if column else shape), depth)
    # As in Keras, the samples of a row lie along the axis 1.
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def encode_on_host(x, mode, depth, dtype):
    """`encode` of a NumPy array."""
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    if mode == "int":
        return x.astype(dtype)
    x = np.atleast_1d(x)
    shape = encoded_shape(x.shape, mode, depth)
    # The samples of a row last; for one-hot vectors each entry is a row.
    rows = np.moveaxis(x, 1, -1) if x.ndim > 1 else x
    width = 1 if mode == "one_hot" else rows.shape[-1]
    rows = (x if mode == "one_hot" else rows).reshape(math.prod(shape[:-1]), width)
    places = np.arange(len(rows))[:, None] * depth + rows
    places = places[(rows >= 0) & (rows < depth)]
    out = np.zeros(len(rows) * depth, dtype)
    if mode == "count":
        np.add.at(out, places, 1)
    else:
        out[places] = 1
    return out.reshape(shape)


def encode_anywhere(function, x, mode, depth, dtype):
    """`encode` of a function of a list of arrays, or of tracers of a compiled step."""
    if not any(isinstance(a, jax.core.Tracer) for a in x):
        return encode_on_host(function(*map(np.asarray, x)), mode, depth, dtype)
    bins = call_back(function, *x)
    return encode(bins, mode, depth, dtype)


def call_back(function, *arrays):
    """int32 results of a function of NumPy arrays, from within a compiled step."""
    spec = jax.ShapeDtypeStruct(arrays[0].shape, jnp.int32)
    call = lambda *a: function(*map(np.asarray, a)).astype(np.int32)  # noqa: E731
    return jax.pure_callback(call, spec, *arrays, vmap_method="broadcast_all")


def check(layer: Any, *cases: tuple[Any, str]) -> None:
    """Raise ValueError with the text of the first case that holds.

    Args:
        layer: the layer, whose class the error names.
        *cases: pairs (does it hold?, text).
    """
    for holds, text in cases:
        if holds:
            raise ValueError(f"{type(layer).__name__}: {text}")


class OrderedConfig:
    """Mix-in of layers whose config has an order of its own: that of Keras."""

    dtype_policy: Any
    _mk_config: Any  # the names, separated by blanks

    def get_config(self):
        base = {"dtype": serialize_keras_object(self.dtype_policy)}
        known = base | self._mk_config_values()
        names = self._mk_config.split()
        return {n: known[n] if n in known else getattr(self, n) for n in names}

    def _mk_config_values(self):
        """What the config shows that is no attribute of the name of an argument."""
        return {}


class Encoding(OrderedConfig):
    """Mix-in of layers with an `output_mode`: shape and dtype of the outputs."""

    output_mode: str
    sparse: bool
    output_dtype: Any  # its name
    _mk_depth: Any  # the length of vectors; None if it is not known yet

    def compute_output_shape(self, input_shape):
        """The shape of the outputs.

        Args:
            input_shape: of the inputs.
        """
        return encoded_shape(input_shape, self.output_mode, self._mk_depth)

    def compute_output_spec(self, inputs, **others):
        """Shape and dtype of the outputs.

        Args:
            inputs: KerasTensor, or what else `call` takes.
            **others: the other arguments of `call`.
        """
        shapes = jax.tree_util.tree_map(lambda x: x.shape, inputs)
        shape, dtype = self.compute_output_shape(shapes), self.output_dtype
        if dtype != "string":  # int64 is int32 unless JAX is told otherwise
            dtype = jax.dtypes.canonicalize_dtype(dtype).name
        return KerasTensor(shape, dtype=dtype, sparse=self.sparse)
