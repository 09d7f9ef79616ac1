"""Count the operations of a step, to decide how many steps pay in one loop.

A loop on the device saves the dispatch of each step, some 50 microseconds. On a CPU,
XLA also computes the body of a loop in order, which is up to a quarter faster than
letting operations compete for the cores; but convolutions in it take a path that is
ten times slower. On other devices a loop costs no time, and for
large steps it saves none.
"""

import math
from typing import Any

import jax

from minikeras.core import platform

# The most floating-point operations of one dispatch: about half a second of a CPU.
# A Ctrl-C and the progress bar wait for the end of a dispatch.
_MOST_OPERATIONS = 3e10
# An accelerator needs longer for steps with more operations than Python needs for the
# next dispatch, so a loop saves nothing.
_SMALL_STEP = 1e9
# The most bytes of outputs that one dispatch keeps for `predict`: 32 MiB, the size of a
# chunk of inputs.
_KEPT_BYTES = 1 << 25


def loop_steps(jaxpr: Any, most: int, keeps_outputs: bool = False) -> int:
    """Decide how many steps of a (closed) jaxpr pay in one loop on the device.

    Args:
        jaxpr: the traced step.
        most: the most steps.
        keeps_outputs: does the loop keep the outputs of all its steps?

    Returns:
        0 where it is better to run them one by one, without a loop.
    """
    on_cpu = platform.is_cpu()
    if keeps_outputs:
        size = sum(math.prod(a.shape) * a.dtype.itemsize for a in jaxpr.out_avals)
        most = min(most, _KEPT_BYTES // max(size, 1))
    # Counting a large model takes time, and above the limit the number does not matter.
    limit = math.inf if on_cpu else _SMALL_STEP
    cost = _cost(jaxpr.jaxpr, platform.platform(), limit)
    if most < 2 or cost == math.inf or not on_cpu and cost >= _SMALL_STEP:
        return 0
    return max(1, min(most, int(_MOST_OPERATIONS / max(cost, 1))))


def _cost(jaxpr, platform, limit):
    """Operations of a jaxpr; counting ends at the limit."""
    total = 0.0
    for equation in jaxpr.eqns:
        total += _cost_of(equation, platform, limit)
        if total >= limit:
            break
    return total


def _cost_of(equation, platform, limit):
    """Operations of one equation; infinite where a loop must not hold it."""
    name, params = equation.primitive.name, equation.params
    if name == "dot_general":
        return product_operations(equation)
    if name == "conv_general_dilated":
        # A convnet's epoch in a loop took 1,039 ms a step, its single steps 111 ms: in
        # a loop's body XLA leaves its fast convolution for a naive one.
        if platform == "cpu":
            return math.inf
        kernel = equation.invars[1].aval
        filters = kernel.shape[params["dimension_numbers"].rhs_spec[0]]
        return 2 * size_of_outputs(equation) * kernel.size / filters
    if name == "while":
        return math.inf  # the number of iterations is not known
    # Of a `cond` one branch runs, so the most expensive counts; a `scan` has a length.
    inner = [_cost(j, platform, limit) for j in _inner(params, platform)]
    if inner:
        return max(inner) * params.get("length", 1)
    return size_of_outputs(equation)  # one operation for each entry


def _inner(params, platform):
    """The jaxprs in an equation; of branches by platform only the one taken."""
    if (taken := branch_for(params, platform)) is not None:
        return [taken]
    found = jax.tree_util.tree_leaves(
        list(params.values()), is_leaf=lambda x: hasattr(x, "eqns")
    )
    return [getattr(x, "jaxpr", x) for x in found if hasattr(x, "eqns")]


def branch_for(params: dict[str, Any], platform: str) -> Any:
    """Of branches by platform the one taken, as a jaxpr; None for other branches."""
    # `lax.platform_dependent` lowers one branch. The others, such as an LSTM of cuDNN,
    # say nothing about this platform.
    branches, platforms = params.get("branches"), params.get("branches_platforms")
    if not (branches and platforms):
        return None
    return branches[[p is None or platform in p for p in platforms].index(True)].jaxpr


def product_operations(equation: Any) -> int:
    """Operations of a `dot_general`: 2 for each entry of the contracted axes."""
    (contracted, _), _ = equation.params["dimension_numbers"]
    shape = equation.invars[0].aval.shape
    sums = math.prod(shape[axis] for axis in contracted)
    return 2 * size_of_outputs(equation) * sums


def size_of_outputs(equation: Any) -> int:
    """Entries of all outputs of an equation."""
    return sum(math.prod(v.aval.shape) for v in equation.outvars)
