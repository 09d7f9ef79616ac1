"""Python lambdas in files: bytecode out, and back in only when the user allows it."""

import base64
import marshal
import types


def dump(function) -> dict:
    """Lambda -> its code (base64 of marshalled bytecode), defaults and closure."""
    closure = function.__closure__
    return {
        "code": base64.b64encode(marshal.dumps(function.__code__)).decode("ascii"),
        "defaults": function.__defaults__,
        "closure": [cell.cell_contents for cell in closure] if closure else None,
    }


def load(config, safe_mode):
    """The lambda of `dump`.

    Raises:
        ValueError: in safe mode, always: bytecode can do anything.
    """
    if safe_mode:
        raise ValueError(
            "The config holds a Python lambda (of a `Lambda` layer, or an argument), "
            "that is: code, which safe mode does not run. If you trust where it comes "
            "from, pass `safe_mode=False` to the loading call or call "
            "keras.config.enable_unsafe_deserialization()."
        )
    if isinstance(config.get("value"), (list, tuple)):
        code, defaults, closure = config["value"]
    else:
        code, defaults = config["code"], config["defaults"]
        closure = config["closure"]
    cells = tuple(types.CellType(value) for value in closure) if closure else None
    return types.FunctionType(
        marshal.loads(base64.b64decode(code)),
        globals(),
        argdefs=tuple(defaults) if defaults else None,
        closure=cells,
    )
