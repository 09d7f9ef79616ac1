"""The state of any object as plain data: numbers, texts, arrays, and containers.

A file holds it without pickle, so reading one runs no code. Packed data consist of
None, bools, numbers, strings, lists and arrays of NumPy, and of dicts with an entry
`"kind"`, which stand for everything else.
"""

import collections
import inspect
import random
import warnings
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import random_state
from minikeras.core.variable import Variable

_ATOMS = (type(None), bool, int, float, str)
_SEQUENCES = {"tuple": tuple, "set": set, "frozenset": frozenset}
_DICTS = {"OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
# Of these a file can hold arrays.
_TYPES = frozenset(
    """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32
    float64 complex64 float8_e4m3fn float8_e5m2""".split()
)
_RANDOM = (random.Random, np.random.Generator, np.random.RandomState)
# Bytes. A larger array is compared by identity: to copy and to compare the data set
# that an object holds would take longer than many steps.
_LARGE = 1 << 20
_DEEPEST = 50  # levels of containers; a container that holds itself has no end


class NotPlainError(TypeError):
    """A value that has no form as plain data."""


def pack(value: Any, depth: int = 0) -> Any:
    """Pack a value; arrays are not copied.

    Random generators, Variables, objects whose `variables` are Variables, such as
    metrics and models, and objects with `get_state()` and `set_state(state)` are packed
    as their states.

    Raises:
        NotPlainError: something in it is none of these.
    """
    if type(value) in _ATOMS:
        return value
    if depth > _DEEPEST:
        raise NotPlainError(f"containers in containers, over {_DEEPEST} levels")
    below = lambda items: [pack(item, depth + 1) for item in items]  # noqa: E731
    if type(value) is list:
        return below(value)
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return _packed_array(value)
    if isinstance(value, dict):
        items = below(x for p in value.items() for x in p)
        return {"kind": "dict", "items": items, "class": type(value).__name__}
    if type(value) in _SEQUENCES.values():
        items = value if isinstance(value, tuple) else sorted(value, key=repr)
        return {"kind": type(value).__name__, "items": below(items)}
    if isinstance(value, collections.deque):
        return {"kind": "deque", "items": below(value), "maxlen": value.maxlen}
    if isinstance(value, bytes):
        return {"kind": "bytes", "hex": value.hex()}
    if isinstance(value, _RANDOM):
        return {"kind": "random", "state": pack(random_state.of(value), depth + 1)}
    if (methods := state_methods(value)) is not None:
        return {"kind": "object", "state": pack(methods[0](), depth + 1)}
    variables: Any = _variables(value)
    if variables is not None:
        return {"kind": "variables", "items": [v.value for v in variables]}
    raise NotPlainError(type(value).__name__)


def _packed_array(value):
    if isinstance(value, jax.Array):
        if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise NotPlainError("a typed key of jax.random")
        if str(value.dtype) not in _TYPES:
            raise NotPlainError(f"numbers of type {value.dtype}")
        return {"kind": "array", "array": value}
    if getattr(value.dtype, "kind", "") in "OSUMm":
        array = np.asarray(value)
        if array.dtype.kind in "SMm" or array.dtype.kind == "O" and array.ndim == 0:
            raise NotPlainError(f"an array of {array.dtype}")
        text = {"kind": "texts", "dtype": array.dtype.str, "shape": [*array.shape]}
        return {**text, "items": [pack(x, 1) for x in array.reshape(-1).tolist()]}
    if str(value.dtype) not in _TYPES:
        raise NotPlainError(f"numbers of type {value.dtype}")
    return (
        value if isinstance(value, np.ndarray) else {"kind": "number", "array": value}
    )


def _variables(value: Any) -> Any:
    """The Variables that make up the state of an object, or None."""
    if isinstance(value, Variable):
        return [value]
    try:
        found = None if isinstance(value, type) else getattr(value, "variables", None)
    except Exception:  # a property of the user that is not ready yet
        return None
    if not isinstance(found, (list, tuple)):
        return None
    return found if all(isinstance(v, Variable) for v in found) else None


def state_methods(value: Any) -> Any:
    """The two functions with which an object tells and takes its state, or None.

    `get_state()` and `set_state(state)`; torch's names are `state_dict()` and
    `load_state_dict(state)`.
    """
    if isinstance(value, type):
        return None
    for names in (("get_state", "set_state"), ("state_dict", "load_state_dict")):
        methods = [getattr(value, name, None) for name in names]
        if all(map(callable, methods)) and _takes(methods[0], 0):
            return methods
    return None


def _takes(function, count):
    """Can a function be called with so many arguments? Others mean something else."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a function without a signature, of C
        return True
    return True


def _needs_current(packed):
    """Does it hold the state of an object, which nobody can make from plain data?"""
    if isinstance(packed, list):
        return any(map(_needs_current, packed))
    if not isinstance(packed, dict):
        return False
    kinds = ("random", "object", "variables")
    other = packed["kind"] == "dict" and packed["class"] == "defaultdict"
    return packed["kind"] in kinds or other or any(map(_needs_current, packed.values()))


def unpack(packed: Any, current: Any = None) -> Any:
    """The value of packed data.

    Args:
        packed: what `pack` returned.
        current: the value that it replaces. Lists, dicts, sets, deques and arrays of
            the same kind and shape are changed in place, so that whoever shares them
            sees the change; objects must be there, because plain data make none.

    Raises:
        ValueError: the state of an object that is not there any more.
    """
    if isinstance(packed, list):
        items = _items(packed, current)
        if type(current) is not list:
            return items
        current[:] = items
        return current
    if isinstance(packed, np.ndarray):
        return _into(packed, current)
    if not isinstance(packed, dict):
        return packed
    kind = packed["kind"]
    if kind in ("random", "object", "variables"):
        return _restored_object(packed, current)
    if kind in ("array", "number"):
        array = packed["array"]
        return jnp.asarray(array) if kind == "array" else array[()]
    if kind == "bytes":
        return bytes.fromhex(packed["hex"])
    if kind == "dict":
        return _into_dict(packed, current)
    items = _items(packed["items"], current)
    if kind == "texts":
        # Of NumPy's texts the longest decides the size, not what a file says.
        whole = np.empty(len(items), object)
        whole[:] = items
        if packed["dtype"] != "|O":
            whole = whole.astype(str)
        return _into(whole.reshape(packed["shape"]), current)
    if kind in ("tuple", "frozenset"):
        return _SEQUENCES[kind](items)
    if kind == "set":
        whole = current if type(current) is set else set()
    else:
        is_one = isinstance(current, collections.deque)
        whole = current if is_one else collections.deque(maxlen=packed["maxlen"])
    whole.clear()
    (whole.update if kind == "set" else whole.extend)(items)
    return whole


def _items(packed, current):
    """The items of a list or tuple; objects among them stay where they are."""
    same = isinstance(current, (list, tuple)) and len(current) == len(packed)
    old = current if same else [None] * len(packed)
    return [unpack(x, o) for x, o in zip(packed, old, strict=True)]


def _into_dict(packed, current):
    whole, pairs = current, packed["items"]
    if not isinstance(current, dict):
        whole = _DICTS.get(packed["class"], dict)()
    keys = [unpack(x) for x in pairs[::2]]
    items = [unpack(x, whole.get(k)) for k, x in zip(keys, pairs[1::2], strict=True)]
    whole.clear()
    for key, item in zip(keys, items, strict=True):  # a Counter's `update` would count
        whole[key] = item
    return whole


def _into(array, current):
    same = isinstance(current, np.ndarray) and (current.shape, current.dtype) == (
        array.shape,
        array.dtype,
    )
    if not same or not current.flags.writeable:
        return array
    current[...] = array
    return current


def _restored_object(packed, current):
    """Give an object its state."""
    kind, state = packed["kind"], packed.get("state")
    if kind == "random" and isinstance(current, _RANDOM):
        random_state.set_to(unpack(state), current)
    elif kind == "object" and (methods := state_methods(current)) is not None:
        methods[1](unpack(state))
    elif kind == "variables" and (variables := _variables(current)) is not None:
        arrays = packed["items"]
        if [v.shape for v in variables] != [a.shape for a in arrays]:
            raise ValueError(
                f"the state of a {type(current).__name__} has other shapes than it has"
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
    else:
        raise ValueError(
            f"the state of an object, but there is a {type(current).__name__} now"
        )
    return current


def is_same(a: Any, b: Any) -> bool:
    """Are two packed values equal, arrays entry by entry and NaN to NaN?"""
    if isinstance(a, (np.ndarray, jax.Array)) or isinstance(b, (np.ndarray, jax.Array)):
        if a is b or not (hasattr(a, "dtype") and hasattr(b, "dtype")):
            return a is b
        if (a.shape, a.dtype) != (b.shape, b.dtype) or a.nbytes > _LARGE:
            return False
        return np.asarray(a).tobytes() == np.asarray(b).tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    return a == b or a != a and b != b


def copied(packed: Any) -> Any:
    """Packed data that stay as they are when the object goes on; see `is_same`."""
    if isinstance(packed, np.ndarray):
        return packed if packed.nbytes > _LARGE else packed.copy()
    if isinstance(packed, list):
        return list(map(copied, packed))
    if isinstance(packed, dict):
        return {key: copied(value) for key, value in packed.items()}
    return packed


class StateOf:
    """The state of an object of a user: what it tells, or what has changed in it.

    An object with `get_state()` and `set_state(state)` tells its state. Of another, it
    is the attributes that differ from those at the time when this was made: what a new
    process sets anew needs no place in a file, and what its user has changed there
    stays changed. Arrays of over 1 MiB count as changed if another one is there.

    Args:
        holder: the object.
        leave_out: objects that are no part of its state, such as the model; and
            Variables that are stored elsewhere.
        ignored: names of attributes.

    Attributes:
        holder_module: name of the module of the object's class.
        unknown: names of attributes that have changed and are no plain data.
    """

    def __init__(
        self, holder: Any, leave_out: Iterable[Any] = (), ignored: Iterable[str] = ()
    ):
        self._holder, self._ignored = holder, frozenset(ignored)
        self.holder_module = type(holder).__module__
        self._left_out = {id(x) for x in leave_out}
        self.unknown: set[str] = set()
        self._begin = {}
        if state_methods(holder) is None:
            for name, value in self._attributes():
                self._begin[name] = value, copied(self._packed(value))

    def _attributes(self):
        for name, value in list(getattr(self._holder, "__dict__", {}).items()):
            if name not in self._ignored and id(value) not in self._left_out:
                yield name, value

    def _packed(self, value):
        """The packed value, or `_NOTHING` where it has no form as plain data."""
        try:
            variables = _variables(value)
            if variables and all(id(v) in self._left_out for v in variables):
                return _NOTHING
            return pack(value)
        except NotPlainError:
            return _NOTHING

    def get(self) -> Any:
        """The state, packed."""
        if (methods := state_methods(self._holder)) is not None:
            try:
                return {"told": copied(pack(methods[0]()))}
            except NotPlainError as error:
                self.unknown.add(f"get_state() gives a {error}, which")
                return {"changed": {}}
        changed = {}
        for name, value in self._attributes():
            before, begin = self._begin.get(name, (_NOTHING, _NOTHING))
            packed = self._packed(value)
            if packed is _NOTHING or _needs_current(packed) and value is not before:
                if value is not before:
                    self.unknown.add(name)
            elif not is_same(packed, begin):
                changed[name] = copied(packed)
        return {"changed": changed}

    def set(self, state: Any) -> None:
        """Give the object a state that `get` returned, maybe in another process.

        What does not fit stays as it is, with a warning.

        Raises:
            ValueError: it would replace a method, or a text of a class of ours, such as
                the path of a file.
        """
        if "told" in state:
            return state_methods(self._holder)[1](unpack(state["told"]))
        attributes = getattr(self._holder, "__dict__", {})
        begin = {name: packed for name, (_, packed) in self._begin.items()}
        for name, packed in {**begin, **state["changed"]}.items():
            value = attributes.get(name)
            if packed is _NOTHING or is_same(self._packed(value), packed):
                continue
            kind, own = type(self._holder), self.holder_module.startswith("minikeras.")
            is_text = own and isinstance(value, str)
            if is_text or name in self._ignored or callable(getattr(kind, name, None)):
                raise ValueError(f"The file would replace {kind.__name__}.{name}.")
            try:
                attributes[name] = unpack(packed, value)
            except ValueError as error:
                warnings.warn(
                    f"{kind.__name__}.{name} begins anew: {error}.", stacklevel=2
                )


_NOTHING = object()
