"""Methods that do all of their work or none of it."""

import functools


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
