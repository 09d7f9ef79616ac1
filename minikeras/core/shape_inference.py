"""Output shapes by tracing: a function runs on shapes alone, some of them unknown."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from minikeras.core import dtypes
from minikeras.core.bridge import isolated
from minikeras.core.host_calls import HostArray, ShapesOnly
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.unknown_sizes import SIZES_FOR_NONE, guesses, restore_none
from minikeras.core.variable import is_sparse

# The most guesses of unknown sizes for one call. A guess is one more trace, about 5 ms
# on one CPU core, so a call that can never fit fails after a second. `(None, 3)` with
# `(2, None)` takes 19 guesses, a concatenation of tensors of rank 3 takes 31.
_MAX_GUESSES = 200


def keras_tensors(tree: Any) -> list[KerasTensor]:
    """The KerasTensors of a tree, left to right."""
    return [x for x in jax.tree_util.tree_leaves(tree) if isinstance(x, KerasTensor)]


def output_spec(
    fn: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    training: bool | None = None,
    fills: tuple[int, int] = SIZES_FOR_NONE,
    guess: Iterable[int] | None = None,
    keeps_batch: bool = False,
) -> Any:
    """Compute what `fn(*args, **kwargs)` would return, as KerasTensors.

    `fn` is traced once, or twice when a size is None. State that it writes
    (batch statistics, random counters) is dropped.

    Args:
        fn: any code in Keras style.
        args: positional arguments, trees that may hold KerasTensors.
        kwargs: keyword arguments, the same.
        training: the training mode that layers see; None: that of the frame around.
        fills: the two sizes that replace None in the two traces.
        guess: sizes that a None is tried with, besides the sizes of the KerasTensors,
            where neither of `fills` fits the call. None: a None is only tried with
            the known sizes that it would broadcast with.
        keeps_batch: bool, whether the first axis of the outputs is that of the inputs,
            and no other size follows from it. Then one trace is enough where only the
            size of the batch is None.

    Returns:
        The tree that `fn` returns, with a KerasTensor for each array.
    """
    flat, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(flat) if isinstance(x, KerasTensor)]
    tensors = [flat[i] for i in where]
    result: list = []  # (tree of the outputs, its leaves)

    def run(arrays):
        leaves = list(flat)
        for i, array in zip(where, arrays, strict=True):
            if flat[i].dtype == "string":  # JAX has none: the trace got its shape
                leaves[i] = HostArray(None, array.shape)
            else:
                leaves[i] = _sparse(*array) if flat[i].sparse else array
        a, k = jax.tree_util.tree_unflatten(treedef, leaves)
        outputs = fn(*a, **k)
        leaves, out_tree = jax.tree_util.tree_flatten(outputs, is_leaf=is_sparse)
        result[:] = [out_tree, leaves]
        return [x for x in leaves if _is_array(x)]

    def trace(fill, tensors):
        changes = {} if training is None else {"training": training}
        with isolated(host=ShapesOnly(fill), **changes):
            return jax.eval_shape(run, [_struct(x, fill) for x in tensors])

    def both(tensors):
        # One trace cannot tell an output of size 5040 from one of the size of the
        # batch. Two can: what differs between them follows the unknown size. A trace
        # of `add` takes 0.7 ms on a CPU core, so known shapes are traced once.
        first = trace(fills[0], tensors)
        second = _without_trace(first, tensors, fills, keeps_batch)
        return first, trace(fills[1], tensors) if second is None else second

    try:
        try:
            traced = both(tensors)
        except (TypeError, ValueError):
            # A whole model has `guess=None`: nothing says which of its sizes an
            # unknown one meets, and a lone tensor has none to broadcast with.
            if guess is None and len(tensors) == 1:
                raise
            tensors, traced = _first_that_works(both, tensors, guess)
    except Exception as error:
        if any(None in x.shape for x in tensors):
            # Users never wrote 5040: their message says None.
            restore_none(error, lambda fill: trace(fill, tensors), fills)
        raise
    specs = map(_merge, *traced)
    if where and tensors[0].dtype != flat[where[0]].dtype:
        # The trace had int32 where the input is of floats. Keras gives floats.
        specs = (_with_float_dtype(x, flat[where[0]].dtype) for x in specs)
    out_tree, leaves = result
    # Outputs that are no arrays (numbers, strings) pass unchanged.
    return out_tree.unflatten([next(specs) if _is_array(x) else x for x in leaves])


class _Shape(NamedTuple):
    """What a second trace would have given."""

    shape: tuple[int, ...]


def _without_trace(first, tensors, fills, keeps_batch):
    """What a trace with the second fill would give; None if only that can tell."""
    if not any(None in x.shape or x.dtype == "string" for x in tensors):
        return first
    if (
        keeps_batch
        and all(x.shape[:1] == (None,) and None not in x.shape[1:] for x in tensors)
        and all(x.shape[:1] == (fills[0],) for x in first)
    ):
        return [_Shape((fills[1], *x.shape[1:])) for x in first]
    return None


def _first_that_works(both, tensors, sizes):
    """Replace unknown sizes by known ones until the call can be traced.

    `add((None, 3), (2, None))` fits neither 5040 nor 10080; Keras records it with the
    shape (2, 3).

    Args:
        both: `both(tensors)` traces the call twice.
        tensors: list of KerasTensors.
        sizes: as `guess` of `output_spec`.

    Returns:
        (tensors with some None replaced, their two traces).
    """
    tried = list(itertools.islice(guesses(tensors, sizes), _MAX_GUESSES))
    # Keras records functions of integers on KerasTensors of floats too, because its
    # shape rules do not look at dtypes. jax.numpy refuses them, so int32 comes second.
    dtypes_tried = (None,) if sizes is None else (None, "int32")
    for dtype, guess in itertools.product(dtypes_tried, tried):
        shapes = [list(x.shape) for x in tensors]
        for (i, d), size in guess:
            shapes[i][d] = size
        guessed = [
            # The name keeps guesses from counting in `keras_tensor`, `keras_tensor_1`.
            KerasTensor(shape, _traced_dtype(x.dtype, dtype), x.sparse, name="guess")
            for shape, x in zip(shapes, tensors, strict=True)
        ]
        try:
            return guessed, both(guessed)
        except (TypeError, ValueError):
            pass
    # The error to show is that of the call as it was written.
    return tensors, both(tensors)


def _with_float_dtype(x, dtype):
    return KerasTensor(x.shape, dtype if x.dtype == "int32" else x.dtype, x.sparse)


def _traced_dtype(own, dtype):
    return dtype if dtype and dtypes.is_float(own) else own


def _is_array(x):
    return hasattr(x, "aval") or hasattr(x, "shape")


def _struct(tensor, fill):
    """What `jax.eval_shape` takes for a KerasTensor; None becomes the size `fill`."""
    shape = tuple(fill if size is None else size for size in tensor.shape)
    dtype = dtypes.as_jax("bool" if tensor.dtype == "string" else tensor.dtype)
    if not tensor.sparse:
        return jax.ShapeDtypeStruct(shape, dtype)
    # `BCOO` takes arrays alone, no ShapeDtypeStruct. So the trace gets the parts: one
    # entry, its index, and an array that has the whole shape.
    entry = jax.ShapeDtypeStruct((1,), dtype)
    indices = jax.ShapeDtypeStruct((1, len(shape)), "int32")
    return entry, indices, jax.ShapeDtypeStruct(shape, dtype)


def _sparse(entry, indices, whole):
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO((entry, indices), shape=whole.shape)


def _merge(x, y):
    """Merge the outputs of the two traces; sizes that differ depend on a None."""
    sizes = zip(x.shape, y.shape, strict=True)
    shape = tuple(a if a == b else None for a, b in sizes)
    return KerasTensor(shape, x.dtype, sparse=is_sparse(x))
