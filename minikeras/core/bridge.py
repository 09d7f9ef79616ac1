"""THE bridge: between objects that remember and functions that compute.

A `Frame` says what the code that runs now sees: which arrays stand for which
Variables, whether it trains, which dtype floats are cast to, where losses and
masks go. Frames are linked, immutable in their settings and held by the only
ContextVar of the package, so that no thread sees another's. `apply` binds arrays to
Variables, runs any code written in Keras style and hands back the new arrays, which
makes it a pure function.
"""

import weakref
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax


class Bindings:
    """Arrays standing for Variables, and the bindings around them."""

    __slots__ = ("values", "outer", "kept")

    def __init__(self, values: dict[int, Any], outer: "Bindings | None"):
        self.values = values  # id(variable) -> array
        self.outer = outer
        self.kept: list[Any] = []

    def bind(self, variable, value):
        """Let `value` stand for `variable`, which may be a passing one.

        A variable met here first is kept: were it collected, the next Variable could
        get its identity, and with it this value.
        """
        if id(variable) not in self.values:
            self.kept.append(variable)
        self.values[id(variable)] = value

    def lookup(self, variable, default=None):
        """The array bound to `variable` here or further out."""
        scope, key = self, id(variable)
        while scope is not None:
            if key in scope.values:
                return scope.values[key]
            scope = scope.outer
        return default


class MaskTable:
    """MaskTable by the identity of the array they belong to.

    The array is kept by weak reference: an entry lives as long as its array, and
    an identity that was taken over by another array is never mistaken for it.
    """

    __slots__ = ("table",)

    def __init__(self):
        self.table: dict[int, tuple[Any, Any]] = {}

    def get(self, array):
        entry = self.table.get(id(array))
        return entry[1] if entry is not None and entry[0]() is array else None

    def set(self, array, mask):
        key, table = id(array), self.table
        if mask is None:
            table.pop(key, None)
        else:
            table[key] = (weakref.ref(array, lambda _: table.pop(key, None)), mask)


class SerializationSettings(NamedTuple):
    """How configs are written and read within a call.

    Attributes:
        custom_objects: tables {name: class or function}, the innermost last.
        safe_mode: False: lambdas of a config may run; None: as the setting says.
        shared: {id: object} of what was met already; None: nothing is shared.
        live: of an object that is copied in memory, the functions, by number, and the
            classes, by how configs name them; None: nothing is copied.
    """

    custom_objects: tuple[dict[str, Any], ...] = ()
    safe_mode: bool | None = None
    shared: dict | None = None
    live: dict | None = None


class Frame:
    """What the running code sees. Entered with `with`; settings are inherited."""

    __slots__ = (
        *("bindings", "training", "autocast", "losses", "masks", "path", "remat"),
        *("context", "configs"),
        *("outer", "opener", "closed"),
    )
    bindings: Bindings | None
    training: bool | None
    autocast: str | None
    losses: list | None
    masks: MaskTable
    path: tuple[str, ...]
    remat: Any  # the RematScope that new layers come under, or None
    context: dict  # further call arguments that reach layers by themselves
    configs: SerializationSettings
    opener: Any  # the `Scope` that entered it, or None

    def __init__(self, **changes):
        around = self.outer = _current.get()
        self.opener, self.closed = None, False
        for name in _SETTINGS:
            value = changes[name] if name in changes else getattr(around, name)
            setattr(self, name, value)

    def __enter__(self):
        _current.set(self)
        return self

    def __exit__(self, *exc):
        outer = self.outer
        while outer.closed:
            outer = outer.outer
        _current.set(outer)


_SETTINGS = Frame.__slots__[:-3]


class Scope:
    """A setting that users open by hand, with `with`.

    One object may be opened many times, at once in many threads: what is open stands
    in the frames of each thread, not in the object.
    """

    _drops_inner = False  # does its end close scopes that were left open within?

    def _changes(self) -> dict[str, Any]:
        """The settings of the `Frame` within."""
        raise NotImplementedError

    def __enter__(self):
        frame = Frame(**self._changes())
        frame.opener = self
        frame.__enter__()
        return self

    def __exit__(self, *exc):
        frame = current()
        while frame is not None and (frame.opener is not self or frame.closed):
            frame = frame.outer
        if frame is current() or frame is not None and self._drops_inner:
            frame.__exit__(*exc)
        elif frame is not None:
            # Others were opened within and go on, such as that of a generator.
            frame.closed = True


