"""`keras.tree`: nests of lists, tuples and dicts."""

from minikeras.core.tree import MAP_TO_NONE
from minikeras.core.tree import assert_same_paths
from minikeras.core.tree import assert_same_structure
from minikeras.core.tree import flatten
from minikeras.core.tree import flatten_with_path
from minikeras.core.tree import is_nested
from minikeras.core.tree import lists_to_tuples
from minikeras.core.tree import map_shape_structure
from minikeras.core.tree import map_structure
from minikeras.core.tree import map_structure_up_to
from minikeras.core.tree import pack_sequence_as
from minikeras.core.tree import traverse

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]
