"""Which weight of a file belongs to which variable, where files name their paths."""

import warnings
from collections.abc import Mapping
from typing import Any

from minikeras.core.variable import Variable
from minikeras.saving.object_paths import CONTAINERS, children


def match(
    variables: Mapping[str, Variable],
    shapes: Mapping[str, tuple[int, ...]],
    skip_mismatch: bool = False,
) -> list[tuple[Variable, str]]:
    """Pair variables with the weights of a file; changes none.

    Weights for which there is no variable are named in a warning.

    Args:
        variables: {path: Variable} of the model.
        shapes: {path: shape} of the weights of the file.
        skip_mismatch: bool, whether to warn of missing weights and other shapes, and
            leave them out; False raises an error.

    Returns:
        Pairs of a variable, and the path of its weight in the file.

    Raises:
        ValueError: names each variable whose weight is missing or has another shape.
    """
    pairs, problems = [], []
    for path, variable in variables.items():
        shape = tuple(variable.shape)
        if path not in shapes:
            problems.append(f"{path}: missing, expected shape {shape}")
        elif shapes[path] != shape:
            problems.append(f"{path}: expected shape {shape}, got {shapes[path]}")
        else:
            pairs.append((variable, path))
    if extra := sorted(shapes.keys() - variables.keys()):
        warnings.warn(
            f"The model has no place for these weights of the file: {extra}. Are its "
            "layers named as they were when it was saved?",
            stacklevel=3,
        )
    if not problems:
        return pairs
    text = "\n".join(f"  {line}" for line in problems)
    if not skip_mismatch:
        raise ValueError(
            f"{len(problems)} weights do not fit:\n{text}\nBuild the model, and name "
            "its layers, as when it was saved, or pass skip_mismatch=True."
        )
    warnings.warn(f"Not loaded from the file:\n{text}", stacklevel=3)
    return pairs


def named_weights(model: Any) -> dict[str, Variable]:
    """{names of the layers that lead to a weight, and its own: Variable} of a model.

    A Variable's `path` depends on how a nested model was built; this does not.
    """
    left = {id(v): v for v in model.weights}
    table: dict[str, Variable] = {}
    for names, obj in _owners(model, (), {}):
        for v in getattr(obj, "_mk_own_variables", list)():
            if left.pop(id(v), None) is not None:
                path = name = "/".join((*names, v.name))
                count = 0
                while path in table:
                    count += 1
                    path = f"{name}_{count}"
                table[path] = v
    return table | {v.path: v for v in left.values()}


def _owners(obj, names, visited):
    """Generate (names of the layers on the way, layer), each layer once."""
    if id(obj) in visited:
        return
    visited[id(obj)] = obj
    yield names, obj
    for _, child in children(obj):
        is_container = isinstance(child, CONTAINERS)
        inner = names if is_container else (*names, str(getattr(child, "name", "")))
        yield from _owners(child, inner, visited)
