"""Arguments that are paths of files."""

import os
import pathlib
from typing import Any


def as_path(filepath: Any, name: str, may_be_folder: bool = False) -> pathlib.Path:
    """The path that an argument is.

    Args:
        filepath: the argument.
        name: of the function, for errors.
        may_be_folder: bool, whether a path that ends as those of folders is right.

    Raises:
        ValueError: it is none, or that of a folder.
    """
    if not isinstance(filepath, (str, os.PathLike)):
        raise ValueError(
            f"{name}: expected a path, a str or pathlib.Path, got {filepath!r} "
            f"({type(filepath).__name__})."
        )
    if str(filepath).endswith(("/", os.sep)) and not may_be_folder:
        raise ValueError(
            f"{name}: {str(filepath)!r} is the path of a folder. Leave out the last "
            "character to write a file."
        )
    return pathlib.Path(filepath)


def suffix(path: pathlib.Path) -> str:
    """The last suffix; a name such as `.keras` is all suffix."""
    return path.suffix or path.name


def may_write(path: pathlib.Path, overwrite: bool) -> bool:
    """True if there is no file, or it may be replaced; asks the user if need be."""
    if overwrite or not path.exists():
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{path} exists. Overwrite it? [y/n] ").strip().lower()
    return answer == "y"
