"""`get_file`: downloads into Keras's cache.

The bytes go to a hidden file beside the place, which takes the place when it is whole
and its hash is right. A cut-off download goes on where it stopped, if the server says
that its file is the same. Processes that want the same file wait for each other.
"""

import contextlib
import errno
import hashlib
import os
import pathlib
import tempfile
import urllib.parse
import warnings
from collections.abc import Iterator
from typing import IO, Any

from minikeras.core.late_import import late_import
from minikeras.core.printing import print_msg

try:
    import fcntl
except ImportError:  # Windows: each process has its own part, none is gone on with
    fcntl = None


def cache_folder() -> str:
    """`KERAS_HOME`, else `~/.keras`: the folder where Keras keeps its downloads."""
    if home := os.environ.get("KERAS_HOME"):
        return home
    home = os.path.expanduser("~")
    return os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
):
    """Download a file, unless the cache holds it, and extract it if asked to.

    Args:
        fname: name of the file in the cache; None: the last part of `origin`. For an
            archive: name of the folder, with `_extracted` instead of its suffix.
        origin: URL; `file://` too.
        untar: bool, the old name of `extract`, for tar archives only.
        md5_hash: MD5 of the file, the old name of `file_hash`.
        file_hash: SHA-256 or MD5 of the file in hexadecimal digits, checked before the
            file takes its place; None: no check.
        cache_subdir: folder in the cache, or an absolute path.
        hash_algorithm: "sha256", "md5", or "auto": by the length of the hash.
        extract: bool, whether the file is an archive to extract.
        archive_format: "tar" (also gz, bz2, xz), "zip", "auto" for both, or None.
        cache_dir: the cache; None: `KERAS_HOME` of the environment, else `~/.keras`.
        force_download: bool, whether to download a file that is in the cache.

    Returns:
        Path of the file as a string; with `extract`, of the folder.

    Raises:
        ValueError: `origin` or the name is missing, the hash is wrong, or the archive
            is damaged or dangerous: links, devices, `..`, absolute names, bombs.
        ConnectionError: the file cannot be fetched.
        OSError: there is no space or no permission.
    """
    if origin is None:
        raise ValueError('get_file: please specify the "origin" argument, a URL.')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _writable_folder(cache_dir or cache_folder(), cache_subdir)
    name = _file_name(fname, origin)
    if not (extract or untar):
        target = folder / name
        _provide(target, origin, file_hash, hash_algorithm, force_download)
        return str(target)
    has_suffix = bool(fname) and "." in name
    target = folder / (name if has_suffix else f"{name}_archive")
    extracted = folder / (f"{name.split('.')[0]}_extracted" if has_suffix else name)
    _provide(target, origin, file_hash, hash_algorithm, force_download)
    _extract_once(target, extracted, "tar" if untar else archive_format)
    return str(extracted)


def _writable_folder(cache, subfolder):
    """The folder in the cache; if that cannot be written to, in /tmp/.keras."""
    cache = os.path.expanduser(cache)
    with contextlib.suppress(OSError):
        os.makedirs(cache, exist_ok=True)
    if not os.access(cache, os.W_OK):
        shared = "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()
        cache = os.path.join(shared, ".keras")
    folder = pathlib.Path(cache, subfolder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file_name(fname, origin):
    name = os.fspath(fname) if fname else ""
    if os.sep in name:
        raise ValueError(
            "get_file: Paths are no longer accepted as the `fname` argument; give the "
            f"folder as `cache_dir` or `cache_subdir`. Got fname={name!r}."
        )
    name = name or os.path.basename(urllib.parse.urlsplit(origin).path)
    if name in ("", ".", ".."):
        raise ValueError(
            f"get_file: Can't parse the file name from the origin {origin!r}. Please "
            "specify the `fname` argument."
        )
    return name


def _has_hash(path, file_hash, algorithm):
    """Does the file have this hash? True if none is given."""
    if file_hash is None:
        return True
    is_long = algorithm == "sha256" or (algorithm == "auto" and len(file_hash) == 64)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256" if is_long else "md5")
    return digest.hexdigest() == str(file_hash).lower()


def _provide(target, origin, file_hash, algorithm, force):
    """Download to `target` if it is missing, has another hash, or `force`."""
    _check_place(target)
    if not force and target.exists():
        if _has_hash(target, file_hash, algorithm):
            return
        print_msg(
            f"{str(target)!r} is not the file with the hash {file_hash}: it is "
            "incomplete or another version. It is downloaded again."
        )
    before = _identity(target)
    mark = hashlib.sha256(origin.encode()).hexdigest()[:12]
    if fcntl is None:
        mark = f"{mark}-{os.getpid()}"
    part = target.with_name(f".{target.name[:150]}.{mark}.part")
    fetching = late_import("minikeras.datasets.fetching")
    with _owned(part) as file:
        # Another process may have finished it while this one waited.
        changed = _identity(target) != before
        if changed and _has_hash(target, file_hash, algorithm):
            part.unlink(missing_ok=True)
            return
        print_msg(f"Downloading data from {origin}")
        try:
            fetching.download(file, part, target, origin, file_hash)
        except OSError as error:
            if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
                part.unlink(missing_ok=True)  # it must not keep the disk full
                fetching.tag_file(part).unlink(missing_ok=True)
            raise
        file.flush()
        os.fsync(file.fileno())
        fetching.tag_file(part).unlink(missing_ok=True)
        if not _has_hash(part, file_hash, algorithm):
            part.unlink()
            raise ValueError(
                f"Incomplete or corrupted file detected: what came from {origin} has "
                f"not the hash {file_hash} ({algorithm}). It was deleted. Try again, "
                "and check that the hash is the one of this file."
            )
        if fcntl is None:
            file.close()  # Windows renames no open file; elsewhere it keeps the lock
        os.replace(part, target)


def _check_place(target):
    if target.exists() and not target.is_file():  # a pipe would be read for ever
        raise FileExistsError(
            f"get_file: {str(target)!r} is a folder or a device, where a file belongs. "
            "Move it away, or set another cache with `KERAS_HOME` or `cache_dir=`."
        )


def _identity(path):
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        return status.st_ino, status.st_mtime_ns


@contextlib.contextmanager
def _owned(part) -> Iterator[IO[bytes]]:
    """The open part file, once no other process writes it."""
    while True:
        with open(part, "ab") as file:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # a file system without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            # Who had the lock before may have renamed this file to its place.
            if _identity(part) and part.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield file
                return


def _extract_once(archive, folder, archive_format):
    """Extract the archive, unless it is what the folder was made of."""
    status = archive.stat()
    stamp = archive.with_name(f".{archive.name[:150]}.extracted")
    text = f"{status.st_size} {status.st_mtime_ns} {folder.name} {archive_format}"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if folder.is_dir() and stamp.read_text() == text:
            return
    archives = late_import("minikeras.datasets.archives")
    if not archives.extract_archive(archive, folder, archive_format):
        warnings.warn(
            f"Could not extract archive {str(archive)!r}: it is no archive of the "
            f"format {archive_format!r}.",
            stacklevel=3,
        )
        return
    with contextlib.suppress(OSError):
        stamp.write_text(text)


def dataset_file(name: str, origin: str, file_hash: str | None, **options: Any) -> str:
    """`get_file` of a public data set; an error names the bundled one."""
    try:
        return get_file(name, origin, file_hash=file_hash, **options)
    except ConnectionError as error:
        raise ConnectionError(
            f"{error} `keras.datasets.digits` needs no download: it is bundled."
        ) from error
