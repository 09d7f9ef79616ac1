"""The bridge: run code that uses Variables as a pure function of arrays.

A `Frame` holds what the running code sees: the arrays bound to Variables, the training
mode, the dtype that floats are cast to, the lists that losses and masks go to. Frames
are linked, their settings do not change, and the only ContextVar of the package holds
the innermost one, so no thread sees another's. `apply` binds arrays to Variables, runs
any code written in Keras style and returns the new arrays: a pure function of arrays.
"""

import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import jax

from minikeras.core.serialization_settings import SerializationSettings


class Bindings:
    """The arrays bound to Variables, linked to the bindings around them."""

    __slots__ = ("values", "outer", "new_variables", "uninitialized")

    def __init__(self, values: dict[int, Any], outer: "Bindings | None"):
        self.values, self.outer = values, outer  # values: {id(variable): array}
        self.new_variables: list[Any] = []
        self.uninitialized: list[Any] | None = None  # a list within `StatelessScope`s

    def bind(self, variable: Any, value: Any) -> None:
        """Bind an array to a Variable, which may have been made just now."""
        if id(variable) not in self.values:
            # If it were collected, a new Variable could get its id, and the array.
            self.new_variables.append(variable)
        self.values[id(variable)] = value

    def lookup(self, variable: Any, default: Any = None) -> Any:
        """The array bound to a Variable here or further out."""
        scope, key = self, id(variable)
        while scope is not None:
            if key in scope.values:
                return scope.values[key]
            scope = scope.outer
        return default


class MaskTable:
    """Masks by the id of their array.

    An entry lives as long as the array, so no later array with this id gets the mask.
    """

    __slots__ = ("table",)

    def __init__(self):
        self.table: dict[int, tuple[Any, Any]] = {}

    def get(self, array: Any) -> Any:
        entry = self.table.get(id(array))
        return entry[1] if entry is not None and entry[0]() is array else None

    def set(self, array: Any, mask: Any) -> None:
        key, table = id(array), self.table
        if mask is None:
            table.pop(key, None)
        else:
            table[key] = (weakref.ref(array, lambda _: table.pop(key, None)), mask)


_SETTINGS = (
    "bindings", "training", "autocast", "losses", "masks", "path", "remat",
    "context", "serialization", "in_loop", "in_pipeline",
    "host", "on_read", "on_call", "recordings", "draws_of", "in_bridge",
)  # fmt: skip


class Frame:
    """What the running code sees; settings not given are those of the frame around."""

    __slots__ = (*_SETTINGS, "outer", "opener", "closed")
    bindings: Bindings | None
    training: bool | None
    autocast: str | None
    losses: list | None
    masks: MaskTable
    path: tuple[str, ...]
    remat: Any  # the `RematScope` of layers that are made now, or None
    context: dict  # further call arguments that reach layers by themselves
    serialization: SerializationSettings
    in_loop: bool  # is the body of a compiled loop traced now?
    in_pipeline: bool  # does the code prepare data, in NumPy on the host?
    host: Any  # the `HostCalls` that a step can look up, or None
    on_read: Any  # function (Variable, array) -> array of those that are read, or None
    on_call: Any  # function (layer, call, *args, **kwargs) that runs layers, or None
    recordings: tuple  # what tapes have recorded so far, the innermost last
    draws_of: Any  # the model whose own generator gives draws without a seed, or None
    in_bridge: bool  # is all state bound, so that what else is assigned is lost?
    opener: Any  # the `Scope` that entered the frame, or None

    def __init__(self, **changes: Any):
        around = self.outer = _current.get()
        self.opener, self.closed = None, False
        # Copied, not looked up further out: each read of a Variable asks two of them.
        for name in _SETTINGS:
            value = changes[name] if name in changes else getattr(around, name)
            setattr(self, name, value)

    def __enter__(self):
        _current.set(self)
        return self

    def __exit__(self, *exc):
        # `ContextVar.reset` would need frames to end in the order of their tokens.
        # Scopes in generators, or left open by an error, end in any order.
        outer = self.outer
        while outer.closed:
            outer = outer.outer
        _current.set(outer)


