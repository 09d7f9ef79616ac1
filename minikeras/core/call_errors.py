"""Add the call that an error came from to its message."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minikeras.core.ragged import ragged_input


def described(
    error: Exception,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> str:
    """The error's message, with the call `function(*args, **kwargs)` added to it."""
    names = inspect.signature(function).parameters
    ragged = ragged_input(error, {**dict(zip(names, args, strict=False)), **kwargs})
    text = f"`{ragged}`: {error}" if ragged else str(error)
    return f"{text}\nCalled: {function.__name__}({_in_words(args, kwargs)})"


def _in_words(args, kwargs):
    """The arguments of a call, each in brief."""
    named = (f"{key}={brief(x)}" for key, x in kwargs.items())
    return ", ".join([*map(brief, args), *named])


def brief(x: Any) -> str:
    """An argument in a few characters: arrays as `float32[2, 3]`."""
    # Never the values: that would wait for the device, and fail for a traced array.
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(brief, x))}]"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{x.dtype}{list(x.shape)}"
    return repr(x)[:80]


def explain(
    error: Exception, layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Add the layer and its inputs to an error that names no layer yet."""
    # The error passes through every layer around the one that failed: only the
    # innermost adds its name.
    texts = [str(error), *getattr(error, "__notes__", ())]
    if any(repr(layer.path) in text or "Layer: " in text for text in texts):
        return
    where = f"{layer.path} ({type(layer).__name__})"
    text = f"Layer: {where}, called on {_in_words(args, kwargs)}."
    if type(error) in (TypeError, ValueError, IndexError):
        error.args = (f"{error}\n{text}",)
    else:
        # The arguments of another type may be no text, such as the number of an
        # OSError or the key of a KeyError.
        error.add_note(text)
