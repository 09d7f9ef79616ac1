"""Nests of lists, tuples, deques, dicts, with None as a leaf: `keras.tree`.

Sets, arrays (sparse ones too) and subclasses of list and dict are leaves. A set that a
layer holds is a container, because it may hold state.
"""

from collections import OrderedDict, defaultdict, deque
from functools import partial

import numpy as np

_DICTS = (dict, OrderedDict, defaultdict)


def is_shape(x) -> bool:
    """Is it one shape: a tuple or list of ints and None?

    >>> is_shape((None, 3)), is_shape([(2,), (3,)])
    (True, False)
    """
    return isinstance(x, (tuple, list)) and all(
        size is None or isinstance(size, (int, np.integer)) for size in x
    )


class TrackedSet(set):
    """A set that an attribute of a layer holds: a container of `keras.tree`."""


def _sorted(keys):
    """Keys in order, those of one type together if types do not compare."""
    try:
        return sorted(keys)
    except TypeError:
        try:
            return sorted(keys, key=lambda k: (type(k).__qualname__, k))
        except TypeError:
            return list(keys)


def _node(x, none_is_leaf=True):
    """(keys, children, function of new children) of a container; None for a leaf."""
    kind = type(x)
    if kind in _DICTS:
        keys = list(x) if kind is OrderedDict else _sorted(x)
        return keys, [x[key] for key in keys], partial(_dict_like, x, keys)
    if kind in (list, tuple, TrackedSet):
        make = kind
    elif kind is deque:
        make = partial(deque, maxlen=x.maxlen)
    elif isinstance(x, tuple) and hasattr(kind, "_fields"):
        make = kind._make
    elif isinstance(x, tuple) and hasattr(kind, "n_sequence_fields"):
        make = kind
    elif x is None and not none_is_leaf:
        return (), (), lambda new: None
    else:
        return None
    return range(len(x)), list(x), make


def _dict_like(x, keys, values):
    """A dict of the kind and order of `x`."""
    values = dict(zip(keys, values, strict=True))
    values = {key: values[key] for key in x}
    if isinstance(x, defaultdict):
        return defaultdict(x.default_factory, values)
    return type(x)(values)


def _children_like(node, a, b, none_is_leaf):
    """Children of `b` in the order of those of `a`; ValueError: no such container."""
    other = _node(b, none_is_leaf)
    same_kind = other is not None and (
        type(a) is type(b) or (type(a) in _DICTS and type(b) in _DICTS)
    )
    if not same_kind:
        raise ValueError(
            "Structures don't have the same nested structure: expected a "
            f"{_kind(a)}, got {b!r} ({_kind(b)})."
        )
    if len(node[0]) != len(other[0]) or set(node[0]) != set(other[0]):
        fault = "key" if len(node[0]) == len(other[0]) else "arity"
        raise ValueError(
            f"Node {fault} mismatch: structures don't have the same nested structure: "
            f"expected a {_kind(a)} with {list(node[0])}, got {list(other[0])}."
        )
    if list(node[0]) == list(other[0]):
        return other[1]
    return [b[key] for key in node[0]]


def _kind(x):
    is_named = isinstance(x, tuple) and type(x) is not tuple
    return f"namedtuple {type(x).__name__}" if is_named else type(x).__name__


def _map(func, first, others=(), none_is_leaf=True, up_to=False):
    """`func` of the leaves of `first` and what lies at their places in `others`."""
    node = _node(first, none_is_leaf)
    if node is None:
        for other in () if up_to else others:
            if _node(other, none_is_leaf) is not None:
                raise ValueError(
                    "Structures don't have the same nested structure: expected a "
                    f"leaf in the place of {first!r}, got a {_kind(other)}."
                )
        return func(first, *others)
    columns = [_children_like(node, first, x, none_is_leaf) for x in others]
    rows = zip(node[1], *columns, strict=True)
    return node[2]([_map(func, x, xs, none_is_leaf, up_to) for x, *xs in rows])


def _map_one(func, x, none_is_leaf=True):
    """`_map` of one structure: 5 times as fast, as plain containers need no `_node`."""
    kind = type(x)
    if kind is list:
        return [_map_one(func, child, none_is_leaf) for child in x]
    if kind is tuple:
        return tuple([_map_one(func, child, none_is_leaf) for child in x])
    if kind is dict:
        keys = _sorted(x)
        values = {key: _map_one(func, x[key], none_is_leaf) for key in keys}
        # `func` is called by sorted key, but the new dict keeps the order of the old.
        return values if keys == [*x] else {key: values[key] for key in x}
    node = _node(x, none_is_leaf)
    if node is None:
        return func(x)
    return node[2]([_map_one(func, child, none_is_leaf) for child in node[1]])


def _collect(x, leaves):
    """Append the leaves of a structure to a list."""
    kind = type(x)
    if kind is list or kind is tuple:
        for child in x:
            _collect(child, leaves)
    elif kind is dict:
        for key in _sorted(x):
            _collect(x[key], leaves)
    elif (node := _node(x)) is not None:
        for child in node[1]:
            _collect(child, leaves)
    else:
        leaves.append(x)


