"""Whole models and weights in the HDF5 layout of Keras 1, 2 and 3.

The attribute `layer_names` lists the groups of a file, each one's `weight_names` lists
the arrays in it: first those that train. A whole model has them in `model_weights`,
beside the attributes `model_config` and `training_config`.
"""

import itertools
import json
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minikeras.core import registry, serialization
from minikeras.core.loading import has_plain_items
from minikeras.core.serialization import serialize_keras_object
from minikeras.saving import h5_weights, safety
from minikeras.saving.errors import FileError
from minikeras.saving.old_optimizers import Arrays, matched
from minikeras.saving.old_training import compile_config
from minikeras.saving.old_weights import Move, Origin, moves, saved_weights
from minikeras.saving.upgrades import upgrade_config
from minikeras.version import KERAS_VERSION

_WEIGHTS, _OPTIMIZER, _OWN = (
    "model_weights",
    "optimizer_weights",
    "top_level_model_weights",
)
# HDF5 allows 64 KiB for the attributes of a group, a little of which it needs itself.
_MAX_ATTRIBUTE = 64_512


def is_legacy(file: Any) -> bool:
    """Has an HDF5 file the layout of this module, and not that of `.weights.h5`?"""
    names = ("model_config", "layer_names", "layer_names0")
    return _WEIGHTS in file or any(name in file.attrs for name in names)


# -- writing ------------------------------------------------------------------------


def write(model: Any, file: Any, include_optimizer: bool = True) -> None:
    """Write a whole model.

    Args:
        model: a built model.
        file: `h5py.File`, open for writing.
        include_optimizer: bool, whether to write the arguments of `compile` and the
            state of the optimizer.
    """
    with serialization.SharingScope():
        config = serialize_keras_object(model)
    compiled = config.pop("compile_config", None)
    # Keras finds the class of the whole model by this name alone.
    config["class_name"] = config["registered_name"] or config["class_name"]
    file.attrs["model_config"] = json.dumps(config)
    optimizer = getattr(model, "optimizer", None)
    if include_optimizer and compiled:
        compiled["optimizer_config"] = compiled.pop("optimizer", None)
        file.attrs["training_config"] = json.dumps(compiled)
    write_weights(model, file.create_group(_WEIGHTS))
    _write_origin(file)
    if include_optimizer and optimizer is not None:
        _write_arrays(file.create_group(_OPTIMIZER), optimizer.variables)


def write_weights(model: Any, file: Any) -> None:
    """Write the weights of a model.

    Args:
        model: a built model.
        file: `h5py.File` or group, open for writing.
    """
    _write_origin(file)
    _write_names(file, "layer_names", [layer.name for layer in model.layers])
    for layer in model.layers:
        _write_arrays(file.create_group(layer.name), saved_weights(layer))
    _write_arrays(file.create_group(_OWN), _own_weights(model))


def _write_origin(file):
    file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION, "jax"


def _write_arrays(group, variables):
    """Write Variables as the arrays of a group."""
    named = {v.path: v for v in variables}
    if len(named) < len(variables):  # two of one path: numbers tell them apart
        named = {f"{v.path}_{i}": v for i, v in enumerate(variables)}
    _write_names(group, "weight_names", list(named))
    for name, variable in named.items():
        h5_weights.write_array(group, name, np.asarray(variable.value))


