"""Functions of `tf.` that make, join, cut and rearrange tensors.

JAX has 32 bits unless `jax_enable_x64` is set, so where TensorFlow gives int64
(`tf.argmax`, `tf.where`) or float64, these give int32 and float32. Indices that are
out of range are not errors, as JAX cannot raise from compiled code: `tf.gather` and
`x[i]` read NaN, or the nearest entry, `tf.scatter_nd` drops the update.
"""

import collections

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.dtypes import is_text
from minikeras.core.keras_tensor import KerasTensor
from minikeras.data.dataset.iterator import as_data_array
from minikeras.legacy.tensorflow.dispatch import array, number, sample, sizes, table
from minikeras.legacy.tensorflow.types import (
    SIZE_MARK,
    RecordedSizes,
    SizeArray,
    SymbolicSizes,
    as_dtype,
    as_sizes,
    jax_dtype,
)


def numpy_for(x):
    """The module that computes on an array: NumPy for text, else JAX's."""
    return np if is_text(x) else jnp


def constant(value, dtype=None, shape=None):
    """A tensor of the value, which is repeated or reshaped to fill `shape`."""
    result = array(value)
    if dtype is not None and not is_text(result):
        # Python's numbers go straight to the dtype: by float32 large ints would change.
        is_array = hasattr(value, "dtype") or isinstance(result, jax.core.Tracer)
        result = jnp.asarray(result if is_array else value, jax_dtype(dtype))
    if shape is None:
        return result
    shape = sizes(shape)
    if result.size == 1:
        return result.ravel()[np.zeros(shape, int)]
    return result.reshape(shape)


def cast(x, dtype):
    """`x` in another dtype; floats lose what follows the point, as ints."""
    if as_dtype(dtype) == "string" or is_text(x):
        raise TypeError(
            "tf.cast: text is no number; use tf.strings.to_number, as_string."
        )
    x, dtype = jnp.asarray(x), jax_dtype(dtype)
    if dtype.itemsize < 4 and jnp.issubdtype(dtype, jnp.integer):
        # Out of range, small ints wrap, as on CPUs; JAX would clip.
        x = x if x.dtype.kind in "biu" else x.real.astype("int32")
    if jnp.iscomplexobj(x) and not jnp.issubdtype(dtype, jnp.complexfloating):
        x = x.real
    return x.astype(dtype)


def arange(start, limit=None, delta=1, dtype=None):
    """Numbers from `start`, 0 if one bound is given, up to `limit`."""
    start, limit = (0, start) if limit is None else (start, limit)
    parts = [number(x) for x in (start, limit, delta)]
    if dtype is None:
        dtype = "float32" if any(isinstance(x, float) for x in parts) else "int32"
        given = [x.dtype for x in (start, limit, delta) if hasattr(x, "dtype")]
        dtype = jnp.result_type(*given, dtype) if given else dtype
    # By NumPy in 64 bits: steps of float32 could give one entry too many.
    known, dtype = np.arange(*parts), jax_dtype(dtype)
    found = jnp.asarray(known, dtype)
    if isinstance(found, jax.core.Tracer) and dtype.kind == "i":
        return as_sizes(known.astype(dtype))  # the steps of a loop may be indices
    return found


def shape_of(input, out_type="int32"):
    """The sizes of a tensor."""
    return as_sizes(np.shape(input)).astype(out_type).view(SizeArray)


def shape(input, out_type="int32", name=None):
    """The sizes of a tensor, known also while a function is compiled.

    Args:
        input: tensor; of a symbolic one, unknown sizes stay symbolic.
        out_type: dtype, int32 or int64.
        name: not used.

    Returns:
        Array of sizes: arithmetic on it, and `tf` functions, give sizes again.
    """
    del out_type, name
    if isinstance(input, KerasTensor) and None in input.shape:
        recorded = RecordedSizes(SIZE_MARK, "shape", [input], {})
        return SymbolicSizes.make(recorded, sample)
    if isinstance(input, SymbolicSizes):
        return as_sizes(input.shape)
    found = input if hasattr(input, "shape") else array(input)
    return as_sizes(np.array(found.shape, "int32"))


shape.run, shape.is_of_arrays = lambda args, kwargs: shape(*args, **kwargs), True


def fill(dims, value):
    """A tensor of one value."""
    return jnp.broadcast_to(jnp.asarray(value), sizes(dims))


def strided(tensor, begin, size):
    """The part that starts at `begin`; a size of -1 goes to the end."""
    sized = sizes(size)
    leaves = jax.tree_util.tree_leaves(begin)
    if any(isinstance(x, jax.core.Tracer) for x in leaves):
        return jax.lax.dynamic_slice(tensor, list(begin), sized)
    starts = sizes(begin)
    ends = (None if n < 0 else b + n for b, n in zip(starts, sized, strict=True))
    return tensor[tuple(map(slice, starts, ends))]


