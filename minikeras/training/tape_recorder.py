"""What a `GradientTape` records: operations of JAX, with their pullbacks.

JAX asks a trace, the innermost, to run each primitive operation. The `Recorder` hands
every operation on to the trace around, so that values stay ordinary arrays, and keeps
the pullbacks of those that depend on something tracked.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.lax import copy_p

from minikeras.core.bridge import current
from minikeras.core.late_import import late_import


class _Call:
    """An operation, as a function that equals any other of the same operation.

    Args:
        bind: runs it.
        key: what it does; equal keys mean equal operations.
    """

    def __init__(self, bind: Callable[..., Any], key: tuple):
        self._bind, self._key, self._hash = bind, key, hash(key)
        self.was_called = False

    def __call__(self, *args: Any) -> Any:
        self.was_called = True
        return self._bind(*args)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Call) and self._key == other._key


def _operation(primitive, params, functions):
    """A primitive as a function of arrays; a `_Call` if it is worth compiling.

    Args:
        primitive: the primitive.
        params: its parameters.
        functions: what a function with a derivative of its own is made of.
    """
    bind, rules = _bound(primitive, params, functions), ()
    if functions:
        names = ("__module__", "__qualname__")
        path = ".".join(str(getattr(functions[0].f, name, "")) for name in names)
        if not path.startswith(("jax.", "minikeras.")) or "<locals>" in path:
            return bind  # it may read what changes, or be made for this call alone
        rules = (functions[0], *(function.f for function in functions[1:]))
    # The code of jitted functions is kept by JAX, that of loops is traced anew.
    is_kept = primitive.name in ("jit", "pjit")
    values = params.values() if is_kept else map(_hashable, params.values())
    try:
        return _Call(bind, (primitive, *params, *values, *rules))
    except TypeError:  # a parameter without a hash
        return bind


def _bound(primitive, params, functions):
    if functions:
        params = {**params, "subfuns": functions}
    return functools.partial(primitive.bind, **params)


def _hashable(param):
    """A parameter of a primitive as a key: code by its text, if that says all."""
    return str(param) if _is_plain(param) else param


def _is_plain(jaxpr):
    """Is it a jaxpr whose inner parts hold no arrays and no functions?"""
    if not hasattr(jaxpr, "eqns") or getattr(jaxpr, "consts", ()):
        return False
    for eqn in jaxpr.eqns:
        for value in jax.tree_util.tree_leaves([*eqn.params.values()]):
            if hasattr(value, "eqns") and not _is_plain(value) or callable(value):
                return False
    return True


def _with_pullback(call, tracked, args):
    """Run an operation on `args`; differentiate it by those at the places `tracked`.

    Returns: (outputs as a list, pullback of the outputs that are floats).
    """

    def run(*values):
        new = dict(zip(tracked, values, strict=True))
        outs = call(*(new.get(i, arg) for i, arg in enumerate(args)))
        outs = list(outs) if isinstance(outs, (list, tuple)) else [outs]
        return [out for out in outs if is_float(out)], outs

    _, pullback, outs = jax.vjp(run, *(args[i] for i in tracked), has_aux=True)
    return outs, pullback


# An operation that runs eagerly costs one call of a compiled program, and so does its
# pullback; compiled once for each kind of operation and shape. In a trace they vanish.
_compiled = jax.jit(_with_pullback, static_argnums=(0, 1), inline=True)
_pull = jax.jit(lambda pullback, cotangents: pullback(cotangents), inline=True)


def _pull_again(call, tracked, args, cotangents):
    """The pullback as a function of the arguments, too, for second derivatives."""
    return _with_pullback(call, tracked, args)[1](cotangents)


_compiled_pull_again = jax.jit(_pull_again, static_argnums=(0, 1), inline=True)


def is_float(x):
    return jnp.issubdtype(x.dtype, jnp.inexact)


class Record(NamedTuple):
    """One operation.

    Attributes:
        inputs: those of its arguments that are tracked.
        outputs: those of its results that are floats.
        pullback: function (cotangents of the outputs) -> cotangents of the inputs.
        pull_again: the same as operations that depend on the arguments, or None.
    """

    inputs: list
    outputs: list
    pullback: Callable[..., Any]
    pull_again: Callable[..., Any] | None


class Recording:
    """Operations in the order in which they ran, and the arrays that they belong to.

    Args:
        keeps_arguments: are arguments kept, for second derivatives?

    Attributes:
        is_open: do operations count now?
        arrays: {id: array} of what is watched or depends on it. They are kept, so that
            no other array can get such an id.
        records: the operations.
    """

    def __init__(self, keeps_arguments: bool):
        self.keeps_arguments, self.is_open = keeps_arguments, False
        self.arrays: dict[int, Any] = {}
        self.records: list[Record] = []

    def clear(self) -> None:
        """Forget everything, as if nothing had been watched."""
        self.arrays.clear()
        self.records.clear()

    def tracked(self, args: Any) -> tuple[int, ...]:
        """The places of the arguments whose derivatives are wanted."""
        arrays = self.arrays if self.is_open else ()
        return tuple(i for i, x in enumerate(args) if id(x) in arrays and is_float(x))

    def add(self, inputs: list, outputs: list, pullback: Any, pull_again: Any) -> None:
        """Keep an operation, unless all it gives are integers."""
        outputs = [out for out in outputs if is_float(out)]
        if outputs:
            pull_again = pull_again if self.keeps_arguments else None
            self.records.append(Record(inputs, outputs, pullback, pull_again))
            self.arrays.update((id(out), out) for out in outputs)


def pull_back(
    records: list[Record], cotangents: dict[int, Any], sources: set[int], again: bool
) -> None:
    """Run the pullbacks that lie between the sources and the targets.

    Args:
        records: in the order of the operations.
        cotangents: {id(array): cotangent} of the targets; it is completed.
        sources: ids of the arrays whose cotangents are wanted.
        again: are the pullbacks recorded themselves?
    """
    reached, between = set(sources), []
    for record in records:
        if any(id(x) in reached for x in record.inputs):
            between.append(record)
            reached.update(map(id, record.outputs))
    for record in reversed(between):
        known = [cotangents.get(id(x)) for x in record.outputs]
        if all(cotangent is None for cotangent in known):
            continue
        pairs = zip(known, record.outputs, strict=True)
        full = [jnp.zeros_like(x) if ct is None else ct for ct, x in pairs]
        found = (record.pull_again if again else record.pullback)(full)
        for x, cotangent in zip(record.inputs, found, strict=True):
            add_cotangent(cotangents, x, cotangent)


def add_cotangent(cotangents: dict[int, Any], x: Any, cotangent: Any) -> None:
    """Add to the cotangent of an array."""
    known = cotangents.get(id(x))
    cotangents[id(x)] = cotangent if known is None else known + cotangent


_NOTHING = Recording(keeps_arguments=False)  # nothing is tracked


def _jax_core():
    return late_import("jax.extend.core")  # 50 ms, when it is first needed


def trace_of(count: int) -> Any:
    """The trace of code within `count` tapes, on the trace that is no `Recorder`."""
    with _jax_core().take_current_trace() as trace:
        pass
    while isinstance(trace, Recorder):
        trace = trace.around
    make = _eager_recorder if type(trace).__name__ == "EvalTrace" else Recorder
    for depth in range(count):
        trace = make(trace, depth)
    return trace


def is_recording() -> bool:
    """Is the innermost trace a `Recorder`?"""
    with _jax_core().take_current_trace() as trace:
        return isinstance(trace, Recorder)


def within(count: int) -> Any:
    """A `with` block of code within so many tapes; entered alone, it stays so."""
    return _jax_core().set_current_trace(trace_of(count))


@functools.cache
def _eager_recorder(around, depth):
    # One for all tapes: JAX keeps what it finds out about a call by the trace, and
    # looking up a call among those of a thousand traces takes milliseconds.
    return Recorder(around, depth)


class Recorder(jax.core.Trace):
    """The trace that runs operations in the trace around and keeps their pullbacks.

    Args:
        around: the trace around.
        depth: the number of tapes around.
    """

    def __init__(self, around: Any, depth: int):
        super().__init__()
        self.around, self._depth = around, depth

    def process_primitive(self, primitive, args, params, functions=(), /):
        # Code of another context, such as a task of asyncio, may run meanwhile.
        recordings = current().recordings
        known = self._depth < len(recordings)
        recording = recordings[self._depth] if known else _NOTHING
        tracked = recording.tracked(args)
        with _jax_core().set_current_trace(self.around):
            if not tracked:
                return _bound(primitive, params, functions)(*args)
            call = _operation(primitive, params, functions)
            if not isinstance(call, _Call):
                outs, pullback = _with_pullback(call, tracked, args)
                again = functools.partial(_pull_again, call, tracked, args)
            else:
                outs, pullback = _compiled(call, tracked, args)
                again = functools.partial(_compiled_pull_again, call, tracked, args)
                if functions and not call.was_called:
                    # JAX asks these very objects for the structure of the result, and
                    # a program that was compiled before does not call them.
                    functions[0].call_wrapped(*args)
                pullback = functools.partial(_pull, pullback)
            # JAX may hand an argument on as the result. What is recorded needs an
            # identity of its own: `stop_gradient(x)` is not `x`.
            # In a trace, a result and a residual of the pullback may be one tracer.
            given = {id(arg) for arg in args}
            for i, x in enumerate(outs):
                outs[i] = copy_p.bind(x) if id(x) in given else x
                given.add(id(outs[i]))
        recording.add([args[i] for i in tracked], outs, pullback, again)
        return outs if primitive.multiple_results else outs[0]

    def process_call(self, primitive, f, args, params, /):
        return self.process_primitive(primitive, args, params, (f,))

    def process_custom_jvp_call(self, primitive, fun, jvp, args, /, **params):
        return self.process_primitive(primitive, args, params, (fun, jvp))

    def process_custom_vjp_call(self, primitive, fun, fwd, bwd, args, /, **params):
        return self.process_primitive(primitive, args, params, (fun, fwd, bwd))

    def stage_value(self, val):
        return val if isinstance(val, jax.Array) else self.around.stage_value(val)
