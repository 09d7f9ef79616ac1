"""Save and load: arguments, and which format a path asks for."""

import json
import pathlib
import reprlib

from minikeras.core import serialization
from minikeras.core.registry import CustomObjectScope
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.saving import atomic_files, h5_weights, keras_file


def model_to_json(model, **kwargs) -> str:
    """The architecture as JSON text."""
    return json.dumps(serialize_keras_object(model), **kwargs)


def save_model(model, filepath, overwrite=True, zipped=None, **kwargs):
    """Write architecture, weights, compile config and optimizer state.

    The file is written beside its place and then renamed: whatever happens, the
    place holds the old file or the whole new one.

    Args:
        model: the model.
        filepath: path that ends in `.keras`, or a file object open for writing.
        overwrite: replace an existing file, or ask at the prompt?
        zipped: one file (default), or a folder when False.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"save: arguments not recognized: {sorted(kwargs)}.")
    members = keras_file.members(model, include_optimizer)
    if hasattr(filepath, "write"):
        keras_file.write_zip(filepath, members)
        return
    path = pathlib.Path(filepath)
    if path.suffix != ".keras" and zipped is not False:
        raise ValueError(f"save: the path must end in `.keras`, got {str(filepath)!r}.")
    if not _may_write(path, overwrite):
        return
    if zipped is False:
        atomic_files.write_folder(path, members)
    else:
        with atomic_files.replacing(path) as file:
            keras_file.write_zip(file, members)


def _may_write(path, overwrite):
    if overwrite or not path.exists():
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{path} exists. Overwrite it? [y/n] ").strip().lower()
    return answer == "y"


def _check_built(model, name):
    if not model.built:
        raise ValueError(
            f"{name}: the model {model.name!r} has no weights yet, since it is not "
            "built. Call it on data first, or `build(input_shape)`."
        )


def save_weights(model, filepath, overwrite=True, **kwargs):
    """Write the weights to a file that ends in `.weights.h5`."""
    if kwargs:
        raise ValueError(f"save_weights: arguments not recognized: {sorted(kwargs)}.")
    path = pathlib.Path(filepath)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"save_weights: the path must end in `.weights.h5`, got {str(filepath)!r}."
        )
    _check_built(model, "save_weights")
    if _may_write(path, overwrite):
        with atomic_files.replacing(path) as file:
            file.write(h5_weights.to_bytes(model, True))


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """Read a model from a `.keras` file.

    Args:
        filepath: path of the file or folder, or an open file.
        custom_objects: {name: class or function} of your own that the model uses.
        compile: compile it as it was, and restore the optimizer's state?
        safe_mode: refuse to run code that the file brings (Lambda layers)?

    Raises:
        ValueError: no such file, not a `.keras` file, damaged, or it names a class
            that is not registered.
    """
    with keras_file.opened(filepath) as member:
        config = keras_file.parse_config(member(keras_file.CONFIG), filepath)
        data = member(keras_file.WEIGHTS)
    if not compile:
        config.pop("compile_config", None)
    with (
        CustomObjectScope(custom_objects),
        serialization.SafeModeScope(safe_mode),
        serialization.SharingScope(),
    ):
        model = deserialize_keras_object(config)
    if not hasattr(model, "load_own_variables"):
        raise ValueError(
            f"{filepath!s} holds no model: its {keras_file.CONFIG} gives "
            f"{reprlib.repr(model)}."
        )
    h5_weights.from_bytes(model, data, filepath)
    return model


def load_weights(model, filepath, skip_mismatch=False, **kwargs):
    """Read weights into a built model from `.weights.h5` or `.keras`."""
    kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ValueError(f"load_weights: arguments not recognized: {sorted(kwargs)}.")
    path = pathlib.Path(filepath)
    if path.suffix not in (".keras", ".h5"):
        raise ValueError(
            "load_weights: expected a `.weights.h5` or `.keras` file, got "
            f"{str(filepath)!r}."
        )
    if not path.exists():
        raise ValueError(f"File not found: {str(path)!r}.")
    _check_built(model, "load_weights")
    if path.suffix == ".keras":
        with keras_file.opened(path) as member:
            data = member(keras_file.WEIGHTS)
    else:
        data = path.read_bytes()
    h5_weights.from_bytes(model, data, filepath, skip_mismatch)