class Scope:
    """A setting that users open with `with`; subclasses say which.

    One object may be open in several threads at once, with a frame in each.
    """

    _drops_inner = False  # does its end close the scopes that were left open within?

    def _changes(self) -> dict[str, Any]:
        """The settings of the `Frame` within."""
        raise NotImplementedError

    def __enter__(self):
        frame = Frame(**self._changes()).__enter__()
        frame.opener = self
        return self

    def __exit__(self, *exc):
        frame = current()
        while frame is not None and (frame.opener is not self or frame.closed):
            frame = frame.outer
        if frame is current() or frame is not None and self._drops_inner:
            frame.__exit__(*exc)
        elif frame is not None:
            # Scopes that were opened within stay open, such as that of a generator.
            frame.closed = True


def _root() -> Frame:
    frame = object.__new__(Frame)
    for name in Frame.__slots__:
        setattr(frame, name, None)
    frame.masks, frame.path, frame.context, frame.in_loop = MaskTable(), (), {}, False
    frame.serialization, frame.closed = SerializationSettings(), False
    frame.in_bridge, frame.recordings = False, ()
    return frame


# The settings of a frame do not change, so all contexts may share the outermost one.
_current: ContextVar[Frame] = ContextVar("minikeras_frame", default=_root())  # noqa: B039


def current() -> Frame:
    """The innermost frame."""
    return _current.get()


def restore(frame: Frame) -> None:
    """Make a frame the innermost again, whatever was left open within."""
    _current.set(frame)


def get_mask(x: Any) -> Any:
    """The mask of an array or KerasTensor, or None."""
    if hasattr(x, "_keras_mask"):
        return x._keras_mask
    return None if x is None else _current.get().masks.get(x)


def set_mask(x: Any, mask: Any) -> None:
    """Attach a mask to an array or KerasTensor; None takes it away.

    Users read the mask of a concrete array as `_keras_mask`; traced ones lack it.
    """
    if not isinstance(x, jax.core.Tracer) and hasattr(x, "__dict__"):
        x._keras_mask = mask
    else:
        _current.get().masks.set(x, mask)


def bound(values: dict[int, Any], **changes: Any) -> Frame:
    """A frame in which Variables read and write `values` (by `id(variable)`)."""
    return Frame(bindings=Bindings(values, _current.get().bindings), **changes)


def isolated(values: dict[int, Any] | None = None, **changes: Any) -> Frame:
    """A frame whose code changes nothing outside of it.

    Assigned Variables go to `values` (a new dict by default), added losses to a new
    list, masks to a new table.
    """
    changes = {"losses": [], "masks": MaskTable(), **changes}
    return bound({} if values is None else values, **changes)


class Bridge:
    """`with Bridge(variables, values) as bridge:` binds arrays to Variables.

    Args:
        variables: a tree (dicts, tuples, …) of Variables.
        values: the same tree, of arrays.
        training: the mode of layers that are called without `training=`.
        owner: the model whose code is run, if it is run without calling the model.
    """

    def __init__(
        self,
        variables: Any,
        values: Any,
        training: bool | None = None,
        owner: Any = None,
    ):
        leaves, self._tree = jax.tree_util.tree_flatten(variables)
        self._keys = [id(v) for v in leaves]
        arrays = self._tree.flatten_up_to(values)
        self._values = dict(zip(self._keys, arrays, strict=True))
        self._settings = {"training": training, "draws_of": owner, "in_bridge": True}

    def __enter__(self):
        self._frame = isolated(self._values, **self._settings)
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)

    def new(self) -> Any:
        """The tree of arrays after the code in the body."""
        return self._tree.unflatten([self._values[key] for key in self._keys])

    def lost(self) -> list[Any]:
        """Variables that the body assigned and that are none of the tree."""
        return self._frame.bindings.new_variables


def apply(
    fn: Callable, variables: Any, values: Any, *args: Any, training=None, **kwargs: Any
) -> tuple[Any, Any]:
    """Run code in Keras style as a pure function; the objects do not change.

    Args:
        fn: function that reads and assigns Variables.
        variables, values, training: as in `Bridge`.
        *args, **kwargs: of `fn`.

    Returns: (what `fn` returned, the tree of arrays after it).

    >>> from minikeras.core.variable import Variable
    >>> v = Variable([1.0, 2.0])
    >>> out, new = apply(lambda x: v.assign_add(x).sum(), {"v": v}, {"v": v.value}, 1)
    >>> out.tolist(), new["v"].tolist(), v.numpy().tolist()
    (5.0, [2.0, 3.0], [1.0, 2.0])
    """
    with Bridge(variables, values, training) as bridge:
        out = fn(*args, **kwargs)
    return out, bridge.new()
