"""Values by the path of a layer or weight: the path itself, or a pattern of paths."""

import re
from collections.abc import Mapping
from typing import Any


def find(table: Mapping[str, Any], path: str, default: Any, what: str) -> Any:
    """Look a path up in a table of paths and regular expressions.

    Args:
        table: {path or regular expression: value}.
        path: such as `"model/dense/kernel"`.
        default: the value of a path that equals no key and matches none.
        what: what the values are, for the error.

    Returns:
        The value of the key that is the path; else that of the one regular expression
        that matches the whole path.

    Raises:
        ValueError: several expressions match the path.

    >>> find({"block/.*": 1, "block/dense": 2}, "block/dense", 0, "number")
    2
    >>> find({"block/.*": 1, "block/dense": 2}, "block/conv", 0, "number")
    1
    """
    if path in table:
        return table[path]
    found = [pattern for pattern in table if re.fullmatch(pattern, path)]
    # As in Keras, the order of a dict decides nothing: two matches are an error.
    if len(found) > 1:
        raise ValueError(
            f"Path '{path}' matches multiple {what} patterns: {found}. Give every path "
            "one pattern."
        )
    return table[found[0]] if found else default
