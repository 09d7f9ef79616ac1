"""Nests of lists, tuples, deques and dicts, with None as a leaf: `keras.tree`.

Sets, arrays (sparse ones too) and subclasses of list and dict are leaves. A set that a
layer holds is a container, because it may hold state.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

# Not `jax.tree_util`: there None is a container without leaves, for Keras it is a leaf.
_DICTS = (dict, OrderedDict, defaultdict)


def is_shape(x: Any) -> bool:
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
    """Sort keys; those of one type are together where types do not compare."""
    try:
        return sorted(keys)
    except TypeError:
        try:
            return sorted(keys, key=lambda k: (type(k).__qualname__, k))
        except TypeError:
            return list(keys)


class Node(NamedTuple):
    """A container: its keys, its children, and how to make one of new children."""

    keys: Sequence
    children: Sequence
    rebuild: Callable[[list], Any]


def _node(x, none_is_leaf=True) -> Node | None:
    """The `Node` of a container; None for a leaf."""
    kind = type(x)
    if kind in _DICTS:
        keys = list(x) if kind is OrderedDict else _sorted(x)
        return Node(keys, [x[key] for key in keys], partial(_dict_like, x, keys))
    if kind in (list, tuple, TrackedSet):
        make = kind
    elif kind is deque:
        make = partial(deque, maxlen=x.maxlen)
    elif isinstance(x, tuple) and hasattr(kind, "_fields"):
        make = kind._make
    elif isinstance(x, tuple) and hasattr(kind, "n_sequence_fields"):
        make = kind
    elif x is None and not none_is_leaf:
        return Node((), (), lambda new: None)
    else:
        return None
    return Node(range(len(x)), list(x), make)


def _dict_like(x, keys, values):
    """Make a dict of the type and the order of `x`."""
    values = dict(zip(keys, values, strict=True))
    values = {key: values[key] for key in x}
    if isinstance(x, defaultdict):
        return defaultdict(x.default_factory, values)
    return type(x)(values)


def _children_like(node, a, b, none_is_leaf):
    """Children of `b` in the order of those of `a`; ValueError: no such container."""
    other = _node(b, none_is_leaf)
    same_kind = type(a) is type(b) or (type(a) in _DICTS and type(b) in _DICTS)
    if other is None or not same_kind:
        raise ValueError(
            "Structures don't have the same nested structure: expected a "
            f"{_kind(a)}, got {b!r} ({_kind(b)})."
        )
    if len(node.keys) != len(other.keys) or set(node.keys) != set(other.keys):
        fault = "key" if len(node.keys) == len(other.keys) else "arity"
        raise ValueError(
            f"Node {fault} mismatch: structures don't have the same nested structure: "
            f"expected a {_kind(a)} with {list(node.keys)}, got {list(other.keys)}."
        )
    if list(node.keys) == list(other.keys):
        return other.children
    return [b[key] for key in node.keys]


def _kind(x):
    is_named = isinstance(x, tuple) and type(x) is not tuple
    return f"namedtuple {type(x).__name__}" if is_named else type(x).__name__


def _map(func, first, others=(), none_is_leaf=True, up_to=False):
    """Apply `func` to the leaves of `first` and to what `others` have in their places.

    Args:
        func: of one argument for each structure.
        first: the structure whose containers count.
        others: structures with the same containers.
        none_is_leaf: is `func` called for None, too?
        up_to: may `others` have containers where `first` has leaves?
    """
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
    rows = zip(node.children, *columns, strict=True)
    return node.rebuild([_map(func, x, xs, none_is_leaf, up_to) for x, *xs in rows])


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
        # As in Keras, `func` is called in the order of the sorted keys, and the new
        # dict has the order of the old one.
        return values if keys == [*x] else {key: values[key] for key in x}
    node = _node(x, none_is_leaf)
    if node is None:
        return func(x)
    return node.rebuild(
        [_map_one(func, child, none_is_leaf) for child in node.children]
    )


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
        for child in node.children:
            _collect(child, leaves)
    else:
        leaves.append(x)


def _check_callable(function, func):
    if not callable(func):
        raise TypeError(f"{function}: func must be callable, got {func!r}.")


def is_nested(structure: Any) -> bool:
    """Is it a list, tuple, deque or dict?

    Args:
        structure: anything.

    >>> is_nested([]), is_nested({1, 2}), is_nested(None)
    (True, False, False)
    """
    return _node(structure) is not None


def flatten(structure: Any) -> list[Any]:
    """The leaves of a nest, left to right; those of a dict by sorted key.

    Args:
        structure: nested lists, tuples, deques and dicts. An OrderedDict keeps its
            order.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    leaves: list = []
    _collect(structure, leaves)
    return leaves


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """The leaves of a nest with their paths: [(path, leaf)].

    Args:
        structure: nested lists, tuples, deques and dicts.

    Returns:
        List of pairs; a path is a tuple of keys and indices.

    >>> flatten_with_path({"b": 1, "a": [2]})
    [(('a', 0), 2), (('b',), 1)]
    """
    node = _node(structure)
    if node is None:
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, child in zip(node.keys, node.children, strict=True)
        for path, leaf in flatten_with_path(child)
    ]


