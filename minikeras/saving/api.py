"""Save and load models and weights; the suffix of the path chooses the format."""

import json
import pathlib
import reprlib
from typing import IO, TYPE_CHECKING, Any

from minikeras.core import serialization
from minikeras.core.registry import CustomObjectScope
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.saving import assets, atomic_files, h5_weights, keras_file

if TYPE_CHECKING:
    from minikeras.models.model import Model


def model_to_json(model: Any, **kwargs: Any) -> str:
    """Write the architecture as JSON; `kwargs` go to `json.dumps`."""
    return json.dumps(serialize_keras_object(model), **kwargs)


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
        filepath: path that ends in `.keras`, or a file object open for writing.
        overwrite: bool, whether to replace an existing file; False asks at the prompt.
        zipped: bool, whether to write one file; False writes a folder, None is True.
        **kwargs: include_optimizer (True by default) saves the state of the optimizer;
            save_format is ignored.

    Raises:
        ValueError: another suffix, or an unknown argument.

    >>> import pathlib, tempfile
    >>> from minikeras import Input, Sequential, layers
    >>> model = Sequential([Input((3,)), layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, pathlib.Path(folder) / "model.keras")
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
        with atomic_files.replace_file(path) as file:
            keras_file.write_zip(file, members)


def _may_write(path, overwrite):
    """True if the file does not exist, or may be replaced; asks the user if need be."""
    if overwrite or not path.exists():
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{path} exists. Overwrite it? [y/n] ").strip().lower()
    return answer == "y"


def _check_built(model, name):
    """Raise ValueError unless the model has its weights."""
    if not model.built:
        raise ValueError(
            f"{name}: the model {model.name!r} has no weights yet, since it is not "
            "built. Call it on data first, or `build(input_shape)`."
        )


def save_weights(
    model: Any, filepath: str | pathlib.Path, overwrite: bool = True, **kwargs: Any
) -> None:
    """Save the weights of a model.

    Args:
        model: a built model.
        filepath: path that ends in `.weights.h5`.
        overwrite: bool, whether to replace an existing file; False asks at the prompt.
        **kwargs: none.

    Raises:
        ValueError: another suffix, a model that is not built, or an unknown argument.
    """
    if kwargs:
        raise ValueError(f"save_weights: arguments not recognized: {sorted(kwargs)}.")
    path = pathlib.Path(filepath)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"save_weights: the path must end in `.weights.h5`, got {str(filepath)!r}."
        )
    _check_built(model, "save_weights")
    if _may_write(path, overwrite):
        with atomic_files.replace_file(path) as file:
            file.write(h5_weights.to_bytes(model, True))


def load_model(
    filepath: str | pathlib.Path | IO[bytes],
    custom_objects: dict | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> "Model":
    """Load a model from a `.keras` file.

    Args:
        filepath: path of the file or folder, or a file object open for reading.
        custom_objects: {name: class or function} of your own that the model uses.
        compile: bool, whether to compile the model as it was saved, and to restore
            the state of its optimizer.
        safe_mode: bool, whether to raise an error for Lambda layers, whose code is in
            the file.

    Returns:
        The model.

    Raises:
        ValueError: the file is missing, damaged or no `.keras` file, or it names a
            class that is not registered.

    >>> import io
    >>> from minikeras import Input, Sequential, layers
    >>> file = io.BytesIO()
    >>> save_model(Sequential([Input((3,)), layers.Dense(2)]), file)
    >>> _ = file.seek(0)
    >>> load_model(file).output_shape
    (None, 2)
    """
    with keras_file.open_members(filepath) as (member, names):
        return _load(filepath, member, names, custom_objects, compile, safe_mode)


def _load(filepath, member, names, custom_objects, compile, safe_mode):
    """`load_model` from the members of an open file."""
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
    assets.load(model, names, member)
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
        filepath: path that ends in `.weights.h5` or `.keras`.
        skip_mismatch: bool, whether to warn of layers whose weights are missing or do
            not fit, and leave them unchanged; False raises an error.
        **kwargs: objects_to_skip is ignored.

    Raises:
        ValueError: the file is missing or damaged, the model is not built, weights do
            not fit, or an unknown argument.
    """
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
        with keras_file.open_members(path) as (member, _):
            data = member(keras_file.WEIGHTS)
    else:
        data = path.read_bytes()
    h5_weights.from_bytes(model, data, filepath, skip_mismatch)