def _root() -> Frame:
    frame = object.__new__(Frame)
    frame.bindings = frame.training = frame.autocast = frame.losses = None
    frame.masks, frame.path, frame.remat, frame.context = MaskTable(), (), None, {}
    frame.configs, frame.outer, frame.opener = SerializationSettings(), None, None
    frame.closed = False
    return frame


# A frame is not changed once it is made, so all contexts may share the outermost.
_current: ContextVar[Frame] = ContextVar(
    "minikeras_frame",
    default=_root(),  # noqa: B039
)


def current() -> Frame:
    """The innermost frame."""
    return _current.get()


def restore(frame: Frame) -> None:
    """Make a frame the innermost again, whatever was left open within."""
    _current.set(frame)


def get_mask(x):
    """The mask that came with an array or KerasTensor, or None."""
    if hasattr(x, "_keras_mask"):
        return x._keras_mask
    return None if x is None else _current.get().masks.get(x)


def set_mask(x, mask) -> None:
    """Let a mask travel with an array or KerasTensor; None takes it away.

    On a concrete array it can also be read as `_keras_mask`, as users of Keras do.
    """
    if not isinstance(x, jax.core.Tracer) and hasattr(x, "__dict__"):
        x._keras_mask = mask
    else:
        _current.get().masks.set(x, mask)


def bound(values: dict[int, Any], **changes) -> Frame:
    """A frame in which Variables read and write `values` (by `id(variable)`)."""
    return Frame(bindings=Bindings(values, _current.get().bindings), **changes)


def isolated(values=None, **changes) -> Frame:
    """A frame whose code writes nothing outside of it.

    Assigned Variables go to `values` (a new dict by default), added losses to a new
    list, masks to a new table.
    """
    settings = {"losses": [], "masks": MaskTable(), **changes}
    return bound({} if values is None else values, **settings)


class Bridge:
    """Inside `with Bridge(variables, values):` the values stand for the Variables.

    Args:
        variables: a tree (dicts, tuples, …) of Variables.
        values: the same tree, of arrays.
        training: the mode that layers called without `training=` take.
    """

    def __init__(self, variables, values, training=None):
        leaves, self._tree = jax.tree_util.tree_flatten(variables)
        self._keys = [id(v) for v in leaves]
        self._store = dict(
            zip(self._keys, self._tree.flatten_up_to(values), strict=True)
        )
        self._training = training

    def __enter__(self):
        self._frame = isolated(self._store, training=self._training)
        self._frame.__enter__()
        return self

    def __exit__(self, *exc):
        self._frame.__exit__(*exc)

    def new(self):
        """The tree of arrays as the code in the body left it."""
        return self._tree.unflatten([self._store[key] for key in self._keys])


def apply(fn, variables, values, *args, training=None, **kwargs):
    """Run stateful `fn` as a pure function of the arrays in `values`.

    While `fn` runs, reading or assigning a Variable reads or assigns the array that
    stands for it; the objects themselves are not touched.

    Args:
        fn: any code in Keras style.
        variables: a tree of Variables, such as {path: Variable}.
        values: the same tree, of arrays.
        *args, **kwargs: passed to `fn`.
        training: the mode that layers called without `training=` take.

    Returns:
        (what `fn` returned, the tree of arrays as `fn` left them).

    >>> from minikeras.core.variable import Variable
    >>> v = Variable([1.0, 2.0])
    >>> out, new = apply(lambda x: v.assign_add(x) is None, {"v": v}, {"v": v.value}, 1)
    >>> new["v"].tolist(), v.numpy().tolist()
    ([2.0, 3.0], [1.0, 2.0])
    """
    with Bridge(variables, values, training) as bridge:
        out = fn(*args, **kwargs)
    return out, bridge.new()