def split(value, num_or_size_splits, axis=0, num=None):
    """Parts of equal sizes, or of given ones, one of which may be -1."""
    del num
    axis = number(axis)
    if np.ndim(num_or_size_splits) == 0:
        return list(jnp.split(value, number(num_or_size_splits), axis))
    parts = list(sizes(num_or_size_splits))
    if -1 in parts:
        parts[parts.index(-1)] = value.shape[axis] - sum(parts) - 1
    if sum(parts) != value.shape[axis]:
        raise ValueError(
            f"tf.split: the sizes {parts} must add up to {value.shape[axis]}, the size "
            f"of axis {axis}."
        )
    return list(jnp.split(value, np.cumsum(parts)[:-1].tolist(), axis))


def gather(params, indices, validate_indices=None, axis=None, batch_dims=0):
    """Rows, or entries of another axis, of `params`."""
    del validate_indices
    axis = batch_dims if axis is None else number(axis)
    if is_text(params):
        return params.take(np.asarray(indices), axis)
    if batch_dims:  # a negative one counts from the end of the indices
        axis, batch_dims = axis % params.ndim, batch_dims % indices.ndim
        inner = lambda p, i: gather(p, i, None, axis - 1, batch_dims - 1)  # noqa: E731
        return jax.vmap(inner)(params, indices)
    return jnp.take(params, indices, axis)


def gather_nd(params, indices, batch_dims=0):
    """Entries or parts of `params` at index rows."""
    if batch_dims:
        inner = lambda p, i: gather_nd(p, i, batch_dims - 1)  # noqa: E731
        return jax.vmap(inner)(params, indices)
    return params[tuple(jnp.moveaxis(indices, -1, 0))]


def where(condition, x=None, y=None):
    """`x` where true, else `y`; with neither, the index rows of true entries."""
    if x is None and y is None:
        return jnp.argwhere(condition)
    return jnp.where(condition, x, y)


def boolean_mask(tensor, mask, axis=0):
    """The entries for which `mask` is true; their number must not be compiled."""
    return tensor[(slice(None),) * (number(axis) or 0) + (mask,)]


_Unique = collections.namedtuple("Unique", "y idx")
_UniqueCounts = collections.namedtuple("UniqueWithCounts", "y idx count")


def unique(x, with_counts=False):
    """Values in the order in which they come first, and where each entry is there."""
    is_array = not is_text(x)
    values, first, back, counts = np.unique(
        np.asarray(x), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    found = values[order], np.argsort(order)[back.ravel()], counts[order]
    wrap = jnp.asarray if is_array else as_data_array
    y, idx, count = wrap(found[0]), *(jnp.asarray(a, "int32") for a in found[1:])
    return _UniqueCounts(y, idx, count) if with_counts else _Unique(y, idx)


def pad(tensor, paddings, mode="CONSTANT", constant_values=0):
    """`tensor` with more entries before and after those of each axis."""
    widths = [sizes(pair) for pair in paddings]
    if mode.upper() == "CONSTANT":
        return jnp.pad(tensor, widths, constant_values=constant_values)
    return jnp.pad(tensor, widths, mode=mode.lower())


def sequence_mask(lengths, maxlen=None, dtype="bool"):
    """True, as often as each length says, then False."""
    maxlen = lengths.max() if maxlen is None else maxlen
    return (jnp.arange(number(maxlen)) < lengths[..., None]).astype(jax_dtype(dtype))


def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None):
    """`on_value` at the index, along a new axis; no entry for an index out of range."""
    values = [x for x in (on_value, off_value) if x is not None]
    dtype = dtype or (jnp.asarray(values[0]).dtype if values else "float32")
    hot = jnp.expand_dims(indices, axis := -1 if axis is None else axis)
    index = jnp.arange(number(depth)).reshape(
        [-1 if d == axis % hot.ndim else 1 for d in range(hot.ndim)]
    )
    on, off = 1 if on_value is None else on_value, off_value or 0
    return jnp.where(hot == index, on, off).astype(jax_dtype(dtype))


def scatter_nd(indices, updates, shape):
    """Zeros, to which the updates are added at index rows."""
    zeros = jnp.zeros(sizes(shape), updates.dtype)
    return zeros.at[tuple(jnp.moveaxis(indices, -1, 0))].add(updates)


def _scatter(method):
    def function(tensor, indices, updates):
        at = tensor.at[tuple(jnp.moveaxis(indices, -1, 0))]
        return getattr(at, method)(updates)

    return function


def dynamic_partition(data, partitions, num_partitions):
    """The rows of each partition; their numbers must not be compiled."""
    partitions = np.asarray(partitions)
    return [data[partitions == i] for i in range(num_partitions)]


def dynamic_stitch(indices, data):
    """One tensor of parts: `indices` say where each row of `data` goes."""
    indices, data = [jnp.asarray(i) for i in indices], [jnp.asarray(d) for d in data]
    inner = data[0].shape[indices[0].ndim :]
    size = max(int(i.max()) + 1 for i in indices if i.size)
    merged = jnp.zeros((size, *inner), data[0].dtype)
    for index, rows in zip(indices, data, strict=True):
        merged = merged.at[index.ravel()].set(rows.reshape(-1, *inner))
    return merged


