"""Save and load models and weights; the suffix of the path chooses the format."""

import json
import math
import os
import pathlib
import tempfile
import warnings
from typing import IO, TYPE_CHECKING, Any

from minikeras.core import serialization
from minikeras.core.late_import import late_import
from minikeras.core.loading import Loading
from minikeras.core.registry import CustomObjectScope
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.saving import (
    assets,
    atomic_files,
    h5_model,
    h5_weights,
    keras_file,
    orbax_folder,
    safetensors_file,
    safety,
    shards,
)
from minikeras.saving.errors import FileError, MissingFileError, reading
from minikeras.saving.members import open_members
from minikeras.saving.paths import as_path, may_write, suffix
from minikeras.saving.upgrades import upgrade_config

if TYPE_CHECKING:
    from minikeras.models.model import Model

_HDF5 = (".h5", ".hdf5")
_WEIGHTS, _SHARDS, _SAFETENSORS = ".weights.h5", ".weights.json", ".safetensors"
_CHUNK_BYTES = 1 << 20


def model_to_json(model: Any, **kwargs: Any) -> str:
    """Write the architecture as JSON; `kwargs` go to `json.dumps`."""
    return json.dumps(serialize_keras_object(model), **kwargs)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> "Model":
    """Create a model from the text of `Model.to_json()`; its weights are new.

    Texts of older versions of Keras are read, too.

    Args:
        json_string: str, the text.
        custom_objects: dict {name: class or function} of names in the config.

    Returns:
        A `Model`.

    Raises:
        FileError: the text is no JSON, or no config of a model.

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    with reading("the JSON text"), CustomObjectScope(custom_objects):
        return _make_model(keras_file.parse_config(json_string, "the config"))


# -- saving ---------------------------------------------------------------------------


def save_model(
    model: Any,
    filepath: str | pathlib.Path | IO[bytes],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Save architecture, weights, compile config and optimizer state of a model.

    The file is written under another name and then renamed. So after a failure at any
    moment, the path holds the old file or the complete new one.

    Args:
        model: the model.
        filepath: path that ends in `.keras`, or in `.h5` or `.hdf5` for the format of
            older versions; or a file object open for writing, which gets a `.keras`
            file.
        overwrite: bool, whether to replace an existing file; False asks at the prompt.
        zipped: bool, whether to write one file; False writes a folder, None is True.
        **kwargs: include_optimizer (True by default) saves the state of the optimizer;
            save_format is not needed.

    Raises:
        ValueError: another suffix, or an unknown argument.
        OSError: the file cannot be written; the old one is as it was.

    >>> import pathlib, tempfile
    >>> from minikeras import Input, Sequential, layers
    >>> model = Sequential([Input((3,)), layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, pathlib.Path(folder) / "model.keras")
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(
            f"save: The following argument(s) are not supported: {sorted(kwargs)}."
        )
    if hasattr(filepath, "write"):
        _save_to_file_object(model, filepath, include_optimizer)
        return
    path = as_path(filepath, "save", may_be_folder=zipped is False)
    if save_format is not None:
        _check_save_format(save_format, path)
    if suffix(path) in _HDF5 and zipped is None:
        if may_write(path, overwrite):
            path.parent.mkdir(parents=True, exist_ok=True)  # for this format alone
            with atomic_files.replace_file(path, _is_large(model)) as file:
                with late_import("h5py").File(file, "w") as h5:
                    h5_model.write(model, h5, include_optimizer)
        return
    _check_suffix(path, zipped)
    if not may_write(path, overwrite):
        return
    if not getattr(model, "built", True):
        warnings.warn(
            "save: You are saving a model that has not yet been built, so the file may "
            "have no weights. Call the model on data first.",
            stacklevel=3,
        )
    with keras_file.writers(model, include_optimizer) as members:
        if zipped is False:
            atomic_files.write_folder(path, members)
        else:
            with atomic_files.replace_file(path, _is_large(model)) as file:
                keras_file.write_zip(file, members)


def _is_large(model):
    """Has the model over 32 MiB of weights?"""
    return sum(math.prod(v.shape) for v in model.variables) > 1 << 23


def _save_to_file_object(model, target, include_optimizer):
    """Write a `.keras` file into a file object, which may only be able to write."""
    with (
        tempfile.TemporaryFile() as file,
        keras_file.writers(model, include_optimizer) as members,
    ):
        keras_file.write_zip(file, members)
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            while chunk:  # a pipe may take a part; what returns nothing took all
                count = target.write(chunk)
                count = count if type(count) is int else len(chunk)
                if not 0 < count <= len(chunk):
                    raise OSError(
                        f"save: write() of {target!r} returned {count} for "
                        f"{len(chunk)} bytes."
                    )
                chunk = chunk[count:]


def _check_save_format(save_format, path):
    """Warn of an argument of older versions; ValueError if the suffix is not enough."""
    if suffix(path) not in (".keras", *_HDF5):
        raise ValueError(
            f"save: The `save_format` argument is deprecated, got {save_format!r}. The "
            f"suffix of the path decides, and {str(path)!r} has none of .keras, .h5 "
            "and .hdf5."
        )
    warnings.warn(
        f"save: save_format={save_format!r} is not needed: the suffix of the path "
        "decides.",
        stacklevel=4,
    )


def _check_suffix(path, zipped):
    """Raise ValueError unless the path suits a `.keras` file, or a folder."""
    if zipped is False and suffix(path) == ".keras":
        raise ValueError(
            f"save: the path of a folder should not end in .keras, got {str(path)!r}. "
            "Leave the suffix out, or leave out zipped=False."
        )
    if zipped is not False and suffix(path) != ".keras":
        raise ValueError(
            f"save: Invalid filepath extension for saving: {str(path)!r}. Give a path "
            "that ends in .keras, or in .h5 for the format of older versions; "
            "model.export() writes other formats."
        )


def save_weights(
    model: Any,
    filepath: str | pathlib.Path,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Save the weights of a model.

    Args:
        model: a built model.
        filepath: path that ends in `.weights.h5`, in `.weights.json` for shards, or in
            `.safetensors`.
        overwrite: bool, whether to replace an existing file; False asks at the prompt.
        max_shard_size: size of the largest file in GiB; the weights are then written to
            several of them, and the path, which then ends in `.weights.json`, says
            which file has which weights. None writes one file.
        **kwargs: objects_to_skip, a list of layers that are left out.

    Raises:
        ValueError: another suffix, a model that is not built, an unknown argument, or a
            weight that is larger than `max_shard_size`.
        OSError: the file cannot be written; the old one is as it was.
    """
    skip = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"save_weights: Invalid keyword arguments: {sorted(kwargs)}.")
    path = as_path(filepath, "save_weights")
    if max_shard_size is not None and path.name.endswith(_WEIGHTS):
        path = path.with_name(path.name.removesuffix(_WEIGHTS) + _SHARDS)
        warnings.warn(
            f"save_weights: with max_shard_size, {path.name!r} is written.",
            stacklevel=3,
        )
    ending = (_WEIGHTS, _SAFETENSORS) if max_shard_size is None else (_SHARDS,)
    if not path.name.endswith(ending):
        raise ValueError(
            f"save_weights: The filename must end in {' or '.join(ending)}, got "
            f"{str(filepath)!r} with max_shard_size={max_shard_size}."
        )
    if skip and suffix(path) == _SAFETENSORS:
        raise ValueError(
            "save_weights: objects_to_skip only supports '.weights.h5' and shards."
        )
    if max_shard_size is not None and not isinstance(max_shard_size, (int, float)):
        raise ValueError(
            "save_weights: max_shard_size is a number of GiB, such as 0.5, got "
            f"{max_shard_size!r}."
        )
    _check_built(model, "save_weights", "saving")
    if not may_write(path, overwrite):
        return
    if max_shard_size is not None:
        shards.write(model, path, max_shard_size, skip)
    elif suffix(path) == _SAFETENSORS:
        safetensors_file.write(model, path)
    else:
        with atomic_files.replace_file(path, _is_large(model)) as file:
            keras_file.write_weights(file, model, skip=skip)


