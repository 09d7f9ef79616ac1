"""How files and folders take their place: whole, or not at all.

Everything is written beside its place, and renamed. A folder that has other content
keeps it, so it cannot be exchanged as one: its new members are written to a folder
inside of it, the renaming of which decides, and then move to their places one by one.
Until all have moved, `read_member` finds the rest where they are.
"""

import contextlib
import os
import pathlib
import secrets
import shutil
import time

_OLD = 3600.0  # seconds after which a save that has not ended is taken for dead
_TRIES = 100
_DECIDED, _BEGUN = ".minikeras-new", ".minikeras-begun-"


@contextlib.contextmanager
def replacing(path):
    """A file to write that takes `path`'s place when all went well."""
    path = pathlib.Path(os.path.realpath(path))  # links stay, and lead to the new file
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(folder)!r}.")
    name = folder / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(name, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, name)
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def write_folder(path, members):
    """Write {name: bytes} as files of a folder; what else is in it stays.

    A process that is killed leaves all old members or all new ones.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f"save: {str(path)!r} is a file, so it cannot become a folder. Give "
            "another path, or leave out zipped=False to write one file."
        )
    existed = path.is_dir()
    if existed:
        _clean(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    around = path if existed else path.parent
    fresh = around / f"{_BEGUN}{secrets.token_hex(8)}"
    fresh.mkdir()
    try:
        for name, data in members.items():
            with open(fresh / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _decide(fresh, path, existed)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if existed:
        _move_members(path)


def _clean(path):
    """End a save that was killed, and remove what others had begun long ago."""
    _move_members(path)
    for left in path.glob(f"{_BEGUN}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _OLD:
                shutil.rmtree(left, ignore_errors=True)


def _decide(fresh, path, existed):
    """The renaming that counts; saves of others may come in between."""
    for _ in range(_TRIES):
        try:
            return os.replace(fresh, path / _DECIDED if existed else path)
        except OSError:
            if not path.is_dir():
                raise
            existed = True
            _move_members(path)
    raise OSError(f"save: other saves to {str(path)!r} do not end.")


def _move_members(path):
    """Let the members that `write_folder` has decided on take their places."""
    decided = path / _DECIDED
    if decided.is_dir() and not decided.is_symlink():
        with contextlib.suppress(FileNotFoundError):  # another save was faster
            for name in os.listdir(decided):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(decided / name, path / name)
        with contextlib.suppress(OSError):
            decided.rmdir()


def read_member(path, name):
    """The content of the member of a folder, wherever it is."""
    try:
        return (path / _DECIDED / name).read_bytes()
    except FileNotFoundError:
        return (path / name).read_bytes()
