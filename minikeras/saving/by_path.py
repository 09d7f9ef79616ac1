"""Which weight of a file belongs to which variable, where files name their paths."""

import warnings
from collections.abc import Mapping
from typing import Any

from minikeras.core.variable import Variable


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


def named(values: Mapping[str, Any], model_name: str | None) -> dict[str, Any]:
    """Leave out the model's own name, with which the paths in some models begin.

    >>> named({"my_model/dense/kernel": 1, "a/b": 2}, "my_model")
    {'dense/kernel': 1, 'a/b': 2}
    """
    return {path.removeprefix(f"{model_name}/"): x for path, x in values.items()}
