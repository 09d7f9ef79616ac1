"""`.keras` files: a zip of metadata.json, config.json and model.weights.h5."""

import contextlib
import datetime
import io
import json
import pathlib
import reprlib
import zipfile

from minikeras.core import serialization
from minikeras.core.late_import import late_import
from minikeras.core.registry import CustomObjectScope
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.saving import atomic_files, safety
from minikeras.saving import h5_weights as weights

_FORMAT_VERSION = "3.15.1"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


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
    members = _members(model, include_optimizer)
    if hasattr(filepath, "write"):
        _write_zip(filepath, members)
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
            _write_zip(file, members)


def _members(model, include_optimizer):
    with serialization.SharingScope():
        config = serialize_keras_object(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _FORMAT_VERSION, "date_saved": now}
    return {
        _METADATA: json.dumps(metadata).encode(),
        _CONFIG: json.dumps(config).encode(),
        _WEIGHTS: _weights_bytes(model, include_optimizer),
    }


def _weights_bytes(model, include_optimizer):
    h5py = late_import("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        weights.write(model, file, optimizer=include_optimizer)
    return buffer.getvalue()


def _write_zip(file, members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


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
            file.write(_weights_bytes(model, True))


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
    with _opened(filepath) as member:
        config = _config(member(_CONFIG), filepath)
        data = member(_WEIGHTS)
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
            f"{filepath!s} holds no model: its {_CONFIG} gives {reprlib.repr(model)}."
        )
    _read_weights(model, data, filepath)
    return model


def _config(text, filepath):
    """The config of a model, or of a layer, that a file holds as JSON."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{filepath!s} is damaged: its {_CONFIG} cannot be read: {error}."
        ) from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(
            f"{filepath!s} is damaged: its {_CONFIG} describes no model: "
            f"{reprlib.repr(config)}."
        )
    return config


@contextlib.contextmanager
def _opened(filepath):
    """A function from the name of a member to its bytes."""
    if not hasattr(filepath, "read"):
        path = pathlib.Path(filepath)
        if not path.exists():
            raise ValueError(f"File not found: {str(path)!r}.")
        if path.is_dir():
            yield lambda name: atomic_files.read_member(path, name)
            return
    if not zipfile.is_zipfile(filepath):
        raise ValueError(
            f"{filepath!s} is not a `.keras` file, or it is cut off: it has no zip "
            "directory at its end. Save the model again, or copy the file once more."
        )
    with zipfile.ZipFile(filepath) as archive:
        safety.check_zip(archive)
        names = archive.namelist()

        def member(name):
            if name not in names:
                raise ValueError(
                    f"{filepath!s} is a zip but not a `.keras` file: it has no {name!r}"
                    f" among {names[:8]}."
                )
            try:
                return archive.read(name)
            except zipfile.BadZipFile as error:
                raise ValueError(f"{filepath!s} is damaged: {error}.") from error

        yield member


def _read_weights(model, data, filepath, skip_mismatch=False):
    h5py = late_import("h5py")
    try:
        file = h5py.File(io.BytesIO(data), "r")
    except OSError as error:
        raise ValueError(
            f"The weights in {filepath!s} are damaged: {error}."
        ) from error
    with file:
        safety.check_h5(file)
        weights.read(model, file, skip_mismatch)


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
        with _opened(path) as member:
            data = member(_WEIGHTS)
    else:
        data = path.read_bytes()
    _read_weights(model, data, filepath, skip_mismatch)