def _check_built(model, name, doing):
    """Raise ValueError unless the model has its weights."""
    if not model.built:
        where = "weights into a model" if doing == "loading" else "a model"
        raise ValueError(
            f"{name}: You are {doing} {where} that has not yet been built. Call "
            f"{model.name!r} on data first, or `build(input_shape)`."
        )


# -- loading --------------------------------------------------------------------------


def load_model(
    filepath: str | pathlib.Path | IO[bytes],
    custom_objects: dict | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> "Model":
    """Load a model from a `.keras` file, or from an `.h5` file of any version of Keras.

    Args:
        filepath: path of the file or folder, or a file object open for reading; a
            folder of checkpoints of Orbax, of which the last step is loaded.
        custom_objects: {name: class or function} of your own that the model uses.
        compile: bool, whether to compile the model as it was saved, and to restore
            the state of its optimizer.
        safe_mode: bool, whether to raise an error for Lambda layers, whose code is in
            the file.

    Returns:
        The model.

    Raises:
        FileError: the file is missing, damaged or no file of a model, or it names a
            class that is not registered.

    >>> import io
    >>> from minikeras import Input, Sequential, layers
    >>> file = io.BytesIO()
    >>> save_model(Sequential([Input((3,)), layers.Dense(2)]), file)
    >>> _ = file.seek(0)
    >>> load_model(file).output_shape
    (None, 2)
    """
    with (
        reading(filepath),
        CustomObjectScope(custom_objects),
        serialization.SafeModeScope(safe_mode),
        serialization.SharingScope(),
    ):
        _check_loadable(filepath)
        if _is_checkpoint(filepath):
            return _load_checkpoint(filepath, compile)
        if _is_hdf5(filepath):
            return _load_hdf5(filepath, compile)
        return _load_keras_file(filepath, compile)


def _check_loadable(filepath):
    """Raise FileError for a path that is not there."""
    if hasattr(filepath, "read"):
        return
    path = as_path(filepath, "load_model", may_be_folder=True)
    if path.exists():
        return
    remedy = "Please ensure the file is an accessible `.keras` or `.h5` file."
    if suffix(path) not in (".keras", *_HDF5):
        raise FileError("File format not supported.", str(path), remedy=remedy)
    raise MissingFileError(str(path), remedy)


def _is_hdf5(filepath):
    """Does the file begin as HDF5 files do? Its suffix may be wrong.

    They may also have a block of the user's before, and then the suffix decides.
    """
    if not hasattr(filepath, "read") and os.path.isdir(filepath):
        return False
    with safety.open_regular(filepath) as file:
        start = file.read(len(safety.HDF5_SIGNATURE))
        file.seek(-len(start), os.SEEK_CUR)
    named = not hasattr(filepath, "read") and suffix(pathlib.Path(filepath)) in _HDF5
    return start == safety.HDF5_SIGNATURE or named and start[:2] != b"PK"


def _load_keras_file(filepath, compile):
    with open_members(filepath) as members:
        config = keras_file.parse_config(members.read(keras_file.CONFIG))
        with (
            members.open(keras_file.WEIGHTS) as file,
            safety.open_h5_contents(file, keras_file.WEIGHTS) as (_, contents),
            Loading(contents.elements, len(contents.groups)) as loading,
        ):
            loading.check_objects(config)
            model = _make_model(config, compile, keras_file.version(members))
            h5_weights.read(model, contents.groups)
            assets.load(model, members)
    return model


def _load_hdf5(filepath, compile):
    with (
        safety.open_regular(filepath) as file,
        safety.open_h5_contents(file) as (h5, contents),
        Loading(contents.elements, len(contents.groups)) as loading,
    ):
        config = h5_model.read_config(h5)
        loading.check_objects(config)
        model = _make_model(config, compile)
        h5_model.load_weights(model, h5, is_from_file=True)
        if compile and model.compiled:
            h5_model.load_optimizer(model, h5)
    return model


def _is_checkpoint(filepath):
    """Is it a folder of Orbax?"""
    return not hasattr(filepath, "read") and bool(orbax_folder.last_step(filepath))


def _load_checkpoint(folder, compile):
    config, shapes = orbax_folder.read_config(folder), orbax_folder.shapes(folder)
    if config is None:
        remedy = "Build the model, and use its `load_weights`."
        raise FileError("It holds weights, but no model.", remedy=remedy)
    with Loading(sum(map(math.prod, shapes.values())), len(shapes)):
        model = _make_model(config, compile)
        orbax_folder.read(model, folder)
    return model


def _make_model(config, compile=True, keras_version=None):
    """The model of a config, of whatever version."""
    config = upgrade_config(config, keras_version)
    if not compile:
        config.pop("compile_config", None)
    model = deserialize_keras_object(config)
    if not hasattr(model, "save"):  # a layer, a metric
        raise FileError(f"It holds no model, but a {type(model).__name__}.")
    return model


def load_weights(
    model: Any,
    filepath: str | pathlib.Path,
    skip_mismatch: bool = False,
    **kwargs: Any,
) -> None:
    """Load weights into a model.

    Args:
        model: a built model.
        filepath: path that ends in `.weights.h5`, `.weights.json`, `.keras`,
            `.safetensors`, or `.h5` or `.hdf5` for files of older versions; or that of
            a folder of checkpoints of Orbax.
        skip_mismatch: bool, whether to warn of layers whose weights are missing or do
            not fit, and leave them unchanged; False raises an error.
        **kwargs: objects_to_skip, a list of layers that stay as they are, for
            `.weights.h5`; by_name, bool, for `.h5`, whether weights go to the layer of
            the same name, not to the layer at the same place.

    Raises:
        FileError: the file is missing or damaged, or weights do not fit. No weight has
            changed.
        ValueError: the model is not built, or an argument does not suit the file.
    """
    path = as_path(filepath, "load_weights", may_be_folder=True)
    skip, by_name = kwargs.pop("objects_to_skip", None), kwargs.pop("by_name", False)
    if kwargs:
        raise ValueError(f"load_weights: Invalid keyword arguments: {sorted(kwargs)}.")
    old = suffix(path) in _HDF5 and not path.name.endswith(_WEIGHTS)
    if skip is not None and not path.name.endswith((_WEIGHTS, _SHARDS)):
        raise ValueError(
            "load_weights: objects_to_skip only supports loading '.weights.h5' files."
        )
    if by_name and not old:
        raise ValueError(
            "load_weights: by_name only supports loading legacy '.h5' or '.hdf5' files."
        )
    known = path.name.endswith((_SHARDS, _SAFETENSORS, ".keras", *_HDF5))
    if not known and not _is_checkpoint(path):
        raise ValueError(
            f"load_weights: File format not supported: {str(path)!r}. Expected "
            "`.weights.h5`, `.weights.json`, `.keras`, `.safetensors` or `.h5`."
        )
    _check_built(model, "load_weights", "loading")
    with reading(path):
        _read_weights(model, path, skip_mismatch, skip or (), by_name)


def _read_weights(model, path, skip_mismatch, skip, by_name):
    """`load_weights` in the format of the path, and of what is in HDF5 files."""
    if _is_checkpoint(path):
        orbax_folder.read(model, path, skip_mismatch)
    elif suffix(path) == _SAFETENSORS:
        safetensors_file.read(model, path, skip_mismatch)
    elif suffix(path) in _HDF5:
        with (
            safety.open_regular(path) as file,
            safety.open_h5_contents(file) as (h5, contents),
        ):
            # Keras 2 gave its layout every name, `.weights.h5` too.
            if h5_model.is_legacy(h5):
                h5_model.load_weights(model, h5, skip_mismatch, by_name)
            else:
                h5_weights.read(model, contents.groups, skip_mismatch, skip)
    elif path.name.endswith(_SHARDS):
        with shards.open_groups(path) as (groups, _):
            h5_weights.read(model, groups, skip_mismatch, skip)
    else:
        with (
            open_members(path) as members,
            members.open(keras_file.WEIGHTS) as file,
            safety.open_h5_contents(file, keras_file.WEIGHTS) as (_, contents),
        ):
            h5_weights.read(model, contents.groups, skip_mismatch)
