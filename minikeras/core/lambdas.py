"""Python lambdas in files: their bytecode runs only when the user allows it."""

import base64
import marshal
import types
from collections.abc import Callable
from typing import Any


def dump(function: Callable[..., Any]) -> dict[str, Any]:
    """Turn a lambda into its bytecode (marshalled, in base64), defaults and closure."""
    closure = function.__closure__
    return {
        "code": base64.b64encode(marshal.dumps(function.__code__)).decode("ascii"),
        "defaults": function.__defaults__,
        "closure": [cell.cell_contents for cell in closure] if closure else None,
    }


def load(config: dict[str, Any], safe_mode: bool) -> Callable[..., Any]:
    """Make the lambda that `dump` wrote.

    Args:
        config: dict of `dump`, or of an older Keras: `{"value": [code, …]}`.
        safe_mode: must be False.

    Raises:
        ValueError: in safe mode, because bytecode can do anything.
    """
    # No check of the bytecode could replace the refusal: CVE-2024-3660 ran a lambda
    # at load, later ones chained functions that Keras itself defines.
    if safe_mode:
        raise ValueError(
            "The config holds a Python lambda (of a `Lambda` layer, or an argument): "
            "to make it is arbitrary code execution, which safe mode forbids. If you "
            "trust where the config comes from, pass `safe_mode=False` to the loading "
            "call or call keras.config.enable_unsafe_deserialization()."
        )
    if isinstance(config.get("value"), (list, tuple)):
        code, defaults, closure = config["value"]
    else:
        code, defaults = config["code"], config["defaults"]
        closure = config["closure"]
    # As in Keras, the lambda sees the names of this module, not those of its own.
    cells = tuple(types.CellType(value) for value in closure) if closure else None
    return types.FunctionType(
        marshal.loads(base64.b64decode(code)),
        globals(),
        argdefs=tuple(defaults) if defaults else None,
        closure=cells,
    )
