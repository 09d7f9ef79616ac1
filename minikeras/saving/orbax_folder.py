"""Checkpoints of Orbax in the layout of Keras's `OrbaxCheckpoint` callback.

A folder has a folder for each step, named by its number. `pytree` in it holds the tree
of `Model.get_state_tree()`, `model_config` the config as JSON, `assets` the files of
layers as arrays of bytes. The last two may be missing.
"""

import functools
import io
import json
import math
import operator
import os
import pathlib
import re
import stat
import warnings
from typing import Any

import jax
import numpy as np

from minikeras.core import serialization
from minikeras.core.late_import import late_import
from minikeras.core.serialization import serialize_keras_object
from minikeras.core.variable import unique_paths
from minikeras.saving import assets, by_path, errors, h5_weights, safety
from minikeras.saving.members import Members

_MARK, _TREE, _ASSETS = "_CHECKPOINT_METADATA", "pytree", "assets"
_WEIGHTS = ("trainable_variables", "non_trainable_variables")
# Seeds are named by how many generators the program had made: their order counts.
_KINDS = {
    "trainable_variables": "weights",
    "non_trainable_variables": "weights",
    "seed_generator_state": "seeds",
}


def _orbax():
    """Version 1 of the interface of `orbax.checkpoint`."""
    try:
        return late_import("orbax.checkpoint").v1
    except ImportError as error:
        raise ImportError(
            "Checkpoints of Orbax need its package: pip install 'minikeras-jax[orbax]'."
        ) from error


def check_installed() -> None:
    """Raise ImportError unless the package of Orbax is there."""
    _orbax()


