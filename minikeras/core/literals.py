"""Values in configs that JSON does not have: arrays, slices, bytes, tensors.

Each is a dict `{"class_name": "__numpy__", "config": {…}}`, in Keras's format.
"""

import reprlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor

# Bytes that an array of texts in a config may take.
_LARGE_TEXTS = 64 << 20


def literal_config(name: str, **config: Any) -> dict[str, Any]:
    """The config of a literal."""
    return {"class_name": name, "config": config}


def dump(obj: Any, serialize: Callable[[Any], Any]) -> dict[str, Any] | None:
    """The config of a literal, or None if the object is none.

    Args:
        obj: any object.
        serialize: function for what is in it.
    """
    if isinstance(obj, bytes):
        return literal_config("__bytes__", value=obj.decode())
    if isinstance(obj, slice):
        ends = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return literal_config(
            "__slice__", **{key: serialize(x) for key, x in ends.items()}
        )
    if obj is Ellipsis:
        return literal_config("__ellipsis__")
    if isinstance(obj, KerasTensor):
        return _keras_tensor(obj)
    if isinstance(obj, jax.Array):
        name = dtypes.standardize_dtype(obj.dtype)
        return literal_config("__tensor__", value=np.asarray(obj).tolist(), dtype=name)
    if isinstance(obj, np.ndarray) and obj.ndim:
        return literal_config("__numpy__", value=obj.tolist(), dtype=obj.dtype.name)
    return None


def _keras_tensor(tensor):
    history = getattr(tensor, "_keras_history", None)
    return literal_config(
        "__keras_tensor__",
        shape=list(tensor.shape),
        dtype=tensor.dtype,
        keras_history=history and [history[0].name, *history[1:]],
    )


def is_literal(name: Any) -> bool:
    """Is it the class name of a literal?"""
    return name in _READERS


def load(name: str, config: Any, read: Callable[[Any], Any]) -> Any:
    """The value of a literal.

    Args:
        name: its class name.
        config: its config.
        read: function for what is in it.

    Raises:
        ValueError: it is no such config, or would take far more memory than the text.
        TypeError: a value of another type.
    """
    try:
        return _READERS[name](config, read)
    except (KeyError, AttributeError) as error:
        raise ValueError(f"Not a config of {name}: {reprlib.repr(config)}.") from error


def _array(config, read):
    """The numpy array of a config. Its dtype is a name that a file may choose."""
    value, name = config["value"], config["dtype"]
    if not isinstance(name, str):
        raise TypeError(f"The dtype of an array is a string, got {name!r}.")
    is_text = name.startswith(("str", "bytes"))  # "str64": texts of two characters
    dtype = np.dtype("U" if is_text else name)
    if dtype.hasobject or dtype.fields or dtype.subdtype:
        raise ValueError(f"Refused: an array of dtype {name!r}.")
    if dtype.kind not in "US":
        return np.array(value, dtype=dtype)
    # The shortest text takes as much as the longest, of which no dtype is believed.
    texts = np.array(value, dtype=object)
    longest = max((len(text) for text in texts.flat), default=0)
    if 4 * longest * texts.size > _LARGE_TEXTS:
        raise ValueError(f"Refused: {texts.size} texts of up to {longest} characters.")
    return texts.astype("S" if dtype.kind == "S" or name[0] == "b" else "U")


def _ends(config):
    return config["start"], config["stop"], config["step"]


def _type_spec(config, read):
    if not isinstance(config, (list, tuple)):
        raise TypeError(
            "Expected 'config' to be a list or a tuple in that of a TypeSpec, got "
            f"{reprlib.repr(config)}."
        )
    raise ValueError("A config holds a TypeSpec, which is a class of TensorFlow.")


_READERS: dict[str, Callable[[Any, Callable[[Any], Any]], Any]] = {
    "__bytes__": lambda c, read: c["value"].encode(),
    "__ellipsis__": lambda c, read: Ellipsis,
    "__keras_tensor__": lambda c, read: KerasTensor(tuple(c["shape"]), c["dtype"]),
    "__numpy__": _array,
    "__slice__": lambda c, read: slice(
        *(read(c[x]) for x in ("start", "stop", "step"))
    ),
    "__tensor__": lambda c, read: jnp.asarray(_array(c, read)),
    "__typespec__": _type_spec,
}