def map_structure(
    func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True
) -> Any:
    """Apply `func` to each leaf: func(leaf of the first, leaf of the second, …).

    Args:
        func: function of one argument for each structure.
        *structures: nests with the same containers and keys.
        none_is_leaf: is `func` called for None, too? Otherwise None stays.

    Returns:
        The first structure with the results as leaves.

    Raises:
        TypeError: `func` is not callable.
        ValueError: no structures, or unequal ones.

    >>> map_structure(lambda x, y: x + y, {"a": [1]}, {"a": [2]})
    {'a': [3]}
    """
    _check_callable("map_structure", func)
    if not structures:
        raise ValueError("map_structure: give at least one structure.")
    first, *others = structures
    if not others:
        return _map_one(func, first, none_is_leaf)
    # Unequal structures raise before `func` is called for the first time, because it
    # may change something, such as a Variable.
    _map(lambda *leaves: None, first, others, none_is_leaf)
    return _map(func, first, others, none_is_leaf)


def map_structure_up_to(
    shallow_structure: Any, func: Callable[..., Any], *structures: Any
) -> Any:
    """Apply `func` to the parts of nests that a shallower nest has leaves for.

    Args:
        shallow_structure: nest whose leaves end the descent.
        func: function of one argument for each of `structures`.
        *structures: nests that begin like `shallow_structure`.

    Returns:
        `shallow_structure` with the results as leaves.

    Raises:
        ValueError: a structure differs from the shallow one.

    >>> map_structure_up_to(["a", "b"], len, [[1, 2], [3]])
    [2, 1]
    """
    _check_callable("map_structure_up_to", func)
    if not structures:
        raise ValueError("map_structure_up_to: give at least one structure.")
    return _map(
        lambda _, *parts: func(*parts), shallow_structure, structures, up_to=True
    )


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise ValueError unless two nests have the same containers and keys.

    Args:
        a, b: nests; a dict, an OrderedDict and a defaultdict count as the same.
        check_types: kept for compatibility, without effect.
    """
    del check_types
    _map(lambda *leaves: None, a, (b,))


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless two nests have leaves at the same paths.

    Args:
        a, b: nests; a list and a tuple count as the same.
    """
    paths = [{path for path, _ in flatten_with_path(s)} for s in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(
            "`a` and `b` don't have the same paths. Only `a` has leaves at "
            f"{paths[0] - paths[1]}, only `b` has leaves at {paths[1] - paths[0]}."
        )


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Replace the leaves of a nest: the reverse of `flatten`.

    Args:
        structure: nest that gives the containers.
        flat_sequence: the new leaves, in the order of `flatten`.

    Returns:
        A nest of the containers of `structure`.

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
    """A function given to `traverse` returns this to replace a part by None."""


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Replace each part, leaf or container, for which `func` does not return None.

    Args:
        func: function of one part; it returns None to keep the part, and
            `MAP_TO_NONE` to replace it by None.
        structure: a nest.
        top_down: does a container come before its items? Then the items of a
            replaced container are not visited.

    >>> traverse(lambda x: 0 if isinstance(x, tuple) else None, [(1, 2), [3, (4,)]])
    [0, [3, 0]]
    """
    _check_callable("traverse", func)
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
    return structure if node is None else node.rebuild([func(x) for x in node.children])


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Apply `func` to each shape, a tuple or list of ints and None, and each leaf.

    Args:
        func: function of a shape or of a leaf.
        structure: nest of shapes.

    >>> map_shape_structure(lambda s: len(s), {"a": (None, 3)})
    {'a': 2}
    """
    _check_callable("map_shape_structure", func)
    if is_shape(structure) or not is_nested(structure):
        return func(structure)
    return _map_children(lambda x: map_shape_structure(func, x), structure)


def lists_to_tuples(structure: Any) -> Any:
    """Turn each list of a nest, at any depth, into a tuple.

    Args:
        structure: a nest.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    structure = _map_children(lists_to_tuples, structure)
    return tuple(structure) if isinstance(structure, list) else structure