def last_step(folder: str | os.PathLike) -> pathlib.Path | None:
    """The folder of the last step of a checkpoint, or of the step itself.

    Returns:
        The path, None if the folder holds no checkpoint.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return None
    if (folder / _MARK).is_file():
        return folder
    steps = [p for p in folder.iterdir() if p.name.isdecimal() and not p.is_symlink()]
    steps = [p for p in steps if (p / _MARK).is_file()]
    return max(steps, key=lambda p: int(p.name), default=None)


def _json(path):
    with safety.open_regular(path, follow=False) as file:
        size = safety.size_of(file)
        data = safety.read_all(file, size, size, path.name)
    return safety.parse_json(data, path.name)


def read_config(folder: str | os.PathLike) -> Any:
    """The config of the model in a checkpoint, None if it holds only weights.

    Raises:
        FileError: the folder holds no checkpoint, or a damaged one.
    """
    path = _step(folder) / "model_config" / "_strings.json"
    if not path.exists():
        return None
    found = _json(path)
    text = found.get("config") if isinstance(found, dict) else None
    if not isinstance(text, str):
        raise errors.FileError("It holds no config.", place="model_config")
    return safety.parse_json(text, "model_config")


def _step(folder):
    if (step := last_step(folder)) is None:
        raise errors.FileError("The folder holds no checkpoint of Orbax.", str(folder))
    return step


def shapes(folder: str | os.PathLike, tree: str = _TREE) -> dict[str, tuple[int, ...]]:
    """{path in a tree: shape} of a checkpoint, without Orbax, and without arrays.

    Args:
        folder: folder of all steps, or of one.
        tree: `"pytree"` or `"assets"`.

    Raises:
        FileError: it is damaged, or declares far more than it stores.
    """
    step = _step(folder)
    found = _json(step / tree / "_METADATA")
    try:
        table = {
            tuple(str(key["key"]) for key in entry["key_metadata"]): tuple(
                map(int, entry["value_metadata"].get("write_shape") or ())
            )
            for entry in found["tree_metadata"].values()
            if not entry["value_metadata"]["skip_deserialize"]  # an empty dict
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise errors.FileError(
            f"It is damaged: {error!r}.", place="_METADATA"
        ) from None
    for keys in table:
        # Assets become files of these names.
        if any(key in ("", ".", "..") or {*"/\\:\0"} & {*key} for key in keys):
            raise errors.FileError(f"Refused: a path with {keys}.", place="_METADATA")
    declared = 4 * sum(map(math.prod, table.values()))
    safety.check_size(declared, _stored(step), tree)
    return {"/".join(keys): shape for keys, shape in table.items()}


def _stored(step):
    """Bytes of all files of a step; FileError for links, which may lead elsewhere."""
    size = 0
    for path in step.rglob("*"):
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise errors.FileError("Refused: it is no regular file.", place=path.name)
        size += status.st_size
    return size


def _nested(flat):
    """{"a/b": x} as {"a": {"b": x}}."""
    tree: dict = {}
    for path, value in flat.items():
        *groups, name = path.split("/")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[name] = value
    return tree


def write(
    model: Any,
    folder: str | os.PathLike,
    step: int | None = None,
    weights_only: bool = False,
) -> None:
    """Write the state of a model as a step of a checkpoint.

    Args:
        model: a built model.
        folder: folder of all steps.
        step: number, by default the one after the last.
        weights_only: bool, whether to leave out the config, and with it the state of
            the optimizer and the metrics, and the assets.
    """
    orbax = _orbax()
    step = next_step(folder) if step is None else step
    path = pathlib.Path(folder).resolve() / str(step)
    orbax.save_checkpointables(path, parts(model, weights_only))


def next_step(folder: str | os.PathLike) -> int:
    """The number after that of the last step in a folder, 0 without one."""
    last = last_step(folder)
    return 0 if last is None else int(last.name) + 1


def checkpointer(folder: str | os.PathLike, max_to_keep: int | None = None) -> Any:
    """The `Checkpointer` of Orbax that writes steps, and deletes the oldest ones.

    Args:
        folder: folder of all steps.
        max_to_keep: number of steps that stay; None: all.

    Raises:
        ImportError: Orbax is not installed.
    """
    training = _orbax().training
    keep = training.preservation_policies.LatestN(max_to_keep)
    path = pathlib.Path(folder).resolve()
    return training.Checkpointer(path, preservation_policy=keep)


def replace(model: Any, folder: str | os.PathLike, weights_only: bool = False) -> None:
    """Write the state of a model as the only step of a checkpoint.

    Args:
        model: a built model.
        folder: folder of all steps; the old ones are deleted after the new one is
            written.
        weights_only: as in `write`.
    """
    with checkpointer(folder, 1) as steps:
        steps.save_checkpointables(next_step(folder), parts(model, weights_only))


def parts(model: Any, weights_only: bool = False) -> dict[str, Any]:
    """{name: tree} of what a step holds, as `write` takes it."""
    tree = model.get_state_tree()
    if weights_only:
        return {_TREE: {k: v for k, v in tree.items() if k in _WEIGHTS}}
    with serialization.SharingScope():
        config = json.dumps(serialize_keras_object(model))
    found = {_TREE: tree, "model_config": {"config": config}}
    with assets.saved(model) as files:
        for name, file in files.items():
            found.setdefault(_ASSETS, {})[name] = np.fromfile(file, np.uint8)
    if _ASSETS in found:
        found[_ASSETS] = _nested(found[_ASSETS])[_ASSETS]
    return found


def read(model: Any, folder: str | os.PathLike, skip_mismatch: bool = False) -> None:
    """Assign the state of a model from the last step of a checkpoint.

    The state of the optimizer, metrics and random generators is restored as far as the
    model has it under the same names.

    Args:
        model: a built model.
        folder: folder of all steps, or of one.
        skip_mismatch: bool, whether to warn of weights that are missing or have another
            shape, and leave them unchanged; False raises an error that names them.

    Raises:
        FileError: no checkpoint, a damaged one, or weights do not fit.
    """
    orbax = _orbax()
    with errors.reading(folder):
        step = _step(folder)
        config = read_config(step)
        saved = ((config or {}).get("config") or {}).get("name", model.name)
        found = shapes(step)
        pairs = _pairs(model, found, saved, skip_mismatch)
        chosen = {path: variable for variable, path in pairs}
        targets = {path: _target(variable) for path, variable in chosen.items()}
        values = _load(orbax, step, _TREE, targets) if targets else {}
        h5_weights.assign_all((v, values[path]) for path, v in chosen.items())
        if (step / _ASSETS).is_dir():
            assets.load(model, _members(orbax, step))


def _load(orbax, step, tree, targets):
    """{path: array} of a tree, as `targets`, {path: what Orbax shall make}, say."""
    context = orbax.Context()
    context.pytree.loading.partial_load = True
    with context:
        loaded = orbax.load_checkpointables(step, {tree: _nested(targets)})[tree]
    return _flat(loaded, targets)


def _flat(tree, paths):
    """{path: value} of some paths in nested dicts."""
    return {p: functools.reduce(operator.getitem, p.split("/"), tree) for p in paths}


def _members(orbax, step):
    """The assets of a step as members of a file."""
    # The file has no shapes of arrays of NumPy, which the assets are.
    metadata = orbax.checkpointables_metadata(step).metadata[_ASSETS]
    targets = _flat(metadata, shapes(step, _ASSETS))
    total = sum(
        math.prod(x.shape) * np.dtype(x.dtype).itemsize for x in targets.values()
    )
    safety.check_size(total, _stored(step), _ASSETS)
    values = _load(orbax, step, _ASSETS, targets)
    content = {f"{_ASSETS}/{p}": np.asarray(x).tobytes() for p, x in values.items()}
    sizes = {name: len(data) for name, data in content.items()}
    return Members(sizes, lambda name: io.BytesIO(content[name]))


def _target(variable):
    """What Orbax shall load for a variable: an array where the variable's is."""
    value = variable.value
    return jax.ShapeDtypeStruct(value.shape, value.dtype, sharding=value.sharding)


