"""What computed an array: the layer, op or Input that an error names.

Only errors ask for it. A KerasTensor knows its layer. A traced array knows the equation
that computed it, and that the scopes around it, which `Layer.__call__` names.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax

# Equations to look at, at most: an array may come from thousands of them.
_MOST_EQUATIONS = 2000
# Names that a message holds.
_MOST_NAMES, _MOST_ARRAYS = 3, 6


def feeder(x: Any, around: Sequence[str] = ()) -> str:
    """The layers that computed an array, in words; "" where nobody knows.

    Args:
        x: KerasTensor, traced array, or anything else.
        around: names of the layers whose code is running, outermost first: what they
            compute themselves is looked through.
    """
    if (history := getattr(x, "_keras_history", None)) is not None:
        operation = history[0]
        kind = getattr(operation, "class_name", type(operation).__name__)
        if kind == "InputLayer":
            return f"Input {operation.name!r}"
        return f"{operation.name!r} ({kind})"
    names, is_input = _scopes_behind(x, list(around))
    if not names and is_input and around:
        return f"the input of {around[-1]!r}"
    return " and ".join(map(repr, names[:_MOST_NAMES]))


def is_traced(x: Any) -> bool:
    """Is it an array of a trace, or a KerasTensor?"""
    return isinstance(x, jax.core.Tracer) or hasattr(x, "_keras_history")


def _scopes_behind(x, around):
    """The scopes of the nearest equations of other code, and is there an input, too?"""
    waiting, seen, found, is_input = [x], set(), {}, False
    while waiting and len(seen) < _MOST_EQUATIONS:
        x = waiting.pop(0)
        while hasattr(x, "primal"):  # of a gradient: the value itself
            x = x.primal
        # JAX's tracers have `parent`; if a version has not, nothing is named.
        equation = getattr(x, "parent", None)
        if equation is None:
            is_input |= hasattr(x, "parent")
        elif id(equation) not in seen:
            seen.add(id(equation))
            stack = equation.source_info.name_stack.stack
            names = [p.name for p in stack if type(p).__name__ == "Scope"]
            # A step calls the model's bare `call`: its scopes lack the model's name.
            if not names or names in (around[: len(names)], around[1 : 1 + len(names)]):
                waiting += equation.in_tracers
            else:
                found["/".join(names)] = None
    return list(found), is_input


def arrays_in_call(error: BaseException, call: Callable[..., Any]) -> dict[str, Any]:
    """The arrays in the local variables of a user's `call` that an error came from.

    Args:
        error: has a traceback.
        call: method that a user wrote; of another one nothing is told.

    Returns:
        {name of the variable: its value}, the last ones assigned.
    """
    function = getattr(call, "__func__", call)
    code = getattr(function, "__code__", None)
    if code is None or function.__module__.startswith("minikeras."):
        return {}
    entry, found = error.__traceback__, {}
    while entry is not None:
        if entry.tb_frame.f_code is code:
            found = entry.tb_frame.f_locals
        entry = entry.tb_next
    arrays = {name: x for name, x in found.items() if hasattr(x, "aval")}
    return dict(list(arrays.items())[-_MOST_ARRAYS:])
