"""Output shapes by tracing: a function runs on shapes alone, some of them unknown."""

import itertools

import jax

from minikeras.core import dtypes
from minikeras.core.bridge import isolated
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.unknown_sizes import SIZES_FOR_NONE, guesses, unfilled
from minikeras.core.variable import is_sparse

_GUESSES = 200  # how many sizes for None are tried where neither fits


def keras_tensors(tree) -> list[KerasTensor]:
    """The KerasTensors of a tree, left to right."""
    return [x for x in jax.tree_util.tree_leaves(tree) if isinstance(x, KerasTensor)]


def dry_run(fn, *args) -> None:
    """Run `fn` on shapes for what it builds; state that it writes is dropped.

    Args:
        fn: any code in Keras style.
        *args: trees of `jax.ShapeDtypeStruct`.
    """
    with isolated():
        jax.eval_shape(fn, *args)


def output_spec(fn, args, kwargs, training=None, fills=SIZES_FOR_NONE, guess=None):
    """What `fn(*args, **kwargs)` would return, as KerasTensors.

    `fn` is traced once, or twice when a size is None. State that it writes
    (batch statistics, random counters) is dropped.

    Args:
        fn, args, kwargs: the call.
        training: the mode of layers.
        fills: two sizes that stand for None.
        guess: the sizes, with those of the KerasTensors, that a None may turn out to
            be if the call asks for it; None: only sizes that it broadcasts with.
    """
    flat, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(flat) if isinstance(x, KerasTensor)]
    tensors = [flat[i] for i in where]
    result: list = []  # (tree of the outputs, its leaves)

    def run(arrays):
        leaves = list(flat)
        for i, array in zip(where, arrays, strict=True):
            leaves[i] = _sparse(*array) if flat[i].sparse else array
        a, k = jax.tree_util.tree_unflatten(treedef, leaves)
        outputs = fn(*a, **k)
        leaves, out_tree = jax.tree_util.tree_flatten(outputs, is_leaf=is_sparse)
        result[:] = [out_tree, leaves]
        return [x for x in leaves if _is_array(x)]

    def trace(fill, tensors):
        changes = {} if training is None else {"training": training}
        with isolated(**changes):
            return jax.eval_shape(run, [_struct(x, fill) for x in tensors])

    def both(tensors):
        first = trace(fills[0], tensors)
        unknown = any(None in x.shape for x in tensors)
        return first, trace(fills[1], tensors) if unknown else first

    try:
        try:
            traced = both(tensors)
        except (TypeError, ValueError):
            if guess is None and len(tensors) == 1:
                raise
            tensors, traced = _first_that_works(both, tensors, guess)
    except Exception as error:
        if any(None in x.shape for x in tensors):
            unfilled(error, lambda fill: trace(fill, tensors), fills)
        raise
    specs = map(_merge, *traced)
    if where and tensors[0].dtype != flat[where[0]].dtype:
        specs = (_of_dtype(x, flat[where[0]].dtype) for x in specs)
    out_tree, leaves = result
    # Outputs that are no arrays (numbers, strings) pass unchanged.
    return out_tree.unflatten([next(specs) if _is_array(x) else x for x in leaves])


def _first_that_works(both, tensors, sizes):
    """(tensors with some None replaced by a size that fits, their two traces)."""
    tried = list(itertools.islice(guesses(tensors, sizes), _GUESSES))
    # Keras records functions of integers on KerasTensors of floats too.
    dtypes_tried = (None,) if sizes is None else (None, "int32")
    for dtype, guess in itertools.product(dtypes_tried, tried):
        shapes = [list(x.shape) for x in tensors]
        for (i, d), size in guess:
            shapes[i][d] = size
        guessed = [
            KerasTensor(shape, _instead(x.dtype, dtype), x.sparse, name="guess")
            for shape, x in zip(shapes, tensors, strict=True)
        ]
        try:
            return guessed, both(guessed)
        except (TypeError, ValueError):
            pass
    return tensors, both(tensors)


def _of_dtype(x, dtype):
    return KerasTensor(x.shape, dtype if x.dtype == "int32" else x.dtype, x.sparse)


def _instead(own, dtype):
    return dtype if dtype and dtypes.is_float(own) else own


def _is_array(x):
    return hasattr(x, "aval") or hasattr(x, "shape")


def _struct(tensor, fill):
    shape = tuple(fill if size is None else size for size in tensor.shape)
    dtype = dtypes.as_jax(tensor.dtype)
    if not tensor.sparse:
        return jax.ShapeDtypeStruct(shape, dtype)
    # One entry, and an array of the whole shape to carry it.
    entry = jax.ShapeDtypeStruct((1,), dtype)
    indices = jax.ShapeDtypeStruct((1, len(shape)), "int32")
    return entry, indices, jax.ShapeDtypeStruct(shape, dtype)


def _sparse(entry, indices, whole):
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO((entry, indices), shape=whole.shape)


def _merge(x, y):
    """Two traced outputs -> KerasTensor; sizes that differ depend on a None."""
    sizes = zip(x.shape, y.shape, strict=True)
    shape = tuple(a if a == b else None for a, b in sizes)
    return KerasTensor(shape, x.dtype, sparse=is_sparse(x))
