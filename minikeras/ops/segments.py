"""Reductions of groups of rows."""

import jax
import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import MATH
from minikeras.ops.op_makers import document

__all__ = [
    "segment_max", "segment_min", "segment_prod", "segment_sum",
]  # fmt: skip


def _segments_spec(trace, data, segment_ids, num_segments=None, **config):
    """An unknown number of segments, unless it is given."""
    # On arrays it must be given, as in Keras on JAX; graphs may be built without it.
    del config
    if num_segments is None:
        return KerasTensor((None, *data.shape[1:]), data.dtype)
    return trace(data, segment_ids)


def _segment(function, what, example):
    """The op `function` on the rows of each segment."""

    def call(data, segment_ids, num_segments=None, sorted=False):
        data, ids = as_array(data), as_array(segment_ids)
        if not jnp.issubdtype(ids.dtype, jnp.integer):
            raise TypeError(
                f"{function.__name__}: `segment_ids` must be integers, got {ids.dtype}."
            )
        if ids.ndim != 1:
            raise ValueError(
                f"{function.__name__}: Argument `segment_ids` should be an 1-D vector, "
                f"got shape {ids.shape}."
            )
        if len(ids) != len(data):
            raise ValueError(
                f"{function.__name__}: Argument `segment_ids` and `data` should have "
                f"same leading dimension. Got {ids.shape} and {data.shape}."
            )
        # JAX would read the ids for it, which a tracer does not allow.
        if num_segments is None:
            raise ValueError(
                f"{function.__name__}: Argument `num_segments` must be set when using "
                "the JAX backend. The output's shape cannot depend on the values in "
                "`segment_ids`."
            )
        return function(data, ids, num_segments, indices_are_sorted=sorted)

    name = call.__name__ = call.__qualname__ = function.__name__
    arguments = {
        "data": "(n, …) array.",
        "segment_ids": "(n,) ints, the segment of each row.",
        "num_segments": "int, the number of segments; it must be given.",
        "sorted": "promise that the ids are in ascending order.",
    }
    formula = f"{what} of the rows of each segment."
    returns = "(num_segments, …) array."
    call.__doc__ = document(name, formula, arguments, returns, example)
    tensors = ("data", "segment_ids")
    return op(call, tensors=tensors, module=MATH, spec=_segments_spec)


segment_max = _segment(
    jax.ops.segment_max, "Maximum", "[3, 1, 2], [0, 0, 1], 2 -> [3, 2]"
)
segment_min = _segment(
    jax.ops.segment_min, "Minimum", "[3, 1, 2], [0, 0, 1], 2 -> [1, 2]"
)
segment_prod = _segment(
    jax.ops.segment_prod, "Product", "[3, 1, 2], [0, 0, 1], 2 -> [3, 2]"
)
segment_sum = _segment(jax.ops.segment_sum, "Sum", "[3, 1, 2], [0, 0, 1], 2 -> [4, 2]")