def meshgrid(*args, indexing="xy", name=None):
    """Coordinates of a grid, one tensor for each axis."""
    return jnp.meshgrid(*map(array, args), indexing=indexing)


def linspace(start, stop, num, axis=0):
    """`num` values at equal distances, both ends among them."""
    return jnp.linspace(start, stop, number(num), axis=axis)


def concat(values, axis):
    """Tensors, one after the other along an axis."""
    values = [array(v) for v in values] if isinstance(values, (list, tuple)) else values
    if not isinstance(values, list):
        return array(values)  # one tensor
    return numpy_for(values[0]).concatenate(values, number(axis))


def stack(values, axis=0):
    """Tensors along a new axis."""
    values = [array(v) for v in values] if isinstance(values, (list, tuple)) else values
    if is_text(values[0]):
        return as_data_array(np.stack(values, axis))
    return jnp.stack(list(values), axis)


def transpose(a, perm=None, conjugate=False):
    """The axes in another order, by default the reverse."""
    return jnp.transpose(
        a.conj() if conjugate else a, None if perm is None else sizes(perm)
    )


def expand_dims(input, axis):
    """The tensor with an axis of size 1 more."""
    return numpy_for(input).expand_dims(input, number(axis))


def _like(value):
    return lambda input, dtype=None, layout=None: jnp.full_like(
        input, value, jax_dtype(dtype)
    )


def _convert(value, dtype=None, dtype_hint=None):
    return constant(value, dtype)


def _squeeze(input, axis=None):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return numpy_for(input).squeeze(input, axis or (None if axis != 0 else 0))


FUNCTIONS = table(
    "",
    {
        "boolean_mask": boolean_mask,
        "broadcast_dynamic_shape": lambda shape_x, shape_y: np.array(
            np.broadcast_shapes(sizes(shape_x), sizes(shape_y)), "int32"
        ),
        "broadcast_to": lambda input, shape: jnp.broadcast_to(input, sizes(shape)),
        "cast": cast,
        "concat": concat,
        "constant": lambda value, dtype=None, shape=None: constant(value, dtype, shape),
        "convert_to_tensor": _convert,
        "dynamic_partition": dynamic_partition,
        "dynamic_stitch": dynamic_stitch,
        "expand_dims": expand_dims,
        "eye": lambda num_rows, num_columns=None, batch_shape=None, dtype="float32": (
            jnp.broadcast_to(
                e := jnp.eye(number(num_rows), num_columns, dtype=jax_dtype(dtype)),
                (*sizes(batch_shape or ()), *e.shape),
            )
        ),
        "fill": fill,
        "gather": gather,
        "gather_nd": gather_nd,
        "identity": lambda input: input,
        "linspace": linspace,
        "one_hot": one_hot,
        "ones": lambda shape, dtype="float32": jnp.ones(sizes(shape), jax_dtype(dtype)),
        "ones_like": _like(1),
        "pad": pad,
        "range": arange,
        "rank": lambda input: as_sizes(np.ndim(input)),
        "repeat": lambda input, repeats, axis=None: jnp.repeat(
            input, np.asarray(repeats), axis
        ),
        "reshape": lambda tensor, shape: tensor.reshape(sizes(shape)),
        "reverse": lambda tensor, axis: jnp.flip(tensor, sizes(axis)),
        "roll": lambda input, shift, axis: jnp.roll(input, shift, axis),
        "scatter_nd": scatter_nd,
        "sequence_mask": sequence_mask,
        "size": lambda input, out_type="int32": as_sizes(
            np.array(np.prod(np.shape(input), dtype=int), "int32")
        ),
        "slice": lambda input_, begin, size: strided(array(input_), begin, size),
        "split": split,
        "squeeze": _squeeze,
        "stack": stack,
        "stop_gradient": lambda input: jax.lax.stop_gradient(input),
        "tensor_scatter_nd_add": _scatter("add"),
        "tensor_scatter_nd_max": _scatter("max"),
        "tensor_scatter_nd_min": _scatter("min"),
        "tensor_scatter_nd_sub": _scatter("subtract"),
        "tensor_scatter_nd_update": _scatter("set"),
        "tile": lambda input, multiples: jnp.tile(input, sizes(multiples)),
        "transpose": transpose,
        "unique": lambda x, out_idx="int32": unique(x),
        "unique_with_counts": lambda x, out_idx="int32": unique(x, True),
        "unstack": lambda value, num=None, axis=0: list(jnp.moveaxis(value, axis, 0)),
        "where": where,
        "zeros": lambda shape, dtype="float32": jnp.zeros(
            sizes(shape), jax_dtype(dtype)
        ),
        "zeros_like": _like(0),
    },
    keep_sizes="""cast concat constant convert_to_tensor expand_dims gather identity pad
    reshape reverse slice split squeeze stack tile unstack where broadcast_to""",
) | {"meshgrid": meshgrid, "shape": shape}
