"""One exception for every fault in a file, with the file's name and what to do."""

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Any

from minikeras.core.serialization import places


class FileError(ValueError):
    """A file cannot be read as what it should be.

    Args:
        fault: sentence that says what is wrong.
        file: name of the file.
        place: part of the file, such as `"config.json"` or the path of a weight.
        remedy: sentence that says what to do.

    Attributes:
        fault, file, place, remedy: the arguments.

    >>> print(FileError("It is empty.", "a.keras", "config.json", "Save it again."))
    a.keras: config.json: It is empty. Save it again.
    """

    def __init__(self, fault: str, file: str = "", place: str = "", remedy: str = ""):
        super().__init__(fault, file, place, remedy)
        self.fault, self.file, self.place, self.remedy = fault, file, place, remedy

    def __str__(self):
        where = "".join(f"{_cut(part)}: " for part in (self.file, self.place) if part)
        return f"{where}{self.fault} {self.remedy}".rstrip()


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file: a FileNotFoundError too, as Keras raises it.

    Args:
        file: name of the file.
        remedy: sentence that says what to do.
    """

    def __init__(self, file: str, remedy: str = ""):
        super().__init__("File not found.", file, "", remedy)
        self.errno, self.filename = errno.ENOENT, file

    def __reduce__(self):
        return type(self), (self.file, self.remedy)


class ConfigFileError(FileError, TypeError):
    """The config in a file does not fit a class: a TypeError, as Keras raises it."""


def _cut(text):
    """A name as far as a reader wants to see it: those in files may have megabytes."""
    return text if len(text) < 500 else f"{text[:200]} … {text[-200:]}"


@contextlib.contextmanager
def reading(file: Any) -> Iterator[None]:
    """Turn each exception of the body into a `FileError` that names the file.

    What a file holds decides which code runs on it, so a damaged file can end in any
    exception: of zlib, of h5py, of a constructor that gets a value of another type.

    Args:
        file: path of the file, or a file object.
    """
    name = str(file) if isinstance(file, (str, os.PathLike)) else f"the file {file!r}"
    try:
        yield
    except FileError as error:
        error.file = error.file or name
        raise
    except Warning:  # one that the user's filter made an error
        raise
    except Exception as error:
        kind = ConfigFileError if isinstance(error, TypeError) else FileError
        place = ", ".join(places(error)[:3])
        raise kind(_sentence(error), name, place) from error


def _sentence(error):
    """What an exception says; names its type if that is not for readers."""
    text = str(error).strip() or "no further text"
    if isinstance(error, (TypeError, ValueError, ImportError)) and " " in text:
        return text
    return f"It cannot be read: {type(error).__name__}: {text}."
