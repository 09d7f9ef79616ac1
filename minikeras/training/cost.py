"""How much a step computes: what decides between single calls and a loop.

A loop on the device saves the dispatch of each step, some 50 microseconds. But on a
CPU, XLA computes the body of a loop on fewer threads, and convolutions in it on a path
that is ten times slower; elsewhere a loop only ceases to matter.
"""

import math

import jax

# Floating-point operations of a step, up to which a loop is faster.
_SMALL = {"cpu": 1e7}
_SMALL_ELSEWHERE = 1e9


def is_small(jaxpr) -> bool:
    """Does a step of this (closed) jaxpr run faster in a loop on the device?"""
    platform = jax.default_backend()
    limit = _SMALL.get(platform, _SMALL_ELSEWHERE)
    return _cost(jaxpr.jaxpr, platform, limit) < limit


def _cost(jaxpr, platform, limit):
    """Operations of a jaxpr; counting ends at the limit."""
    total = 0.0
    for equation in jaxpr.eqns:
        total += _cost_of(equation, platform, limit)
        if total >= limit:
            break
    return total


def _cost_of(equation, platform, limit):
    name, settings = equation.primitive.name, equation.params
    if name == "dot_general":
        (contracted, _), _ = settings["dimension_numbers"]
        shape = equation.invars[0].aval.shape
        return 2 * _size(equation) * math.prod(shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        if platform == "cpu":
            return math.inf
        kernel = equation.invars[1].aval
        filters = kernel.shape[settings["dimension_numbers"].rhs_spec[0]]
        return 2 * _size(equation) * kernel.size / filters
    if name == "while":
        return math.inf  # nobody knows how often
    inner = [_cost(j, platform, limit) for j in _inner(settings, platform)]
    if inner:
        return max(inner) * settings.get("length", 1)
    return _size(equation)


def _inner(settings, platform):
    """The jaxprs in an equation; of branches by platform only the one taken."""
    branches, platforms = settings.get("branches"), settings.get("branches_platforms")
    if branches and platforms:
        taken = [p is None or platform in p for p in platforms].index(True)
        settings = {"taken": branches[taken]}
    found = jax.tree_util.tree_leaves(
        list(settings.values()), is_leaf=lambda x: hasattr(x, "eqns")
    )
    return [getattr(x, "jaxpr", x) for x in found if hasattr(x, "eqns")]


def _size(equation):
    return sum(math.prod(v.aval.shape) for v in equation.outvars)
