"""`.keras` files: a zip of metadata.json, config.json and model.weights.h5."""

import contextlib
import datetime
import json
import pathlib
import reprlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minikeras.core import serialization
from minikeras.core.serialization import serialize_keras_object
from minikeras.saving import assets, atomic_files, h5_weights, safety
from minikeras.version import KERAS_VERSION

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def members(model: Any, include_optimizer: bool) -> dict[str, bytes]:
    """{name: content} of the members of a model's `.keras` file."""
    with serialization.SharingScope():
        config = serialize_keras_object(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now}
    return {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS: h5_weights.to_bytes(model, include_optimizer),
        **assets.members(model),
    }


def write_zip(file: Any, contents: Mapping[str, bytes]) -> None:
    """Write {name: content} as a zip archive into an open file."""
    # Not compressed, as in Keras.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def parse_config(text: bytes, filepath: Any) -> dict:
    """Parse the JSON config of a model; ValueError if it is none."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{filepath!s} is damaged: its {CONFIG} cannot be read: {error}."
        ) from error
    if not serialization.is_config(config):
        raise ValueError(
            f"{filepath!s} is damaged: its {CONFIG} describes no model: "
            f"{reprlib.repr(config)}."
        )
    return config


@contextlib.contextmanager
def open_members(
    filepath: Any,
) -> Iterator[tuple[Callable[[str], bytes], list[str]]]:
    """Open a `.keras` file; gives `member(name)`, which reads one, and all names.

    Args:
        filepath: path of the file or folder, or a file object open for reading.

    Raises:
        ValueError: the file is missing, damaged, or no `.keras` file.
    """
    if not hasattr(filepath, "read"):
        path = pathlib.Path(filepath)
        if not path.exists():
            raise ValueError(f"File not found: {str(path)!r}.")
        if path.is_dir():
            names = atomic_files.member_names(path)
            yield (lambda name: atomic_files.read_member(path, name)), names
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

        yield member, names
