"""Trees of arrays and of shapes."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from minikeras.core.host_calls import HostArray
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.tree import is_shape
from minikeras.core.variable import is_sparse


def is_tensor(x: Any) -> bool:
    """Is it an array, a sparse array, text of the host or a KerasTensor?"""
    kinds = (jax.Array, KerasTensor, np.ndarray, HostArray)
    return isinstance(x, kinds) or is_sparse(x)


def map_leaves(function: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to the leaves of a tree; a sparse array is one leaf."""
    # JAX takes a `BCOO` for a container of its entries and their indices.
    return jax.tree_util.tree_map(function, x, is_leaf=is_sparse)


def is_tensor_tree(x: Any) -> bool:
    """Are all leaves of the tree, at least one, arrays or KerasTensors?"""
    leaves = jax.tree_util.tree_leaves(x, is_leaf=is_sparse)
    return bool(leaves) and all(is_tensor(leaf) for leaf in leaves)


def shapes_of(x: Any) -> Any:
    """The tree of the shapes of a tree of arrays."""
    return map_leaves(lambda leaf: tuple(leaf.shape), x)


def map_shapes(function: Callable[[tuple], Any], shapes: Any) -> Any:
    """Apply a function to each shape in nested dicts, lists and tuples."""
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map_shapes(function, v) for v in shapes)
    return shapes
