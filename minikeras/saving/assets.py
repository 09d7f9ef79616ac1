"""Files that layers keep beside their weights, such as vocabularies.

`assets/layers/string_lookup/vocabulary.txt` of a `.keras` file belongs to the object
whose weights are in `layers/string_lookup`.
"""

import pathlib
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

from minikeras.saving import h5_weights

_FOLDER = pathlib.PurePosixPath("assets")


def members(model: Any) -> dict[str, bytes]:
    """{name: content} of what `save_assets(folder)` of a model's objects writes."""
    found = {}
    for path, obj in h5_weights.walk(model):
        if not hasattr(obj, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            obj.save_assets(folder)
            for file in sorted(pathlib.Path(folder).iterdir()):
                found[str(_FOLDER / path / file.name)] = file.read_bytes()
    return found


def load(model: Any, names: Iterable[str], member: Callable[[str], bytes]) -> None:
    """Call `load_assets(folder)` of the objects of a model that have files.

    Args:
        model: the model.
        names: of the members of its `.keras` file.
        member: gives the content of one.
    """
    by_folder: dict[pathlib.PurePosixPath, list[pathlib.PurePosixPath]] = {}
    for name in map(pathlib.PurePosixPath, names):
        by_folder.setdefault(name.parent, []).append(name)
    for path, obj in h5_weights.walk(model):
        files = by_folder.get(_FOLDER / path, [])
        if not files or not hasattr(obj, "load_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name in files:
                (pathlib.Path(folder) / name.name).write_bytes(member(str(name)))
            obj.load_assets(folder)
