"""Members of classes that users subclass: names, overrides, methods that fail whole."""

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


def whole(method):
    """A method that leaves its object as it was when it fails, or is interrupted.

    Attributes are put back, and the items of the lists and dicts among them. So a
    second `build` does not make the weights of an interrupted first one again.

    >>> class Stack:
    ...     def __init__(self):
    ...         self.items = []
    ...     @whole
    ...     def push(self, x):
    ...         self.items.append(x)
    ...         self.last = 1 / x
    >>> stack = Stack()
    >>> try:
    ...     stack.push(0)
    ... except ZeroDivisionError:
    ...     vars(stack)
    {'items': []}
    """

    @functools.wraps(method)
    def run(self, *args, **kwargs):
        attributes = dict(vars(self))
        lists = [(x, list(x)) for x in attributes.values() if type(x) is list]
        dicts = [(x, dict(x)) for x in attributes.values() if type(x) is dict]
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(attributes)
            for now, before in lists:
                now[:] = before
            for now, before in dicts:
                now.clear()
                now.update(before)
            raise

    return run