def _write_names(group, name, values):
    """Write an attribute of strings; in pieces `name0`, `name1`, … if it is long."""
    data = np.array([x.encode() for x in values], dtype="S") if values else np.array([])
    per_piece = max(_MAX_ATTRIBUTE // data.itemsize, 1)
    if data.nbytes <= _MAX_ATTRIBUTE:
        group.attrs[name] = data
        return
    for i in range(0, len(data), per_piece):
        group.attrs[f"{name}{i // per_piece}"] = data[i : i + per_piece]


def _own_weights(model):
    """The weights that belong to the model itself and to none of its layers."""
    of_layers = {id(v) for layer in model.layers for v in layer.weights}
    return [v for v in saved_weights(model) if id(v) not in of_layers]


# -- reading ------------------------------------------------------------------------


def read_config(file: Any) -> dict[str, Any]:
    """The config of the model of a file in today's words.

    Args:
        file: checked `h5py.File`.

    Returns:
        Dict for `deserialize_keras_object`, with `compile_config` if the model was
        compiled.

    Raises:
        FileError: the file has weights alone, or a config without counterpart.
    """
    config = _json(file, "model_config")
    if config is None:
        raise FileError(
            "It holds weights and no model.",
            remedy="Build the model and call its `load_weights` with this file.",
        )
    if not serialization.is_config(config):
        raise FileError("It describes no model.", place="model_config")
    version = _origin(file).version
    config = upgrade_config(config, version)
    config = _for_users_classes(config)
    training = _json(file, "training_config")
    if training is not None:
        config["compile_config"] = compile_config(training, config, version)
    return config


def _for_users_classes(value: Any) -> Any:
    """The config without the modules of classes that the user gives for ours.

    `custom_objects={"Dense": MyDense}` is how old files were brought to load.
    """
    if isinstance(value, list) and not has_plain_items(value):
        return [_for_users_classes(x) for x in value]
    if not isinstance(value, dict):
        return value
    name = value.get("class_name")
    replaced = isinstance(name, str) and registry.get_registered_object(name)
    kept = value.items() if not replaced else {**value, "module": None}.items()
    return {key: _for_users_classes(x) for key, x in kept}


def _json(file, name):
    """The value of an attribute with JSON text, or None without it."""
    text = safety.attribute(file, name)
    if text is not None and not isinstance(text, (str, bytes)):
        raise FileError("It is no text.", place=name)
    return None if text is None else safety.parse_json(text, name)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _origin(file):
    """Who wrote the file."""
    group = file[_WEIGHTS] if _WEIGHTS in file else file

    def find(name, default):
        value = safety.attribute(file, name, safety.attribute(group, name, default))
        return _text(value)

    return Origin(find("keras_version", "1"), find("backend", ""))


def _names(group, name):
    """The strings of an attribute, and of its pieces `name0`, `name1`, …"""
    place = f"{group.name} ({name})"
    found: list[str] = []
    length = 0
    for number in itertools.count(-1):
        piece = safety.attribute(group, f"{name}{number}" if number >= 0 else name)
        if piece is None and number >= 0:
            break
        texts = [_text(x) for x in np.ravel([] if piece is None else piece)]
        found += texts
        # Several may be the same bytes of the file, as often as somebody likes.
        length += sum(map(len, texts))
        safety.check_size(length, 0, place, safety.MOST_NAMES)
    if len(set(found)) < len(found):
        raise FileError("Refused: it lists a name twice.", place=place)
    return found


class _Group(NamedTuple):
    """The arrays of one group of a file."""

    name: str
    names: list[str]
    datasets: list[Any]

    @property
    def shapes(self):
        return [tuple(x.shape) for x in self.datasets]

    @property
    def store(self):
        return h5_weights.Store({str(i): x for i, x in enumerate(self.datasets)})


def _group(parent, name):
    """A group with its arrays in order; FileError if it or one of them is missing."""
    if name not in parent:
        raise FileError(f"The group {name!r}, which it lists, is missing.")
    group = parent[name]
    names = _names(group, "weight_names")
    if missing := [x for x in names if not hasattr(group.get(x), "read_direct")]:
        fault = f"The weights {missing}, which it lists, are missing."
        raise FileError(fault, place=name)
    return _Group(name, names, [group[x] for x in names])


def load_weights(
    model: Any,
    file: Any,
    skip_mismatch: bool = False,
    by_name: bool = False,
    is_from_file: bool = False,
) -> None:
    """Assign the weights of a model from a whole-model or weights file.

    Args:
        model: a built model.
        file: checked `h5py.File`.
        skip_mismatch: bool, whether to warn of layers whose weights do not fit, and
            leave all their weights unchanged.
        by_name: bool, whether layers are found by their names; False takes them in
            order.
        is_from_file: bool, whether the model was made from the config of this file, so
            that names decide and none may be missing.

    Raises:
        FileError: names all layers whose weights do not fit. No weight has changed.
    """
    origin = _origin(file)
    file = file[_WEIGHTS] if _WEIGHTS in file else file
    groups = [_group(file, name) for name in _names(file, "layer_names")]
    groups = [group for group in groups if group.names]
    if is_from_file:
        groups = _in_order_of(model, groups)
    pairs = [*(_by_name if by_name else _in_order)(model, groups)]
    if own := _own_weights(model):
        empty = _Group(_OWN, [], [])
        pairs.append((_Own(own), _group(file, _OWN) if _OWN in file else empty))
    problems, plans = [], []
    for layer, group in pairs:
        group = _in_our_order(layer, group)
        found = moves(layer, group.shapes, origin)
        if found is None:
            problems.append(_mismatch(layer, group))
        else:
            plans.append((saved_weights(layer), group.store, found))
    text = "\n".join(problems)
    if problems and not skip_mismatch:
        raise FileError(
            f"{len(problems)} layers do not fit, so no weight was changed:\n{text}\n",
            remedy="Build the model as it was saved, or pass skip_mismatch=True.",
        )
    _assign(plans)
    if problems:
        warnings.warn(f"Not loaded from the file:\n{text}", stacklevel=3)


class _Own(NamedTuple):
    """A model's own weights, in the place of a layer."""

    trainable_weights: list[Any]
    non_trainable_weights: tuple[Any, ...] = ()
    name: str = "the model itself"


def _in_order(model, groups):
    """[(layer, its group)], by the order of the layers that have weights."""
    layers = [layer for layer in model.layers if layer.weights]
    if len(layers) != len(groups):
        unbuilt = "" if model.built else " The model is not built: call it on data."
        raise FileError(
            f"It has weights of {len(groups)} layers ({[g.name for g in groups]}), the "
            f"model has {len(layers)} ({[x.name for x in layers]}).{unbuilt}",
            remedy="Build the model as it was saved, or pass by_name=True.",
        )
    return zip(layers, groups, strict=True)


def _in_order_of(model, groups):
    """The groups in the order of the model's layers, if all of them are found."""
    by_name = {group.name: group for group in groups}
    found = [by_name[x.name] for x in model.layers if x.name in by_name]
    return found if len(found) == len(groups) else groups


def _by_name(model, groups):
    """[(layer, its group)], by the names of the layers."""
    by_name = {group.name: group for group in groups}
    pairs = [(x, by_name[x.name]) for x in model.layers if x.name in by_name]
    if groups and not pairs:
        raise FileError(
            f"No layer of the model has one of its names: {[*by_name]}.",
            remedy="Name the layers so, or leave by_name out.",
        )
    return pairs


def _in_our_order(layer, group):
    """The group in our order if its names say that it has another.

    A nested model has the weights that train first. So which layers were frozen decides
    the order in the file, and the shapes may not show it.
    """
    paths = [v.path for v in saved_weights(layer)]
    for parts in (2, 1):
        ours = _numbered(paths, parts)
        theirs = {key: i for i, key in enumerate(_numbered(group.names, parts))}
        if theirs.keys() == set(ours):
            moved = [theirs[key] for key in ours]
            names = [group.names[i] for i in moved]
            return _Group(group.name, names, [group.datasets[i] for i in moved])
    return group


def _numbered(paths, parts):
    """(The last parts of a path without TensorFlow's `:0`, how many came before)."""
    seen: dict[tuple[str, ...], int] = {}
    keys = []
    for path in paths:
        last = tuple(path.partition(":")[0].split("/")[-parts:])
        keys.append((last, seen.setdefault(last, 0)))
        seen[last] += 1
    return keys


def _mismatch(layer, group):
    """Says which weights of a layer do not fit."""
    own = {v.path: tuple(v.shape) for v in saved_weights(layer)}
    stored = dict(zip(group.names, group.shapes, strict=True))
    return f"  {layer.name}: it has {own}, the file's {group.name!r} has {stored}"


def _assign(plans: Iterable[tuple[list[Any], h5_weights.Store, list[Move]]]) -> None:
    """Read and assign, after everything has been checked."""
    h5_weights.assign_all(_values(plans))


def _values(plans) -> Iterator[tuple[Any, Any]]:
    """Generate (Variable, its value)."""
    for weights, store, found in plans:
        for move in found:
            keys = [str(i) for i in move.arrays]
            targets = [weights[i] for i in move.weights]
            if move.convert is None:
                yield targets[0], store.array(keys[0], targets[0].dtype)
            else:
                arrays = move.convert([store[key] for key in keys])
                yield from zip(targets, arrays, strict=True)


def load_optimizer(model: Any, file: Any) -> None:
    """Restore the state of the optimizer of a model, or warn why it is fresh.

    Args:
        model: a compiled, built model.
        file: checked `h5py.File`.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or _OPTIMIZER not in file:
        return
    try:
        group = _group(file, _OPTIMIZER)
        variables = list(optimizer.variables)
        own = Arrays([v.path for v in variables], [tuple(v.shape) for v in variables])
        stored = Arrays(group.names, group.shapes)
        order = matched(own, stored, _orders(model, file), _origin(file).version)
    except FileError as error:
        warnings.warn(
            f"The optimizer's state was left out, so training goes on with a new one: "
            f"{error}",
            stacklevel=3,
        )
        return
    found = [Move([i], [j], None) for i, j in order.items()]
    _assign([(variables, group.store, found)])


def _orders(model, file):
    """Positions of the trainable Variables by the file's layers, and by its names."""
    file = file[_WEIGHTS] if _WEIGHTS in file else file
    layers = {layer.name: layer for layer in model.layers}
    named: dict[int, str] = {}
    for name in _names(file, "layer_names"):
        trained = layers[name].trainable_weights if name in layers else []
        for v, key in zip(trained, _names(file[name], "weight_names"), strict=False):
            named.setdefault(id(v), key)
    for v in model.trainable_variables:
        named.setdefault(id(v), v.path)
    orders = []
    for keys in (list(named), sorted(named, key=lambda key: named[key])):
        place = {key: i for i, key in enumerate(keys)}
        orders.append([place[id(v)] for v in model.trainable_variables])
    return orders
