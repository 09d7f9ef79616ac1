"""Files that layers keep beside their weights, such as vocabularies.

`assets/layers/string_lookup/vocabulary.txt` of a `.keras` file belongs to the object
whose weights are in `layers/string_lookup`.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from minikeras.saving.members import Members
from minikeras.saving.object_paths import walk

_FOLDER = pathlib.PurePosixPath("assets")
_CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def saved(model: Any) -> Iterator[dict[str, pathlib.Path]]:
    """{member: file} of what `save_assets(folder)` of a model's objects writes.

    The files are deleted at the end of the `with` block.
    """
    with tempfile.TemporaryDirectory() as root:
        found = {}
        for number, (path, obj) in enumerate(walk(model)):
            if hasattr(obj, "save_assets"):
                folder = pathlib.Path(root, str(number))
                folder.mkdir()
                obj.save_assets(str(folder))
                for file in sorted(folder.rglob("*")):
                    if file.is_file():
                        inner = file.relative_to(folder).as_posix()
                        found[str(_FOLDER / path / inner)] = file
        yield found


def load(model: Any, members: Members) -> None:
    """Call `load_assets(folder)` of the objects of a model that have files.

    Args:
        model: the model.
        members: those of its `.keras` file.
    """
    owners = {str(_FOLDER / path): obj for path, obj in walk(model)}
    most_parts = max(path.count("/") for path in owners) + 1
    names: dict[str | None, list[str]] = {}
    for name in members.sizes:
        names.setdefault(_owner(name, owners, most_parts), []).append(name)
    for prefix, obj in owners.items():
        if prefix not in names or not hasattr(obj, "load_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name in names[prefix]:
                _extract(members, name, pathlib.Path(folder, name[len(prefix) + 1 :]))
            obj.load_assets(folder)


def _owner(name, owners, most_parts):
    """The longest path of an object that the name of a member begins with."""
    parts = name.split("/", most_parts)[:-1]
    prefixes = ("/".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in owners), None)


def _extract(members, name, target):
    """Copy a member into a file; `safety` has checked that its name stays inside."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with members.open(name) as source, open(target, "xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            file.write(chunk)
