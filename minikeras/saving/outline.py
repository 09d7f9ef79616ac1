"""What the config of a model says, read as data: no class is looked into or built."""

import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from minikeras.core import registry
from minikeras.core.naming import to_snake_case

# What safe mode refuses, or what takes data from outside of the file.
_RISKS = {
    "__lambda__": "holds Python code, which was not run",
    "TFSMLayer": "loads a SavedModel from outside of the file",
    "TorchModuleWrapper": "holds a pickle, which was not loaded",
}
# Arguments that allocate. A file whose weights are fewer contradicts them.
_SIZES = frozenset(
    "units filters input_dim output_dim num_heads key_dim num_thresholds".split()
)
_LARGE = 10_000_000
_HOME = ("", "keras", "tensorflow", "tf_keras", "builtins")


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
            class_name = str(item["class_name"]).rpartition(">")[2]
            found.append(Entry(path, name, class_name, depth, _dtype(inner(item))))
        used: dict[str, int] = {}
        below = []
        for layer in _listed(item):
            own = str(inner(layer).get("name") or layer.get("name") or "")
            kind = to_snake_case(str(layer["class_name"]).rpartition(">")[2])
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
    for key, x in value.items() if isinstance(value, dict) else enumerate(value):
        yield f"{place}/{key}".lstrip("/"), x


def custom(config: Any, where: str = "") -> list[str]:
    """Name the classes and functions that are not Keras's, and where they are used."""
    found: dict[str, str] = {}
    for place, value in _objects(config, where):
        if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
            continue
        name, module = value["class_name"], str(value.get("module") or "")
        if name == "function":
            name = str(value.get("config"))
        if re.fullmatch("__[a-z_]+__", name):
            continue
        foreign = module.partition(".")[0] not in _HOME
        known = registry.lookup(module, name) or registry.find_op(name)
        if foreign or known is None:
            registered = value.get("registered_name")
            label = registered if isinstance(registered, str) else name
            label = name if label == "function" else label
            found.setdefault(f"{label} (module {module or 'not named'})", place)
    return [f"{label}, at {place or 'the top'}" for label, place in found.items()]


def risks(config: Any, elements: int | None) -> list[str]:
    """Name what may do harm when the config is loaded.

    Args:
        config: parsed JSON.
        elements: number of scalars that the file stores, None if it has no weights.
    """
    found = []
    for place, value in _objects(config):
        key = place.rpartition("/")[2]
        if isinstance(value, dict):
            name, module = value.get("class_name"), str(value.get("module") or "")
            if isinstance(name, str) and name in _RISKS:
                found.append(f"{place}: {name} {_RISKS[name]}.")
            elif value.get("function_type") == "lambda":
                found.append(f"{place}: Lambda {_RISKS['__lambda__']}.")
            root = module.partition(".")[0]
            if root in sys.stdlib_module_names and root != "builtins":
                found.append(f"{place}: names {name!r} of Python's module {module!r}.")
        elif key == "vocabulary" and isinstance(value, str):
            found.append(f"{place}: names a file to read, {value!r}.")
        elif key in _SIZES and type(value) is int:
            if value > max(_LARGE, elements or 0):
                stored = "" if elements is None else f"; the file stores {elements}"
                found.append(f"{place}: declares {value}{stored}.")
    return found
