"""The call that an error came from, for its message."""

import inspect

from minikeras.core.ragged import ragged_input


def described(error, function, args, kwargs):
    """The error's message, with the call that it came from."""
    given = [brief(x) for x in args]
    given += [f"{key}={brief(x)}" for key, x in kwargs.items()]
    names = inspect.signature(function).parameters
    ragged = ragged_input(error, dict(zip(names, args, strict=False)) | kwargs)
    text = f"`{ragged}`: {error}" if ragged else str(error)
    return f"{text}\nCalled: {function.__name__}({', '.join(given)})"


def brief(x):
    """An argument in a few characters: arrays as `float32[2, 3]`."""
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(brief, x))}]"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{x.dtype}{list(x.shape)}"
    return repr(x)[:80]


def explain(error, layer, args, kwargs) -> None:
    """Let an error that names no layer say where it was raised, and on what."""
    said = [str(error), *getattr(error, "__notes__", ())]
    if any(repr(layer.path) in text or "Layer: " in text for text in said):
        return
    given = [brief(x) for x in args]
    given += [f"{key}={brief(x)}" for key, x in kwargs.items()]
    where = f"{layer.path} ({type(layer).__name__})"
    text = f"Layer: {where}, called on {', '.join(given)}."
    if type(error) in (TypeError, ValueError, IndexError):
        error.args = (f"{error}\n{text}",)
    else:  # whose arguments may mean something
        error.add_note(text)
