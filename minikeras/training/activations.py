"""The arrays that a traced program writes to memory, by scope.

XLA computes chains of elementwise operations in one pass. So an array counts only if
something needs all of it: a product, a convolution, a reduction over other axes, a
loop, or the caller. What the backward pass needs of another array, such as the mask of
a ReLU, it computes again from the arrays that were kept.
"""

import collections
import math
from typing import Any

import jax
import jax.numpy as jnp

from minikeras.core import platform
from minikeras.training.equations import Equation, Value, equations

# XLA merges these into what reads their output.
_FUSED = frozenset(
    """add sub mul div max min neg abs sign square add_any integer_pow select_n gt lt ge
    le eq ne and or xor not shift_left shift_right_logical shift_right_arithmetic clamp
    floor ceil round rem is_finite convert_element_type broadcast_in_dim reshape iota
    transpose slice squeeze expand_dims concatenate rev pad copy stop_gradient split
    exp exp2 log log1p expm1 tanh logistic sqrt rsqrt cbrt sin cos tan pow erf erfc
    erf_inv reduce_precision bitcast_convert_type dynamic_slice
    optimization_barrier""".split()
)

Names = tuple[str, ...]


def outputs_by_scope(jaxpr: Any) -> dict[Names, int]:
    """Bytes of the arrays that the code of each scope computes for code outside of it.

    Args:
        jaxpr: (closed) jaxpr of a forward pass.

    Returns:
        {names of the scopes: bytes}, for the scopes within others, too.
    """
    (found, returned), sizes = _equations(jaxpr), collections.Counter()
    readers = collections.defaultdict(set, {value: {()} for value in returned})
    for equation in found:
        for value in equation.inputs:
            readers[value].add(equation.names)
    for equation in found:
        for value in equation.outputs:
            for depth in range(1, len(equation.names) + 1):
                scope = equation.names[:depth]
                if any(names[:depth] != scope for names in readers[value]):
                    sizes[scope] += _bytes(value)
    return dict(sizes)


def kept_by_scope(jaxpr: Any) -> dict[Names, int]:
    """Bytes of the arrays that the forward pass keeps for the backward pass.

    Args:
        jaxpr: (closed) jaxpr of a forward and a backward pass.

    Returns:
        {names of the scopes that compute the arrays: bytes}.
    """
    (found, _), sizes = _equations(jaxpr), collections.Counter()
    names = {
        value: equation.names
        for equation in found
        if not equation.is_backward
        for value in equation.outputs
    }
    origins, kept = _origins(found), set()
    for equation in found:
        if equation.is_backward:
            kept.update(*(origins.get(value, ()) for value in equation.inputs))
    for value in kept & names.keys():
        sizes[names[value]] += _bytes(value)
    return dict(sizes)


def _equations(jaxpr):
    return equations(jaxpr, platform.platform())


def _origins(found: list[Equation]) -> dict[Value, frozenset]:
    """{value: the arrays in memory that it is computed from, itself if it is one}."""
    whole = set()  # what something reads that XLA does not merge with its inputs
    for equation in found:
        if equation.primitive not in _FUSED and not _is_sum(equation):
            whole.update(equation.inputs)
    origins = {}
    for equation in found:
        of_inputs = frozenset().union(
            *(origins.get(value, {value}) for value in equation.inputs if value)
        )
        for value in equation.outputs:
            fused = equation.primitive in _FUSED and value not in whole
            origins[value] = of_inputs if fused else frozenset({value})
    return origins


def _is_sum(equation):
    return equation.primitive.startswith("reduce_")


def _bytes(value):
    aval = value.aval
    if jnp.issubdtype(aval.dtype, jax.dtypes.extended):
        return 0
    return math.prod(aval.shape) * aval.dtype.itemsize
