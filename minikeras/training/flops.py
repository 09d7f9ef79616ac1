"""Floating-point operations of a traced program, by scope.

They are counted as XLA's cost analysis counts them in the program that JAX hands to it:
each entry that an arithmetic operation computes is one operation, comparisons, casts
and integers included; a multiplication and an addition are two; a transcendental
function (exp, tanh, sqrt, …) is none, XLA counts those apart; to move data is none.
Entries of a convolution that meet padding are not counted. Unlike XLA's analysis, a
loop counts as often as it runs.
"""

import collections
from typing import Any, NamedTuple

import jax

from minikeras.core import platform
from minikeras.training.cost import product_operations, size_of_outputs
from minikeras.training.equations import Equation, equations

# One operation for each entry of the output.
_ELEMENTWISE = frozenset(
    """add sub mul div max min neg abs sign square add_any select_n gt lt ge le eq ne
    and or xor not shift_left shift_right_logical shift_right_arithmetic clamp floor
    ceil round rem convert_element_type is_finite""".split()
)
# Nothing is computed, or XLA counts it apart.
_FREE = frozenset(
    """reshape broadcast_in_dim transpose slice squeeze expand_dims concatenate rev iota
    copy copy_p stop_gradient optimization_barrier dynamic_slice split device_put
    dynamic_update_slice random_wrap random_unwrap exp exp2 log log1p expm1 tanh sqrt
    rsqrt cbrt sin cos pow erf""".split()
)
_REDUCTIONS = frozenset(
    f"reduce_{kind}" for kind in "sum max min prod and or xor".split()
)


class Flops(NamedTuple):
    """Operations of a program.

    Attributes:
        forward, backward: {names of the scopes: operations}.
        has_open_loop: is there a loop that nobody knows the length of? Its body counts
            once.
    """

    forward: dict[tuple[str, ...], float]
    backward: dict[tuple[str, ...], float]
    has_open_loop: bool


def flops_of(jaxpr: Any) -> Flops:
    """Count the operations of a traced program.

    Args:
        jaxpr: (closed) jaxpr, such as `jax.jit(f).trace(x).jaxpr`.

    >>> flops_of(jax.make_jaxpr(lambda x: x @ x + 1)(np.ones((4, 4)))).forward[()]
    144
    """
    counter = _Counter(platform.platform())
    counter.add(equations(jaxpr, counter.platform)[0], 1)
    return Flops(dict(counter.forward), dict(counter.backward), counter.has_open_loop)


class _Counter:
    """Adds up the operations of equations."""

    def __init__(self, platform):
        self.platform, self.has_open_loop = platform, False
        self.forward, self.backward = collections.Counter(), collections.Counter()
        self._known = {}  # {equation without its variables: its operations}

    def add(self, found: list[Equation], times: float):
        """Count these equations, each of which runs so many times."""
        for equation in found:
            if inner := self._loop_body(equation):
                length = equation.source.params.get("length", 1)
                self.add(inner, times * length)
                continue
            side = self.backward if equation.is_backward else self.forward
            side[equation.names] += times * self._operations(equation)

    def _loop_body(self, equation):
        """The equations that a loop repeats, or of the largest branch; else None."""
        params, around = equation.source.params, (equation.names, equation.is_backward)
        within = lambda jaxpr: equations(jaxpr, self.platform, *around)[0]  # noqa: E731
        if equation.primitive == "scan":
            return within(params["jaxpr"])
        if equation.primitive == "while":
            self.has_open_loop = True
            return within(params["body_jaxpr"]) + within(params["cond_jaxpr"])
        if equation.primitive != "cond":
            return None
        branches = [within(branch) for branch in params["branches"]]
        return max(branches, key=self._total)

    def _total(self, found):
        alone = _Counter(self.platform)
        alone.add(found, 1)
        return alone.forward.total() + alone.backward.total()

    def _operations(self, equation):
        """Operations of one equation that holds no other."""
        kind, source = equation.primitive, equation.source
        if kind in _FREE:
            return 0
        if kind in _ELEMENTWISE:
            return size_of_outputs(source)
        if kind == "dot_general":
            return product_operations(source)
        if kind in _REDUCTIONS:
            return source.invars[0].aval.size - source.outvars[0].aval.size
        shapes = tuple(str(v.aval) for v in source.invars)
        key = (kind, shapes, str(source.params))
        if key not in self._known:
            self._known[key] = _as_lowered(source)
        return self._known[key]


def _as_lowered(source):
    """What XLA counts for an equation alone: convolutions, windows, sorts, …"""
    # A formula of our own would be a second opinion on padding, dilation and groups,
    # and on what JAX makes of `cumsum` or `erf_inv`. To lower one equation takes 2 ms.
    shapes = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in source.invars]

    def run(*arrays):
        return source.primitive.bind(*arrays, **source.params)

    try:
        found = jax.jit(run).lower(*shapes).cost_analysis()
    except Exception:  # such as a call of the host, which XLA does not compute
        return 0
    return (found or {}).get("flops", 0)
