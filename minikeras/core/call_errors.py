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
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(brief, x))}]"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{x.dtype}{list(x.shape)}"
    return repr(x)[:80]
