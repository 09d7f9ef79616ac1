"""Text in batches: only models with layers that work on the host take it."""

from typing import Any

import jax

from minikeras.core.dtypes import is_text


def refuse_text(data: Any, name: str) -> Any:
    """Return the data; ValueError if an array holds strings or objects.

    Args:
        data: tree of arrays.
        name: what the data is, in the error.
    """
    # Paths take longer than the leaves: 2 us for each batch of a generator.
    if not any(map(is_text, jax.tree_util.tree_leaves(data))):
        return data
    for path, leaf in jax.tree_util.tree_leaves_with_path(data):
        if is_text(leaf):
            raise ValueError(
                f"{name}{jax.tree_util.keystr(path)} holds an array of dtype "
                f"{leaf.dtype}, shape {leaf.shape}; expected numbers. Convert it first,"
                " for instance with x.astype('float32'), or give the model a layer "
                "that reads text, such as keras.layers.TextVectorization."
            )
    return data
