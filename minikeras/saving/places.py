"""How files and folders take their place: whole, or not at all.

Everything is written beside its place, and renamed. A folder that has other content
keeps it, so it cannot be exchanged as one: its new members are written to a folder
inside of it, the renaming of which decides, and then move to their places one by one.
Until all have moved, `read_member` finds the rest where they are.
"""

import contextlib
import os
import secrets
import shutil

_DECIDED, _BEGUN = ".minikeras-new", ".minikeras-begun-"


@contextlib.contextmanager
def replacing(path):
    """A file to write that takes `path`'s place when all went well."""
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(folder)!r}.")
    name = folder / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(name, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
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
        _move_members(path)  # of a save that was killed
        for left in path.glob(f"{_BEGUN}*"):
            shutil.rmtree(left, ignore_errors=True)
    around = path if existed else path.parent
    fresh = around / f"{_BEGUN}{secrets.token_hex(8)}"
    fresh.mkdir()
    try:
        for name, data in members.items():
            with open(fresh / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        os.replace(fresh, path / _DECIDED if existed else path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if existed:
        _move_members(path)


def _move_members(path):
    """Let the members that `write_folder` has decided on take their places."""
    decided = path / _DECIDED
    if decided.is_dir() and not decided.is_symlink():
        for file in decided.iterdir():
            os.replace(file, path / file.name)
        decided.rmdir()


def read_member(path, name):
    """The content of the member of a folder, wherever it is."""
    try:
        return (path / _DECIDED / name).read_bytes()
    except FileNotFoundError:
        return (path / name).read_bytes()
