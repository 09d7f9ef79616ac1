"""The equations of a traced program, each with the layer that it belongs to.

`Layer.__call__` opens `jax.named_scope(layer.name)`, so each equation of a trace knows
the names of the layers around it, and whether a transformation for gradients made it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from minikeras.training.cost import branch_for

# Primitives that call a jaxpr, and where their parameters have it. `custom_vjp_call`
# and `custom_jvp_call` have the functions of their rules besides.
_CALLED = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "checkpoint": "jaxpr",
    "remat2": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}


class Value:
    """An array of a program, known by its shape and dtype alone.

    Two calls of one function share the variables of its jaxpr, but no values.

    Args:
        aval: has `shape` and `dtype`.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: Any):
        self.aval = aval


class Equation(NamedTuple):
    """One primitive operation.

    Attributes:
        primitive: name, such as `"dot_general"`.
        source: the equation of JAX.
        inputs: list of `Value`s; None for a number that is written in the program.
        outputs: list of `Value`s.
        names: of the scopes around it, outermost first.
        is_backward: does it compute gradients?
    """

    primitive: str
    source: Any
    inputs: list
    outputs: list
    names: tuple[str, ...]
    is_backward: bool


def equations(
    jaxpr: Any, platform: str, names: tuple[str, ...] = (), is_backward: bool = False
) -> tuple[list[Equation], set[Value]]:
    """The equations of a (closed) jaxpr in order, calls replaced by what they call.

    Loops and conditions stay one equation each. Equations whose results nobody reads
    are left out, as JAX does before it compiles.

    Args:
        jaxpr: the traced program.
        platform: of branches by platform, the one for this is taken.
        names, is_backward: scopes around the whole, and whether it computes gradients.

    Returns:
        (equations, the values that the program returns).
    """
    jaxpr, found = getattr(jaxpr, "jaxpr", jaxpr), []
    values = {v: Value(v.aval) for v in (*jaxpr.invars, *jaxpr.constvars)}
    _flatten(jaxpr, values, platform, names, is_backward, found)
    returned = {values[v] for v in jaxpr.outvars if not hasattr(v, "val")} - {None}
    needed, kept = set(returned), []
    for equation in reversed(found):
        if equation.source.effects or not needed.isdisjoint(equation.outputs):
            needed.update(equation.inputs)
            kept.append(equation)
    return kept[::-1], returned


def _flatten(jaxpr, values, platform, names, is_backward, found):
    """Append the equations of a jaxpr to `found`, and its values to `values`."""
    read = lambda v: None if hasattr(v, "val") else values.get(v)  # noqa: E731
    for source in jaxpr.eqns:
        stack = source.source_info.name_stack.stack
        inner_names = (*names, *_scopes(stack))
        backward = is_backward or any(
            part.name == "transpose" for part in stack if not _is_scope(part)
        )
        inputs = [read(v) for v in source.invars]
        called = called_jaxpr(source, platform)
        if called is None:
            outputs = [Value(v.aval) for v in source.outvars]
            kind = source.primitive.name
            found.append(Equation(kind, source, inputs, outputs, inner_names, backward))
        else:
            # The first input of a `cond` is the number of the branch.
            inputs = inputs[len(inputs) - len(called.invars) :]
            inner = dict(zip(called.invars, inputs, strict=True))
            inner |= {v: Value(v.aval) for v in called.constvars}
            _flatten(called, inner, platform, inner_names, backward, found)
            outputs = [
                None if hasattr(v, "val") else inner.get(v) for v in called.outvars
            ]
        values.update(zip(source.outvars, outputs, strict=True))


def called_jaxpr(equation: Any, platform: str) -> Any:
    """The jaxpr that an equation of JAX does nothing but call, or None."""
    kind, params = equation.primitive.name, equation.params
    if kind == "cond":
        return branch_for(params, platform)
    called = params.get(_CALLED.get(kind, ""))
    return getattr(called, "jaxpr", called)


def _is_scope(part):
    return type(part).__name__ == "Scope"


def _scopes(stack) -> Iterable[str]:
    """The names of the scopes in a name stack; "a/b" is two."""
    for part in stack:
        if _is_scope(part):
            yield from part.name.split("/")


def layer_names(model: Any, scope: Iterable[str]) -> tuple[str, ...]:
    """The names of layers in a scope, each inside of the one before.

    Args:
        model: the model that runs.
        scope: names of the scopes around an operation, outermost first.
    """
    names, around = [], model
    for name in scope:
        layers = getattr(around, "operations", None)
        if layers is None:
            layers = around._mk_flatten_layers(include_self=False, recursive=False)
        found = next((layer for layer in layers if layer.name == name), None)
        if found is not None:
            names.append(name)
            around = found
            if not hasattr(around, "_mk_flatten_layers"):  # a recorded op
                break
    return tuple(names)
