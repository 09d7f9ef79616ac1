"""Find the operation in which a NaN or an infinity of a step began.

The jaxpr of the step is evaluated equation by equation. Afterwards the search goes back
from a bad result: to an input that is bad in the same way, as long as there is one.
"""

import re
import types
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Loops are run turn by turn to find the turn, but not beyond so many.
_MOST_TURNS = 20_000


class Origin(NamedTuple):
    """Where bad numbers began.

    Attributes:
        kind: "NaN" or "infinity".
        primitive: name of JAX's primitive, such as "log".
        scope: scopes of the equation, such as "transpose(jvp(dense))".
        turn: number of the turn of the loop around it, from 0, or None.
        rows: numbers of the rows of the result that are bad, all leading axes of the
            size of the batch counting; None if it has no such axis.
        shape: of the result.
        inputs: the inputs in words.
        place: "file:line" of the user's code, or "".
        batch_size: samples of the batch, if the result has rows.
        cause: None, or the `Origin` of the infinity that made a NaN.
    """

    kind: str
    primitive: str
    scope: str
    turn: int | None
    rows: list[int] | None
    shape: tuple[int, ...]
    inputs: list[str]
    place: str
    batch_size: int | None = None
    cause: Any = None


class _History(NamedTuple):
    """What a value was made of, if it is bad, without its array."""

    has_nan: bool = False
    has_inf: bool = False
    inputs: Any = ()
    origin: Any = None


_FINE = _History()  # what is finite is not searched


class _Value(NamedTuple):
    """A value of the evaluation."""

    array: Any
    history: _History


@jax.jit
def _bad(array):
    return jnp.stack([jnp.isnan(array).any(), jnp.isinf(array).any()])


def _badness(array):
    """(has NaN, has infinities)."""
    if not _is_inexact(array):
        return False, False
    nan, inf = np.asarray(_bad(array)).tolist()
    return nan, inf


def _is_inexact(array):
    return hasattr(array, "dtype") and jnp.issubdtype(array.dtype, jnp.inexact)


