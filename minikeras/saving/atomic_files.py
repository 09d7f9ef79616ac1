"""Atomic writes of files and folders: after a failure the old content is complete.

A file is written under another name, and renamed. An existing folder may have other
files, which stay, so it cannot be replaced by one rename. Its new files are written to
a folder inside of it; renaming that folder commits them; then they move to their places
one by one. Until all have moved, `member_files` finds the rest in the committed folder.

What a killed process leaves is not locked, so the next save into the folder deletes it.
"""

import contextlib
import errno
import hashlib
import os
import pathlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO

# Age in seconds after which a temporary file is deleted where files cannot be locked.
_ABANDONED_SECONDS = 3600.0
_FLUSH_SECONDS = 0.01
_COMMIT_TRIES = 100  # of a commit, while other processes save to the same folder
_OWN_PREFIX = ".minikeras-"
_COMMITTED, _BEGUN = f"{_OWN_PREFIX}new", f"{_OWN_PREFIX}begun-"


@contextlib.contextmanager
def replace_file(
    path: str | os.PathLike, is_large: bool = False
) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces `path` if the `with` block succeeds.

    Args:
        path: path of the file; behind a symbolic link, the file that it names.
        is_large: bool, whether the disk writes while more is written, which for small
            files takes longer.

    Raises:
        OSError: names `path`. The old file is as it was.
    """
    with _errors_that_name(path):
        target = pathlib.Path(os.path.realpath(path))  # a symbolic link stays a link
    _check_folder(target.parent)
    if os.path.lexists(target) and not target.is_file():  # also links in a circle
        raise OSError(f"save: {str(path)!r} is no regular file, so it was left alone.")
    if target.exists() and not os.access(target, os.W_OK):  # renaming would not ask
        fault = f"save: {str(path)!r} is write-protected, so it was left alone."
        raise PermissionError(errno.EACCES, fault, str(path))
    with _errors_that_name(path), _temporary(target.parent) as name:
        with open(name, "x+b") as file, _locked(name):
            with _flushing(file) if is_large else contextlib.nullcontext():
                yield file
            file.flush()
            os.fsync(file.fileno())
            if target.exists():
                _copy_owner_and_mode(target, name)
        os.replace(name, target)


def _check_folder(folder):
    """FileNotFoundError if there is no such folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(folder)!r}.")


def _copy_owner_and_mode(source, target):
    """Give a new file the permissions, and if allowed the owner, of the old one."""
    old = source.stat()
    with contextlib.suppress(OSError, AttributeError):  # not ours to give; Windows
        os.chown(target, old.st_uid, old.st_gid)
    os.chmod(target, old.st_mode & 0o777)  # a program with its owner's rights it is not


@contextlib.contextmanager
def _flushing(file):
    """Write a file through to the disk while more is written.

    It must be there before it is renamed: a crash of the system could keep the new name
    alone. To do so at the end only takes as long again as writing.
    """
    done, errors = threading.Event(), []

    def flush():
        with _collected(errors):
            while not done.wait(_FLUSH_SECONDS):
                getattr(os, "fdatasync", os.fsync)(file.fileno())

    thread = threading.Thread(target=flush, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if errors:  # the system reports each once
        raise errors[0]


@contextlib.contextmanager
def _collected(errors):
    try:
        yield
    except (OSError, ValueError) as error:  # an interrupt may have closed the file
        errors.append(error)


@contextlib.contextmanager
def _errors_that_name(path):
    """Let an OSError that names a temporary file, or none, name the path.

    A full disk names nothing. A folder may allow to write a file, but to make none.
    """
    try:
        yield
    except OSError as error:
        named = "" if error.filename is None else os.fsdecode(error.filename)
        if str(path) in str(error) or (named and _OWN_PREFIX not in named):
            raise
        why = error.strerror or str(error)
        text = f"save: {str(path)!r} could not be written: {why}. The old file stays."
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY):
            text += " A new one is written beside it and renamed: allow that there."
        raise OSError(error.errno, text, str(path)) from error


@contextlib.contextmanager
def _temporary(folder):
    """A new name in a folder; what has it at the end of a failed block is deleted."""
    for left in folder.glob(f"{_BEGUN}*"):
        if _is_abandoned(left):
            _delete(left)
    name = folder / f"{_BEGUN}{secrets.token_hex(8)}"
    try:
        yield name
    except BaseException:
        _delete(name)
        raise


def _delete(path):
    """Delete a file or folder, if it is there."""
    with contextlib.suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def alone(path: pathlib.Path) -> Iterator[None]:
    """Wait until no other thread or process is in such a block for the path.

    Args:
        path: path of a file, which need not exist; its folder must.
    """
    _check_folder(path.parent)
    # A hash, because the name may be as long as the system allows.
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    lock = path.parent / f"{_BEGUN}lock-{name}"
    descriptor = None
    with contextlib.suppress(ImportError):  # Windows
        import fcntl

        # Whoever has the lock deletes the file. One who waited for it tries again.
        while descriptor is None or not _has_name(descriptor, lock):
            if descriptor is not None:
                os.close(descriptor)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            _delete(lock)
            os.close(descriptor)


def _has_name(descriptor, path):
    """Is an open file still the one at a path?"""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _locked(path):
    """Lock a file or folder: the system gives the lock back when the process ends."""
    descriptor = None
    with contextlib.suppress(ImportError, OSError):  # Windows, some network drives
        import fcntl

        descriptor = os.open(path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_abandoned(path):
    """Has the process that made a temporary file or folder ended?"""
    with contextlib.suppress(OSError):
        # A young one may be about to be locked.
        age = time.time() - path.stat().st_mtime
        try:
            import fcntl

            # Somebody else's FIFO of such a name would be waited for without end.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
            descriptor = os.open(path, flags)
        except (ImportError, OSError):
            return age > _ABANDONED_SECONDS
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return age > 1.0
        except BlockingIOError:
            return False
        except OSError:
            return age > _ABANDONED_SECONDS
        finally:
            os.close(descriptor)
    return False


def write_folder(
    path: pathlib.Path, members: Mapping[str, Callable[[IO[bytes]], object]]
) -> None:
    """Write members as the files of a folder; its other files stay.

    If the process is killed, readers find all old members or all new ones.

    Args:
        path: path of the folder.
        members: {name: function that writes it into an open file}.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f"save: {str(path)!r} is a file, so it cannot become a folder. Give "
            "another path, or leave out zipped=False to write one file."
        )
    existed = path.is_dir()
    if existed:
        _move_members(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    parent = path if existed else path.parent
    with _errors_that_name(path), _temporary(parent) as staging:
        staging.mkdir()
        with _locked(staging):
            for name, write in members.items():
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                with open(staging / name, "x+b") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
            _commit(staging, path, existed)
    if existed:
        _move_members(path)


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


def member_files(path: pathlib.Path) -> dict[str, pathlib.Path]:
    """{name: file} of a folder, of its folders too, and of a committed save in it.

    Symbolic links are left out, and folders behind them.
    """
    found = {}
    for root in (path, path / _COMMITTED):  # what is committed is newer
        for folder, folders, names in os.walk(root):
            folders[:] = [x for x in folders if not x.startswith(_OWN_PREFIX)]
            for name in names:
                file = pathlib.Path(folder, name)
                if not file.is_symlink():
                    found[file.relative_to(root).as_posix()] = file
    return found
