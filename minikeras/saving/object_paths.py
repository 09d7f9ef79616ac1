"""The paths of a model's objects in files: the attributes that lead to them.

`layers/dense_1` is the second Dense in `model.layers`; `block/aa/dense` is in the list
`aa` of the sub-layer `block`.
"""

import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minikeras.core import registry
from minikeras.core.naming import to_snake_case
from minikeras.optimizers.optimizer import Optimizer

CONTAINERS = (list, tuple, set, dict)
_NO_VALUES = (
    types.FunctionType, types.BuiltinFunctionType, classmethod, staticmethod, type
)  # fmt: skip


def walk(
    obj: Any, skip: Iterable[Any] = (), again: Callable[[Any], bool] | None = None
) -> Iterator[tuple[str, Any]]:
    """Generate (path, object) for an object and all objects below it with variables.

    Args:
        obj: the object; its path is `""`.
        skip: objects that are left out, with all that is only below them.
        again: function that says whether an object that is met once more, under
            another path, is generated again.
    """
    # The objects themselves are kept: a list that `layers` makes could else be freed,
    # and the next one get its id.
    visited = {id(x): x for x in skip}
    yield from _walk(obj, "", visited, set(), again or (lambda _: False))


def _walk(obj, path, visited, active, again):
    if id(obj) in active or id(obj) in visited and not again(obj):
        return
    visited[id(obj)] = obj
    if not isinstance(obj, CONTAINERS):
        yield path, obj
    active.add(id(obj))
    for name, child in children(obj):
        yield from _walk(child, f"{path}/{name}".lstrip("/"), visited, active, again)
    active.discard(id(obj))


def children(obj: Any) -> Iterator[tuple[str, Any]]:
    """Generate (name, object or container) of what may hold weights in an object."""
    if not isinstance(obj, CONTAINERS):
        for name, value in _attributes(obj):
            if _is_saveable(value) or isinstance(value, CONTAINERS):
                yield name, value
        return
    counts: dict[str, int] = {}
    used = set()
    for item in _items(obj):
        nested = isinstance(item, CONTAINERS)
        if nested or _is_saveable(item):
            name = kind = "container" if nested else to_snake_case(type(item).__name__)
            while kind in counts or name in used:  # a class may be called Dense_1
                counts[kind] = counts.get(kind, 0) + 1
                if (name := f"{kind}_{counts[kind]}") not in used:
                    break
            counts.setdefault(kind, 0)
            used.add(name)
            yield name, item


def _items(container):
    """The items in an order that another process has, too."""
    if isinstance(container, set):
        return sorted(container, key=lambda x: _natural(getattr(x, "name", "")))
    return list(container.values() if isinstance(container, dict) else container)


def _natural(name):
    """Key for `dense_9` before `dense_10`."""
    return [(len(part), part) for part in re.split(r"(\d+)", str(name))]


def _is_saveable(x):
    """True for objects whose weights are written."""
    return hasattr(x, "save_own_variables") and not isinstance(x, type)


def _attributes(obj):
    """[(attribute, value)] of an object, in Keras's order: private names come last."""
    found = {
        name: value for name, value in vars(obj).items() if not _is_hidden(obj, name)
    }
    for name in _own_class_attributes(type(obj)):
        if name not in found:
            # Files name an object by the first of its names, also if that is a
            # property. One that fails has nothing to save.
            try:
                found[name] = getattr(obj, name)
            except Exception:
                continue
    if hasattr(type(obj), "layers"):
        found["layers"] = obj.layers
        if isinstance(optimizer := getattr(obj, "optimizer", None), Optimizer):
            found["optimizer"] = optimizer
    # The layers of a graph or stack come first, also in a subclass with attributes.
    first = "layers" if isinstance(obj, _graph_classes()) else ""
    return sorted(
        found.items(),
        # Keras passes over sets: what is in another attribute too is named by that.
        key=lambda x: (isinstance(x[1], set), x[0] != first, x[0][0] == "_", x[0]),
    )


def _graph_classes():
    """Functional and Sequential; the registry knows them, as models come later."""
    functional = registry.lookup("keras.src.models.functional", "Functional")
    return functional, registry.lookup("keras", "Sequential")


def _is_hidden(obj, name):
    """True for attributes of our own, which Keras's objects do not have."""
    untracked = getattr(obj, "_mk_untracked", frozenset())
    return name.startswith(("__", "_mk_")) or name in untracked


def _own_class_attributes(cls):
    """Names of the properties and values of the user's classes, not of ours."""
    own = [c for c in cls.__mro__ if not c.__module__.startswith("minikeras.")]
    ours = [c for c in cls.__mro__ if c.__module__.startswith("minikeras.")]
    return {
        name
        for c in own
        for name, value in vars(c).items()
        if not isinstance(value, _NO_VALUES)
        and not name.startswith("__")
        and not any(name in vars(other) for other in ours)
    }
