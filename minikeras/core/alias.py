"""Private names of Keras's that other packages read or call."""


class Alias:
    """Another name of an attribute.

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