def _pairs(model, found, saved_name, skip_mismatch):
    """[(variable, path in the tree)]; ValueError if weights do not fit."""
    places: dict[str, dict[str, str]] = {}  # {kind: {plain path: path in the tree}}
    for path in found:
        group, _, rest = path.partition("/")
        kind = _KINDS.get(path.rpartition("/")[2]) or _KINDS.get(group, group)
        places.setdefault(kind, {})[_plain(rest, kind, saved_name)] = path
    weights = {id(v) for v in model.weights}
    optimizer = getattr(model, "optimizer", None)
    variables = {
        "weights": model.weights,
        "seeds": [v for v in model.variables if id(v) not in weights],
        "optimizer_variables": optimizer.variables if optimizer else [],
        "metrics_variables": model.metrics_variables,
    }
    pairs = []
    for kind, own in variables.items():
        named = {_plain(p, kind, model.name): v for p, v in unique_paths(own).items()}
        known = {plain: found[path] for plain, path in places.get(kind, {}).items()}
        if kind == "weights":
            matched = by_path.match(named, known, skip_mismatch)
        elif kind == "seeds" and len(own) == len(known):
            matched = list(zip(own, sorted(known, key=_number), strict=True))
        else:
            matched = [(v, p) for p, v in named.items() if known.get(p) == (*v.shape,)]
        if kind == "optimizer_variables" and known and len(matched) < len(named):
            matched = []
            warnings.warn(
                "The optimizer's state was left out: the checkpoint has that of "
                f"{sorted(known)}, not of {sorted(named)}.",
                stacklevel=4,
            )
        pairs += [(v, places[kind][plain]) for v, plain in matched]
    return pairs


def _number(path):
    """The number in the name of a seed generator, which counts those of a program."""
    digits = re.search(r"_(\d+)/", path)
    return int(digits[1]) if digits else 0


def _plain(path, kind, model_name):
    """A path without the model's name; names of slots have it after the optimizer's."""
    if kind != "optimizer_variables":
        return path.removeprefix(f"{model_name}/")
    return path.partition("/")[2].removeprefix(f"{model_name}_")
