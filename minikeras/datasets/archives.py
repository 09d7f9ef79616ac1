"""Extraction of tar and zip archives that may come from anywhere.

A member is written only if it is a plain file or folder inside the target: links,
devices, `..`, absolute and endless names, and bombs are refused before the target
changes. Python's `extractall` is never called.
"""

import contextlib
import os
import pathlib
import re
import secrets
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

# An archive that declares more than both is a bomb: text compresses 3 to 20 times.
_MOST_BYTES, _MOST_TIMES = 4 * 2**30, 100
_MOST_NAME, _MOST_PATH = 255, 4000  # bytes; most file systems hold 255 and 4,096
_HEADER = 512  # bytes that an entry costs at least, even if it is empty
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError)


class Member(NamedTuple):
    """A file or folder of an archive: its name, size, and how to open it."""

    name: str
    size: int
    content: IO[bytes] | None  # None: a folder


def extract_archive(file, folder, archive_format="auto") -> bool:
    """Extract an archive; the files appear in the folder only if all of them are good.

    A new folder appears at once, by renaming. In a folder that exists, files of the
    archive replace those of equal names one by one, and all others stay.

    Args:
        file, folder: paths of the archive and of the folder to fill.
        archive_format: "tar" (also gz, bz2, xz), "zip", a list of them, "auto" or None.

    Returns:
        Whether the file is an archive of these formats.
    """
    formats = ("tar", "zip") if archive_format == "auto" else archive_format or ()
    formats = (formats,) if isinstance(formats, str) else formats
    readers = {
        "tar": (tarfile.is_tarfile, _of_tar),
        "zip": (zipfile.is_zipfile, _of_zip),
    }
    for name in formats:
        if name not in readers:
            raise NotImplementedError(
                f"archive_format: expected 'auto', 'tar', 'zip' or None, got {name!r}."
            )
        is_match, members = readers[name]
        with contextlib.suppress(EOFError, zlib.error):  # a cut-off gzip file
            if is_match(file):
                _extract(pathlib.Path(file), pathlib.Path(folder), members)
                return True
    return False


def _of_tar(file) -> Iterator[Member]:
    with tarfile.open(file) as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                kind = "a link" if info.issym() or info.islnk() else "a device"
                raise ValueError(f"{info.name!r} is {kind}; only files are extracted")
            content = archive.extractfile(info) if info.isreg() else None
            yield Member(info.name, info.size, content)


def _of_zip(file) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            kind = info.external_attr >> 28  # the upper 4 bits of st_mode
            if kind not in (0, 4, 8):
                raise ValueError(f"{info.filename!r} is a link or a device")
            if info.is_dir():
                yield Member(info.filename, 0, None)
                continue
            with archive.open(info) as content:
                yield Member(info.filename, info.file_size, content)


def _extract(file, folder, members):
    staging = folder.parent / f".{folder.name[:100]}.{secrets.token_hex(8)}"
    stored, declared = file.stat().st_size, 0
    staging.mkdir(parents=True)
    try:
        for member in members(file):
            declared += member.size + _HEADER
            if declared > max(_MOST_BYTES, _MOST_TIMES * stored):
                raise ValueError(
                    f"it declares more than {declared / 2**30:.0f} GiB, "
                    f"{declared // max(stored, 1)} times what it stores"
                )
            _write(member, _safe_path(member.name, folder, staging))
        _move(staging, folder)
    except (ValueError, NotImplementedError, RuntimeError, *_DAMAGE) as error:
        # No space or no permission is no fault of the archive.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            f"The archive {str(file)!r} is not extracted: {error}. If it should be "
            "good, delete it and get it again."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _safe_path(name, folder, staging):
    """The place of a member in `staging`; ValueError if it leaves the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise ValueError(f"the name {name[:80]!r} is absolute")
    if any(part == ".." or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"the name {name[:80]!r} leaves the folder")
    longest = max((len(os.fsencode(part)) for part in parts), default=0)
    if longest > _MOST_NAME or len(os.fsencode(folder / name)) > _MOST_PATH:
        raise ValueError(f"the name {name[:80]!r}… is too long")
    return staging.joinpath(*parts)


def _write(member, path):
    if member.content is None:
        return path.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        shutil.copyfileobj(member.content, file, 2**20)
        if file.tell() != member.size:
            raise ValueError(f"{member.name!r} ends after {file.tell()} bytes")


def _move(staging, folder):
    """Give the staged folder its name, or its files to the folder that exists."""
    try:
        return os.rename(staging, folder)
    except OSError:
        if not folder.is_dir() or folder.is_symlink():
            raise
    for root, folders, files in os.walk(staging):
        place = folder / os.path.relpath(root, staging)
        for name in folders:
            (place / name).mkdir(exist_ok=True)
        for name in files:
            os.replace(os.path.join(root, name), place / name)
