"""Members of classes that users subclass: names, overrides, methods that fail whole."""

import copy
import functools


class Alias:
    """A private name of Keras's that other packages read or call.

    Our own code never uses it: a user's attribute or method of that name is the
    user's alone, so there is no `__set__`.

    >>> class Box:
    ...     _mk_size = 3
    ...     _size = Alias("_mk_size")
    >>> box = Box()
    >>> before, box._size = box._size, "mine"
    >>> before, box._size, box._mk_size
    (3, 'mine', 3)
    """

    def __init__(self, name):
        self.name = name

    def __get__(self, holder, owner):
        return self if holder is None else getattr(holder, self.name)


def overrides(holder, name, base) -> bool:
    """Has an object, or its class, a method of its own in the place of the base's?"""
    return name in vars(holder) or getattr(type(holder), name) is not getattr(
        base, name
    )


def method(holder, name):
    """What `holder.name` calls: the object's own function, or its class's."""
    return vars(holder).get(name) or getattr(type(holder), name)


def copied(holder):
    """`__copy__` of what has Variables: a copy has its own, as in Keras."""
    return copy.deepcopy(holder)


def all_or_nothing(method):
    """A method that leaves no state behind when it fails, or is interrupted.

    Attributes, and lists, dicts and sets below them, that hold Variables, layers or
    metrics afterwards are put back as they were, and so are our own. So a second
    `build` does not make the weights of an interrupted first one again. What else the
    user's code has noted stays.

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
        except BaseException:
            for name, value in list(vars(self).items()):
                known = before.get(name, _NONE)
                if value is known or not (name.startswith("_mk_") or _is_state(value)):
                    continue
                if known is _NONE:
                    del vars(self)[name]
                else:
                    vars(self)[name] = known
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
    """(container, copy of it) of lists, dicts and sets, at any depth."""
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