class NanSearch:
    """Evaluates a function of arrays, and finds where bad numbers began.

    Args:
        jaxpr: closed jaxpr of the function.
        batch_size: samples of a batch, or None.
    """

    def __init__(self, jaxpr: Any, batch_size: int | None):
        self._jaxpr, self._batch_size = jaxpr, batch_size

    def origin(
        self, arguments: list, names: list[str], results: list[int]
    ) -> Origin | None:
        """The `Origin` of the first bad result; None if all results are finite.

        Args:
            arguments: flat arrays.
            names: of the arguments; an infinity or NaN in one of them is the origin,
                unless its name is "".
            results: numbers of the outputs that count, the most telling first.
        """
        # A weight that is infinite, such as a mask, is so on purpose.
        inputs = [
            self._value(x, (), "", name, None, []) if name else _constant(x)
            for x, name in zip(arguments, names, strict=True)
        ]
        constants = [_constant(x) for x in self._jaxpr.consts]
        outputs = self._run(self._jaxpr.jaxpr, constants, inputs, "", None)
        histories = [outputs[i].history for i in results]
        bad = next((h for h in histories if h.has_nan or h.has_inf), None)
        return None if bad is None else _began(bad)

    def _run(self, jaxpr, constants, inputs, scope, turn):
        """Evaluate a jaxpr on `_Value`s."""
        known: dict[Any, _Value] = {}
        known.update(zip(jaxpr.constvars, constants, strict=True))
        known.update(zip(jaxpr.invars, inputs, strict=True))
        last = _last_uses(jaxpr)
        for number, equation in enumerate(jaxpr.eqns):
            values = [_lookup(known, x) for x in equation.invars]
            outputs = self._equation(equation, values, scope, turn)
            for variable, value in zip(equation.outvars, outputs, strict=True):
                known[variable] = value
            for variable in last.get(number, ()):  # frees the array
                known.pop(variable, None)
        return [_lookup(known, x) for x in jaxpr.outvars]

    def _equation(self, equation, values, scope, turn):
        name, params = equation.primitive.name, equation.params
        scope = "/".join(filter(None, [scope, str(equation.source_info.name_stack)]))
        if name == "cond":
            branch = params["branches"][int(values[0].array)]
            return self._inner(branch, values[1:], scope, turn)
        if name == "scan":
            return self._scan(params, values, scope)
        if name == "while":
            return self._while(equation, values, scope, turn)
        inner = params.get("jaxpr") or params.get("call_jaxpr")
        if inner is not None and name in _CALLS:
            return self._inner(inner, values, scope, turn)
        return self._evaluated(equation, values, scope, turn)

    def _inner(self, jaxpr, values, scope, turn):
        constants = [_constant(x) for x in getattr(jaxpr, "consts", ())]
        return self._run(getattr(jaxpr, "jaxpr", jaxpr), constants, values, scope, turn)

    def _scan(self, params, values, scope):
        """Run the turns of a scan one by one."""
        count, carried = params["num_consts"], params["num_carry"]
        constants, carry = values[:count], values[count : count + carried]
        stacked = values[count + carried :]
        turns = range(params["length"])
        outputs: list[Any] = [None] * len(turns)
        for turn in reversed(turns) if params["reverse"] else turns:
            rows = [_part(x.array[turn], [x]) for x in stacked]
            found = self._inner(
                params["jaxpr"], [*constants, *carry, *rows], scope, turn
            )
            carry, outputs[turn] = found[:carried], found[carried:]
        columns = zip(*outputs, strict=True)
        return [*carry, *(_part(jnp.stack([x.array for x in c]), c) for c in columns)]

    def _while(self, equation, values, scope, turn):
        """Run the turns of a loop one by one."""
        params = equation.params
        tests, body = params["cond_nconsts"], params["body_nconsts"]
        test_constants, constants = values[:tests], values[tests : tests + body]
        carry = values[tests + body :]
        for number in range(_MOST_TURNS):
            (goes_on,) = self._inner(
                params["cond_jaxpr"], [*test_constants, *carry], scope, number
            )
            if not bool(goes_on.array):
                return carry
            carry = self._inner(
                params["body_jaxpr"], [*constants, *carry], scope, number
            )
        return self._evaluated(equation, values, scope, turn)

    def _evaluated(self, equation, values, scope, turn):
        """Run one equation, and note its inputs where its results are bad."""
        arrays = [v.array for v in values]
        known = [
            v.array
            for v, x in zip(values, equation.invars, strict=True)
            if _is_variable(x)
        ]
        found = jax.core.eval_jaxpr(_alone(equation), (), *known)
        place, name = _place(equation), equation.primitive.name
        return [self._value(x, values, name, scope, turn, arrays, place) for x in found]

    def _value(self, array, values, name, scope, turn, inputs, place=""):
        """A value, with its `Origin` if it is bad."""
        nan, inf = _badness(array)
        if not (nan or inf):
            return _Value(array, _FINE)
        kind, words = "NaN" if nan else "infinity", list(map(_in_words, inputs))
        shape, rows = tuple(array.shape), self._rows(array)
        origin = Origin(
            kind, name, scope, turn, rows, shape, words, place, self._batch_size
        )
        return _Value(array, _History(nan, inf, [v.history for v in values], origin))

    def _rows(self, array):
        size = self._batch_size
        if not size or size not in array.shape[:2]:
            return None
        axis = array.shape.index(size)
        bad = ~np.isfinite(np.asarray(array.astype("float32")))
        others = tuple(i for i in range(array.ndim) if i != axis)
        return np.flatnonzero(bad.any(axis=others)).tolist()


_CALLS = frozenset(
    """jit pjit closed_call core_call remat remat2 checkpoint custom_jvp_call
    custom_vjp_call custom_vjp_call_jaxpr custom_lin""".split()
)