def _callable(function, func):
    if not callable(func):
        raise TypeError(f"{function}: func must be callable, got {func!r}.")


def is_nested(structure):
    """Is it a list, tuple, deque or dict?

    >>> is_nested([]), is_nested({1, 2}), is_nested(None)
    (True, False, False)
    """
    return _node(structure) is not None


def flatten(structure):
    """The leaves, left to right; dicts by sorted key, OrderedDicts as they are.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    leaves: list = []
    _collect(structure, leaves)
    return leaves


def flatten_with_path(structure) -> list:
    """[(path, leaf)], the path a tuple of keys and indices.

    >>> flatten_with_path({"b": 1, "a": [2]})
    [(('a', 0), 2), (('b',), 1)]
    """
    node = _node(structure)
    if node is None:
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, child in zip(*node[:2], strict=True)
        for path, leaf in flatten_with_path(child)
    ]


def map_structure(func, *structures, none_is_leaf=True):
    """The first structure with `func(leaf, leaf of the second, …)` as leaves.

    Args:
        func: of as many arguments as there are structures.
        *structures: nests of one structure.
        none_is_leaf: is `func` called for None too? Otherwise None stays.

    Raises:
        TypeError: `func` is not callable.
        ValueError: no structures, or unequal ones.

    >>> map_structure(lambda x, y: x + y, {"a": [1]}, {"a": [2]})
    {'a': [3]}
    """
    _callable("map_structure", func)
    if not structures:
        raise ValueError("map_structure: give at least one structure.")
    first, *others = structures
    if not others:
        return _map_one(func, first, none_is_leaf)
    # Refuse unequal structures before `func` is called the first time.
    _map(lambda *leaves: None, first, others, none_is_leaf)
    return _map(func, first, others, none_is_leaf)


def map_structure_up_to(shallow_structure, func, *structures):
    """As `map_structure`, with what lies below the shallow leaves kept whole.

    >>> map_structure_up_to(["a", "b"], len, [[1, 2], [3]])
    [2, 1]
    """
    _callable("map_structure_up_to", func)
    if not structures:
        raise ValueError("map_structure_up_to: give at least one structure.")
    return _map(
        lambda _, *parts: func(*parts), shallow_structure, structures, up_to=True
    )


def assert_same_structure(a, b, check_types=None):
    """ValueError unless both have the same nesting and keys; all dicts are alike."""
    del check_types
    _map(lambda *leaves: None, a, (b,))


def assert_same_paths(a, b):
    """ValueError unless both have leaves at the same paths."""
    paths = [{path for path, _ in flatten_with_path(s)} for s in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(
            "`a` and `b` don't have the same paths. Only `a` has leaves at "
            f"{paths[0] - paths[1]}, only `b` has leaves at {paths[1] - paths[0]}."
        )


def pack_sequence_as(structure, flat_sequence):
    """The structure with the given leaves.

    Raises:
        TypeError: `flat_sequence` is not iterable.
        ValueError: too few or too many leaves.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    try:
        leaves = list(flat_sequence)
    except TypeError:
        raise TypeError(
            f"pack_sequence_as: expected an iterable of leaves, got {flat_sequence!r}."
        ) from None
    count = len(flatten(structure))
    if count != len(leaves):
        raise ValueError(
            f"pack_sequence_as: wrong number of leaves, expected: {count}, the "
            f"leaves of the structure. {len(leaves)} were given."
        )
    rest = iter(leaves)
    return _map_one(lambda _: next(rest), structure)


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None there."""


def traverse(func, structure, top_down=True):
    """Replace every part, leaf or container, for which `func` does not give None.

    Args:
        func: of one part; `MAP_TO_NONE` is what it returns to put None there.
        structure: a nest.
        top_down: containers before what they hold? What `func` returns is then not
            looked into.

    >>> traverse(lambda x: 0 if isinstance(x, tuple) else None, [(1, 2), [3, (4,)]])
    [0, [3, 0]]
    """
    _callable("traverse", func)
    if not top_down:
        structure = _map_children(lambda x: traverse(func, x, False), structure)
    result = func(structure)
    if result is not None:
        return None if result is MAP_TO_NONE else result
    if top_down:
        return _map_children(lambda x: traverse(func, x), structure)
    return structure


def _map_children(func, structure):
    node = _node(structure)
    return structure if node is None else node[2]([func(x) for x in node[1]])


def map_shape_structure(func, structure):
    """Apply `func` to every shape, a tuple or list of ints and None, and every leaf.

    >>> map_shape_structure(lambda s: len(s), {"a": (None, 3)})
    {'a': 2}
    """
    _callable("map_shape_structure", func)
    if is_shape(structure) or not is_nested(structure):
        return func(structure)
    return _map_children(lambda x: map_shape_structure(func, x), structure)


def lists_to_tuples(structure):
    """Every list, at any depth, as a tuple.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    structure = _map_children(lists_to_tuples, structure)
    return tuple(structure) if isinstance(structure, list) else structure
