"""`.keras` files: a zip of metadata.json, config.json and model.weights.h5.

The same members in a folder are read and written, too.
"""

import contextlib
import datetime
import json
import reprlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from minikeras.core import serialization
from minikeras.core.environment import environment
from minikeras.core.late_import import late_import
from minikeras.core.serialization import serialize_keras_object
from minikeras.saving import assets, h5_weights, safety
from minikeras.saving.errors import FileError
from minikeras.saving.window import Window
from minikeras.version import KERAS_VERSION

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_CHUNK_BYTES = 1 << 20
# Writes one member into a file that is open for writing and reading, and can seek.
Writer = Callable[[IO[bytes]], object]


@contextlib.contextmanager
def writers(model: Any, include_optimizer: bool) -> Iterator[dict[str, Writer]]:
    """{name: function that writes it} of the members of a model's `.keras` file."""
    with serialization.SharingScope():
        config = serialize_keras_object(model)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now}
    metadata["environment"] = environment()
    with assets.saved(model) as files:
        yield {
            METADATA: _writes(json.dumps(metadata).encode()),
            CONFIG: _writes(json.dumps(config).encode()),
            **{name: _copies(path) for name, path in files.items()},
            WEIGHTS: lambda file: write_weights(file, model, include_optimizer),
        }


def write_weights(
    file: IO[bytes], model: Any, optimizer: bool = True, skip: Iterable[Any] = ()
) -> None:
    """Write the weights of a model as HDF5 into an open file."""
    with late_import("h5py").File(file, "w") as h5:
        h5_weights.write(h5, h5_weights.entries(model, optimizer, skip))


def _writes(data):
    return lambda file: file.write(data)


def _copies(path):
    def write(file):
        with open(path, "rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                file.write(chunk)

    return write


def write_zip(file: IO[bytes], members: Mapping[str, Writer]) -> None:
    """Write members as a zip archive, not compressed, as in Keras.

    Args:
        file: open for writing and reading: each member is written where it stays, so
            that nothing is copied.
        members: {name: function that writes it}.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, write in members.items():
            _write_member(archive, file, name, write)


def _write_member(archive, file, name, write):
    """Write a member: `zipfile` itself lets nobody seek in one, which HDF5 does."""
    info = zipfile.ZipInfo(name, datetime.datetime.now().timetuple()[:6])
    info.external_attr = 0o600 << 16
    info.header_offset, info.CRC = archive.start_dir, 0
    file.seek(info.header_offset)
    file.write(info.FileHeader(zip64=True))
    window = Window(file, file.tell())
    write(window)
    window.seek(0)
    while chunk := window.read(_CHUNK_BYTES):
        info.CRC = zlib.crc32(chunk, info.CRC)
    info.file_size = info.compress_size = window.size
    file.seek(info.header_offset)
    file.write(info.FileHeader(zip64=True))  # now with checksum and size
    archive.start_dir = window.start + window.size
    archive.filelist.append(info)
    archive.NameToInfo[name] = info


def version(members: Any) -> str | None:
    """The version of Keras that wrote the members, if they name it."""
    found = members.json(METADATA) if METADATA in members.sizes else None
    return found.get("keras_version") if isinstance(found, dict) else None


def parse_config(text: bytes | str, place: str = CONFIG) -> dict:
    """Parse the JSON config of a model; FileError if it is none."""
    config = safety.parse_json(text, place)
    if not serialization.is_config(config):
        fault = f"It is damaged, or holds no model: {reprlib.repr(config)}."
        raise FileError(fault, place=place)
    return config
