"""Nests of lists, tuples and dicts, with None as a leaf: `keras.tree`."""

import jax


def _is_none(x):
    return x is None


def is_nested(structure):
    """Is it a list, tuple or dict (or another registered container)?"""
    return structure is not None and not jax.tree_util.all_leaves([structure])


def flatten(structure):
    """The leaves, left to right; dicts by sorted key.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    return jax.tree_util.tree_leaves(structure, is_leaf=_is_none)


def flatten_with_path(structure):
    """[(path, leaf)], the path a tuple of keys and indices."""
    found, _ = jax.tree_util.tree_flatten_with_path(structure, is_leaf=_is_none)
    return [(tuple(map(_key, path)), leaf) for path, leaf in found]


def _key(entry):
    for name in ("key", "idx", "name"):
        if hasattr(entry, name):
            return getattr(entry, name)
    return entry


def map_structure(func, *structures, none_is_leaf=True):
    """The first structure with `func(leaf, leaf of the second, …)` as leaves."""
    if not callable(func):
        raise TypeError(f"map_structure: func must be callable, got {func!r}.")
    if not structures:
        raise ValueError("map_structure: give at least one structure.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    is_leaf = _is_none if none_is_leaf else None
    return jax.tree_util.tree_map(func, *structures, is_leaf=is_leaf)


def map_structure_up_to(shallow_structure, func, *structures):
    """As `map_structure`, with what lies below the shallow leaves kept whole."""
    if not structures:
        raise ValueError("map_structure_up_to: give at least one structure.")
    tree = jax.tree_util.tree_structure(shallow_structure, is_leaf=_is_none)
    leaves = [tree.flatten_up_to(s) for s in structures]
    return tree.unflatten([func(*args) for args in zip(*leaves, strict=True)])


def assert_same_structure(a, b, check_types=None):
    """ValueError unless both have the same nesting and keys."""
    del check_types
    trees = [jax.tree_util.tree_structure(s, is_leaf=_is_none) for s in (a, b)]
    if trees[0] != trees[1]:
        raise ValueError(
            f"Expected the structure of a {type(a).__name__}, {trees[0]}, got a "
            f"{type(b).__name__}, {trees[1]}."
        )


def assert_same_paths(a, b):
    """ValueError unless both have leaves at the same paths."""
    paths = [[path for path, _ in flatten_with_path(s)] for s in (a, b)]
    if sorted(map(str, paths[0])) != sorted(map(str, paths[1])):
        raise ValueError(f"The leaves lie at {paths[0]} and at {paths[1]}.")


def pack_sequence_as(structure, flat_sequence):
    """The structure with the given leaves."""
    if not hasattr(flat_sequence, "__len__"):
        raise TypeError(
            f"pack_sequence_as: expected a list of leaves, got {flat_sequence!r}."
        )
    tree = jax.tree_util.tree_structure(structure, is_leaf=_is_none)
    if tree.num_leaves != len(flat_sequence):
        raise ValueError(
            f"pack_sequence_as: the structure has {tree.num_leaves} leaves, "
            f"{len(flat_sequence)} were given."
        )
    return tree.unflatten(list(flat_sequence))


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None there."""


def traverse(func, structure, top_down=True):
    """Replace every part, leaf or container, for which `func` does not give None."""
    if not callable(func):
        raise TypeError(f"traverse: func must be callable, got {func!r}.")
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
        return _map_children(lambda x: traverse(func, x, True), structure)
    structure = _map_children(lambda x: traverse(func, x, False), structure)
    result = func(structure)
    if result is None:
        return structure
    return None if result is MAP_TO_NONE else result


def _map_children(func, structure):
    if not is_nested(structure):
        return structure
    outer = structure
    return jax.tree_util.tree_map(func, outer, is_leaf=lambda x: x is not outer)


def map_shape_structure(func, structure):
    """Apply `func` to every shape: a tuple or list of ints and None.

    >>> map_shape_structure(lambda s: len(s), {"a": (None, 3)})
    {'a': 2}
    """
    is_leaf = _is_shape
    return jax.tree_util.tree_map(func, structure, is_leaf=is_leaf)


def _is_shape(x):
    return isinstance(x, (list, tuple)) and all(
        s is None or isinstance(s, int) for s in x
    )


def lists_to_tuples(structure):
    """Every list, at any depth, as a tuple."""
    if isinstance(structure, dict):
        return {key: lists_to_tuples(x) for key, x in structure.items()}
    if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields"):
        return tuple(lists_to_tuples(x) for x in structure)
    return structure
