"""What the config of a model says, read as data: no class is looked into or built."""

import builtins
import inspect
import math
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from minikeras.core import registry
from minikeras.core.naming import to_snake_case

# What safe mode refuses, or what takes data from outside of the file.
_CODE = "holds Python code, which was not run"
_RISKS = {
    "__lambda__": _CODE,
    "TFSMLayer": "loads a SavedModel from outside of the file",
    "TorchModuleWrapper": "holds a pickle, which was not loaded",
}
# What is no class in these modules reads files, changes settings or builds models.
_NO_PARTS = ("keras.config", "keras.models", "keras.saving", "keras.utils")
# Arguments that allocate as much, or more. A file with fewer weights contradicts them.
_SIZES = frozenset(
    "units filters input_dim output_dim num_heads key_dim kernel_size num_classes "
    "num_thresholds".split()
)
_LARGE = 1_000_000
_MOST_SHOWN = 500  # characters
_OUTSIDE = re.compile(r"/.|~/|\.\./|[A-Za-z]:\\|\w+://")
_NUMBERS = re.compile("bool|u?int\\d+|b?float\\w+|complex\\d+|string")


class Entry(NamedTuple):
    """A layer of a config.

    Attributes:
        path: of its weights in a file, such as `"layers/dense_1"`.
        name: of the layer.
        class_name: of its class.
        depth: number of models around it, without the outermost.
        dtype: name of its dtype or policy, or None.
    """

    path: str
    name: str
    class_name: str
    depth: int
    dtype: str | None


def inner(config: Any) -> dict:
    """The arguments of an object's config, `{}` if it has none."""
    found = config.get("config") if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}


def layers(config: Any) -> list[Entry]:
    """The layers of a model's config, those of the models in it too, in order."""
    found: list[Entry] = []
    pending = [(config, "", -1, "")]
    while pending:
        item, path, depth, name = pending.pop()
        if depth >= 0:
            class_name, dtype = _class_name(item), _dtype(inner(item))
            found.append(Entry(path, name, class_name, depth, dtype))
        used: dict[str, int] = {}
        below = []
        for layer in _listed(item):
            own = str(inner(layer).get("name") or layer.get("name") or "")
            kind = to_snake_case(_class_name(layer))
            count = used[kind] = used.get(kind, -1) + (not _is_op(layer))
            where = f"{path}/layers/{kind}".lstrip("/") + (f"_{count}" if count else "")
            below.append((layer, where, depth + 1, own))
        pending.extend(reversed(below))
    return found


def _listed(config):
    """Configs of the layers of a model's config; none for other objects."""
    listed = inner(config).get("layers")
    if not isinstance(listed, list):
        # Sequential of Keras 1 had the list itself as its config.
        listed = config.get("config") if isinstance(config, dict) else None
    listed = listed if isinstance(listed, list) else []
    return [x for x in listed if isinstance(x, dict) and "class_name" in x]


def _class_name(config):
    """Name of a layer's class, which names its weights; the public name may differ."""
    name = str(config["class_name"]).rpartition(">")[2]
    return getattr(_find(str(config.get("module") or ""), name), "__name__", name)


def _is_op(config):
    """True for an op in the graph, which is no layer, so it takes no number."""
    return ".ops." in str(config.get("module"))


def _dtype(arguments):
    """Name of a layer's dtype or policy."""
    dtype = arguments.get("dtype")
    named = inner(dtype).get("name") if isinstance(dtype, dict) else dtype
    return None if named is None else str(named)


def _objects(config: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(place, value) of each value in nested lists and dicts."""
    # Iterators, since a list of all that is left would take more memory than the file.
    pending = [iter([(place, config)])]
    while pending:
        for place, value in pending[-1]:
            yield place, value
            if isinstance(value, (list, dict)):
                pending.append(_items(place, value))
                break
        else:
            pending.pop()


def _items(place, value):
    """(place, value) of the items of a list or dict."""
    place = place[:_MOST_SHOWN]  # keys may have megabytes
    for key, x in value.items() if isinstance(value, dict) else enumerate(value):
        yield f"{place}/{str(key)[:_MOST_SHOWN]}".lstrip("/"), x


def custom(config: Any, where: str = "") -> list[str]:
    """Name the classes and functions that are not Keras's, and where they are used."""
    found: dict[str, str] = {}
    for place, value in _objects(config, where):
        name, module = _named(value)
        if not name or re.fullmatch("__[a-z_]+__", name):
            continue
        library = registry.means_library({**value, "module": module})
        if not library or _find(module, name) is None:
            registered = value.get("registered_name")
            own = isinstance(registered, str) and ">" in registered
            label = registered if own else name
            found.setdefault(f"{label} (module {module or 'not named'})", place)
    return [f"{label}, at {place or 'the top'}" for label, place in found.items()]


def _named(value):
    """(name, module) of the class or function of a config; empty for others."""
    name = value.get("class_name") if isinstance(value, dict) else None
    if not isinstance(name, str):
        return "", ""
    name = str(value.get("config")) if name == "function" else name
    return name, str(value.get("module") or "")


def _find(module, name):
    """The class or function of Keras that is named so, or None."""
    name = name.removeprefix("Custom>")  # Keras 2 had registered its own optimizers
    return registry.lookup(module, name) or registry.find_op(name)


def risks(config: Any, elements: int | None, where: str = "") -> list[str]:
    """Name what may do harm when the config is loaded.

    Args:
        config: parsed JSON.
        elements: number of scalars that the file stores, None if it has no weights.
        where: place of the config.
    """
    found = []
    for place, value in _objects(config, where):
        of_object = _risk_of_object(value) if isinstance(value, dict) else None
        risk = of_object or _risk_of_value(place.rpartition("/")[2], value, elements)
        if risk:
            found.append(f"{place or 'the top'}: {risk}.")
    return found


def _risk_of_object(value):
    """What may be wrong with a dict of a config, or None."""
    name, module = _named(value)
    if name in _RISKS or value.get("function_type") == "lambda":
        return f"{name or 'Lambda'} {_RISKS.get(name, _CODE)}"
    root, is_function = module.partition(".")[0], value.get("class_name") == "function"
    if root == "builtins":
        dangerous = is_function and hasattr(builtins, name)
    else:
        dangerous = root in sys.stdlib_module_names
    if module.replace(".src.", ".").startswith(_NO_PARTS):
        dangerous = not inspect.isclass(_find(module, name))
    if dangerous:
        return f"{name} of {module} is no part of a model"
    dtype = inner(value).get("dtype")
    if name in ("__numpy__", "__tensor__") and not _NUMBERS.fullmatch(str(dtype)):
        return f"an array of type {dtype!r}"
    return None


def _risk_of_value(key, value, elements):
    """What may be wrong with an argument, or None."""
    if isinstance(value, str) and (key == "vocabulary" or _OUTSIDE.match(value)):
        # Items of lists are words of vocabularies, which may look like anything.
        return None if key.isdecimal() else f"names a file or address, {value!r}"
    if key not in _SIZES:
        return None
    sizes = value if isinstance(value, list) else [value]
    size = math.prod(n for n in sizes if type(n) is int)
    if size < _LARGE or size <= (elements or 0):
        return None
    stored = "" if elements is None else f", and the file stores {elements} numbers"
    return f"declares {value}{stored}"
