"""Atomic writes of files and folders: after a failure the old content is complete.

A file is written under another name, and renamed. An existing folder may have other
files, which stay, so it cannot be replaced by one rename. Its new files are written to
a folder inside of it; renaming that folder commits them; then they move to their places
one by one. Until all have moved, `read_member` reads the rest in the committed folder.
"""

import contextlib
import os
import pathlib
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import IO

# Age in seconds after which an uncommitted folder is deleted: its process was killed.
_ABANDONED_SECONDS = 3600.0
_COMMIT_TRIES = 100  # of a commit, while other processes save to the same folder
_COMMITTED, _UNCOMMITTED = ".minikeras-new", ".minikeras-begun-"


@contextlib.contextmanager
def replace_file(path: str | pathlib.Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces `path` if the `with` block succeeds."""
    path = pathlib.Path(os.path.realpath(path))  # a symbolic link stays a link
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(folder)!r}.")
    name = folder / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(name, "x+b") as file:
            yield file
            file.flush()
            # On disk before the rename, which a crash of the system could keep alone.
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, name)
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def write_folder(path: pathlib.Path, members: Mapping[str, bytes]) -> None:
    """Write {name: content} as the files of a folder; its other files stay.

    If the process is killed, readers find all old members or all new ones.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f"save: {str(path)!r} is a file, so it cannot become a folder. Give "
            "another path, or leave out zipped=False to write one file."
        )
    existed = path.is_dir()
    if existed:
        _finish_other_saves(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    parent = path if existed else path.parent
    staging = parent / f"{_UNCOMMITTED}{secrets.token_hex(8)}"
    staging.mkdir()
    try:
        for name, data in members.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            with open(staging / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _commit(staging, path, existed)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    if existed:
        _move_members(path)


def _finish_other_saves(path):
    """Finish a committed save of a killed process; delete old uncommitted ones."""
    _move_members(path)
    for left in path.glob(f"{_UNCOMMITTED}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _commit(staging, path, existed):
    """Rename the staging folder; again if another save commits at the same time."""
    for _ in range(_COMMIT_TRIES):
        try:
            return os.replace(staging, path / _COMMITTED if existed else path)
        except OSError:
            if not path.is_dir():
                raise
            existed = True
            _move_members(path)
    raise OSError(f"save: other saves to {str(path)!r} do not end.")


def _move_members(path):
    """Move the members of a committed save to their places."""
    committed = path / _COMMITTED
    if committed.is_dir() and not committed.is_symlink():
        with contextlib.suppress(FileNotFoundError):  # another save has moved them
            for name in os.listdir(committed):
                with contextlib.suppress(FileNotFoundError):
                    if (path / name).is_dir():  # the assets of the last save
                        shutil.rmtree(path / name, ignore_errors=True)
                    os.replace(committed / name, path / name)
        with contextlib.suppress(OSError):
            committed.rmdir()


def read_member(path: pathlib.Path, name: str) -> bytes:
    """Read a file of a folder, or of the committed save in it."""
    try:
        return (path / _COMMITTED / name).read_bytes()
    except FileNotFoundError:
        return (path / name).read_bytes()


def member_names(path: pathlib.Path) -> list[str]:
    """Names of the files of a folder, of its folders too, and of a committed save."""
    found = set()
    for root in (path / _COMMITTED, path):
        for file in root.rglob("*"):
            if file.is_file() and not file.is_symlink():
                found.add(file.relative_to(root).as_posix())
    return sorted(name for name in found if not name.startswith(".minikeras-"))
