"""Trees of arrays and of shapes."""

import jax
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.tree import is_shape
from minikeras.core.variable import is_sparse


def is_tensor(x) -> bool:
    """Array, sparse array or KerasTensor?"""
    return isinstance(x, (jax.Array, KerasTensor, np.ndarray)) or is_sparse(x)


def map_leaves(function, x):
    """`tree_map` that takes a sparse array as one leaf."""
    return jax.tree_util.tree_map(function, x, is_leaf=is_sparse)


def is_tensor_tree(x) -> bool:
    """Does the tree hold an array or KerasTensor (and nothing else but None)?"""
    leaves = jax.tree_util.tree_leaves(x, is_leaf=is_sparse)
    return bool(leaves) and all(is_tensor(leaf) for leaf in leaves)


def shapes_of(x):
    """Tree of arrays -> tree of shape tuples."""
    return map_leaves(lambda leaf: tuple(leaf.shape), x)


def map_shapes(function, shapes):
    """Apply `function` to every shape in nested dicts, lists and tuples."""
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map_shapes(function, v) for v in shapes)
    return shapes