def _constant(array):
    return _Value(array, _History(*_badness(array)))


def _part(array, wholes):
    """A value that was cut out of others, or put together of them."""
    histories = [x.history for x in wholes]
    origin = next((h.origin for h in histories if h.origin), None)
    return _Value(array, _History(*_badness(array), histories, origin))


def _is_variable(x):
    return not hasattr(x, "val")  # but a literal


def _lookup(known, x):
    return known[x] if _is_variable(x) else _constant(np.asarray(x.val, x.aval.dtype))


def _alone(equation):
    """The jaxpr of one equation, as far as `eval_jaxpr` looks at it."""
    variables = list(filter(_is_variable, equation.invars))
    return types.SimpleNamespace(
        constvars=(), invars=variables, outvars=equation.outvars, eqns=[equation]
    )


def _last_uses(jaxpr):
    """{number of an equation: variables that nobody needs after it}."""
    last = {}
    for number, equation in enumerate(jaxpr.eqns):
        for variable in equation.invars:
            if _is_variable(variable):
                last[variable] = number
    kept = set(filter(_is_variable, jaxpr.outvars))
    uses: dict[int, list] = {}
    for variable, number in last.items():
        if variable not in kept:
            uses.setdefault(number, []).append(variable)
    return uses


def _began(history):
    """The `Origin` of a bad value: go back from it to where it began."""
    seen = set()
    while True:
        seen.add(id(history))
        attribute = "has_nan" if history.has_nan else "has_inf"
        before = [h for h in _bad_inputs(history, attribute) if id(h) not in seen]
        if before:
            history = before[0]
            continue
        infinite = _bad_inputs(history, "has_inf") if history.has_nan else []
        cause = _began(infinite[0]) if infinite else None
        return history.origin._replace(cause=cause)


def _bad_inputs(history, attribute):
    # Constants, such as the -inf of a mask, have no origin.
    return [h for h in history.inputs if getattr(h, attribute) and h.origin is not None]


def _in_words(array):
    """Shape and range of an array."""
    kind = f"{array.dtype}{list(array.shape)}" if hasattr(array, "dtype") else "number"
    if not _is_inexact(jnp.asarray(array)) or np.size(array) == 0:
        return kind
    numbers = np.asarray(jnp.asarray(array).astype("float32"))
    finite = numbers[np.isfinite(numbers)]
    parts = [f"{finite.min():.4g} to {finite.max():.4g}"] if finite.size else []
    for name, found in (("NaN", np.isnan(numbers)), ("infinite", np.isinf(numbers))):
        if found.any():
            parts.append(f"{int(found.sum())} {name}")
    return f"{kind} ({', '.join(parts)})"


def _place(equation):
    """The line of the user's code that made an equation."""
    traceback = equation.source_info.traceback
    for frame in traceback.frames if traceback is not None else ():
        name = frame.file_name
        if not re.search(
            r"[/\\](jax|jaxlib|minikeras|contextlib\.py|threading\.py)\b", name
        ):
            return f"{name}:{frame.line_num}"
    return ""


def direction_and_layer(scope: str) -> tuple[str, str]:
    """("forward" or "backward", path of the layer or loss) of an equation's scopes.

    >>> direction_and_layer("transpose(jvp(model))/transpose(jvp(model/dense))")
    ('backward', 'model/dense')
    >>> direction_and_layer("")
    ('update', '')
    """
    if not scope:
        return "update", ""
    names = re.findall(r"[^()]+", re.sub(r"\b(transpose|jvp|vmap|jit)\(", "(", scope))
    path = next((x.strip("/") for x in reversed(names) if x.strip("/")), "")
    path = path.removeprefix("rematted_computation").strip("/")
    if path.partition("/")[0] == "optimizer":
        return "update", ""
    return ("backward" if "transpose(" in scope else "forward"), path
