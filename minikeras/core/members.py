"""Members of classes that users subclass: private names, overrides, atomic methods."""

import copy
import functools
from collections.abc import Callable
from typing import Any


class Alias:
    """A private name of Keras that other packages read or call.

    Our own code never uses it. A subclass may use the name for something else: there
    is no `__set__`, so an attribute that it sets hides the alias.

    Args:
        name: our name of the attribute.

    >>> class Box:
    ...     _mk_size = 3
    ...     _size = Alias("_mk_size")
    >>> box = Box()
    >>> before, box._size = box._size, "mine"
    >>> before, box._size, box._mk_size
    (3, 'mine', 3)
    """

    def __init__(self, name: str):
        self.name = name

    def __get__(self, holder: Any, owner: type) -> Any:
        return self if holder is None else getattr(holder, self.name)


def overrides(holder: Any, name: str, base: type) -> bool:
    """Does an object, or its class, replace the method `name` of a base class?"""
    # `model.train_step = …` counts as well: users set steps on an object.
    return name in vars(holder) or getattr(type(holder), name) is not getattr(
        base, name
    )


def method(holder: Any, name: str) -> Callable[..., Any]:
    """The function that `holder.name()` calls: the object's own, or its class's."""
    # Not `getattr(holder, name)`: a bound method is a new object in each look-up, and
    # compiled programs are found by the functions that they were made of.
    return vars(holder).get(name) or getattr(type(holder), name)


def deep_copy(holder: Any) -> Any:
    """`__copy__` of an object with Variables: the copy has its own, as in Keras."""
    return copy.deepcopy(holder)


def all_or_nothing(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method: when it fails or is interrupted, the object has no new state.

    Attributes that hold Variables, layers or metrics afterwards, and lists, dicts and
    sets of these, get their values from before; so do attributes of the library. Then
    a second `build` does not create a second set of weights. Other attributes keep
    the values that the user's code has set.

    >>> from minikeras.core.variable import Variable
    >>> class Stack:
    ...     tries, items = 0, []
    ...     @all_or_nothing
    ...     def push(self, x):
    ...         self.tries += 1
    ...         self.items.append(Variable(x))
    ...         self.last = 1 / x
    >>> stack = Stack()
    >>> stack.items = []
    >>> try:
    ...     stack.push(0.0)
    ... except ZeroDivisionError:
    ...     vars(stack)
    {'items': [], 'tries': 1}
    """

    @functools.wraps(method)
    def run(self, *args, **kwargs):
        before = dict(vars(self))
        held = list(_containers(before.values()))
        try:
            return method(self, *args, **kwargs)
        except BaseException:  # KeyboardInterrupt, too
            # Through `vars`: a layer's own `__setattr__` refuses state once it is
            # built, and would walk over all attributes for each change.
            for name, value in list(vars(self).items()):
                known = before.get(name, _NONE)
                if value is known or not (name.startswith("_mk_") or _is_state(value)):
                    continue
                if known is _NONE:
                    del vars(self)[name]
                else:
                    vars(self)[name] = known
            # In place, because other objects may refer to the same list.
            for container, items in held:
                if _is_state(container):
                    container.clear()
                    is_list = isinstance(items, list)
                    (container.extend if is_list else container.update)(items)
            raise

    return run


_NONE = object()
_PLAIN = (str, bytes, bool, int, float, type(None))


def _containers(values, seen=()):
    """(container, copy of it) of lists, dicts and sets, at any depth.

    Args:
        values: attributes, or items of a container.
        seen: ids of the containers around, which may hold themselves.
    """
    for value in values:
        kind = next(
            (kind for kind in (list, dict, set) if isinstance(value, kind)), None
        )
        if kind is not None and id(value) not in seen:
            yield value, kind(value)
            inner = value.values() if kind is dict else value
            inner = [x for x in inner if not isinstance(x, _PLAIN)]
            yield from _containers(inner, (*seen, id(value)))


def _is_state(value):
    """Does it hold Variables, or objects that have some?"""
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return any(_is_state(x) for x in inner if not isinstance(x, _PLAIN))
    return hasattr(type(value), "variables") or hasattr(value, "assign")
