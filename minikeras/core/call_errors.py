"""Add the call that an error came from to its message."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from minikeras.core.feeders import arrays_in_call, feeder
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.ragged import ragged_input
from minikeras.core.unknown_sizes import shown_shape

# Errors whose one argument is their message. Those of other types may be no text, such
# as the number of an OSError or the key of a KeyError.
WITH_TEXT = (TypeError, ValueError, IndexError)


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
    return f"{text}\nCalled: {function.__name__}({_in_words(args, kwargs, _origin)})"


def _origin(x):
    """Where the input of an op in a graph comes from."""
    return f" from {feeder(x)}" if hasattr(x, "_keras_history") else ""


def _shape(x):
    return x.shape


def _in_words(args, kwargs, more=lambda x: "", shape=_shape):
    """The arguments of a call, each in brief; `more` says more about an array."""
    named = (f"{key}={brief(x, more, shape)}" for key, x in kwargs.items())
    return ", ".join([*(brief(x, more, shape) for x in args), *named])


def brief(
    x: Any,
    more: Callable[[Any], str] = lambda x: "",
    shape: Callable[[Any], Sequence] = _shape,
) -> str:
    """An argument in a few characters: arrays as `float32[2, 3]`.

    Args:
        x: the argument.
        more: function that says more about an array.
        shape: function that gives the shape of an array.
    """
    # Never the values: that would wait for the device, and fail for a traced array.
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(brief(item, more, shape) for item in x)}]"
    if isinstance(x, dict) and any(hasattr(item, "shape") for item in x.values()):
        items = (f"{key!r}: {brief(item, more, shape)}" for key, item in x.items())
        return f"{{{', '.join(items)}}}"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{x.dtype}{list(shape(x))}{more(x)}"
    return repr(x)[:80]


def explain(
    error: Exception, layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Add the layer and its inputs, with what fed them, to an error without a layer.

    Args:
        error: raised in the layer; its message changes.
        layer: the layer.
        args, kwargs: of its call.
    """
    # The error passes through every layer around the one that failed: only the
    # innermost adds its name.
    texts = [str(error), *getattr(error, "__notes__", ())]
    *around, name = layer.path.split("/")
    words = _in_words(args, kwargs, _feeder_among(around))
    call = f"{layer.path} ({type(layer).__name__}), called on {words}."
    if named := [text for text in texts if "Layer: " in text]:
        # What fed a nested model is known where that was called, not inside of it.
        if names_feeder(words) and not any(map(names_feeder, named)):
            _add(error, f"Within: {call}")
        return
    text = f"Layer: {call}"
    if arrays := arrays_in_call(error, layer.call):
        # Nobody wrote the sizes that stand in for None while a symbolic call is traced.
        symbolic = any(map(_is_symbolic, jax.tree_util.tree_leaves((args, kwargs))))
        shape = shown_shape if symbolic else _shape
        words = _in_words((), arrays, _feeder_among([*around, name]), shape)
        text += f" In its call(): {words}."
    _add(error, text)


def _add(error, text):
    if type(error) in WITH_TEXT:
        error.args = (f"{error}\n{text}",)
    else:
        error.add_note(text)


def _is_symbolic(x):
    return isinstance(x, KerasTensor)


def names_feeder(text: str) -> bool:
    """Does a text say which layer fed another?"""
    return " from " in text.replace(" from the input of", "")


def _feeder_among(around):
    def words(x):
        found = feeder(x, around)
        return f" from {found}" if found else ""

    return words
