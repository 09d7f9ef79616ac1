"""Checks of files before their content is used: kinds, links, paths, declared sizes.

Everything that is read comes through here. Sizes are compared with what a file stores
before memory is taken for them.
"""

import contextlib
import json
import math
import os
import pathlib
import posixpath
import re
import stat
import zipfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from minikeras.core.late_import import late_import
from minikeras.saving import chunks, heaps
from minikeras.saving.errors import FileError, MissingFileError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Content may be this many times larger than the file that holds it compressed; a small
# content of any ratio is harmless.
_RATIO, _SMALL_BYTES, _SMALL_TEXT = 100, 512 << 20, 1 << 20
# Groups within groups. A layer in a list in a layer adds three.
_MAX_DEPTH = 100
# Groups and data sets of an HDF5 file: a model of 10,000 layers has 50,000.
_MAX_OBJECTS = 200_000
# Characters of their paths, all together.
_MAX_PATHS = 32 << 20
# Three, and one or two for each layer with a vocabulary.
_MAX_MEMBERS = 20_000
# Characters of their names, all together.
_MAX_NAMES = 4 << 20
# Lists of a JSON text take 20 times the bytes of the text, dicts four times as much.
_MAX_CONTAINERS, _DICT = 2_000_000, 4
# Bytes of a list of names, which become several times as many.
MOST_NAMES = 256 << 20
_LISTS, _MOST_TEXTS = ("layer_names", "weight_names"), 4 << 30
# Types of data sets whose attribute `dtype` says what the bits mean. Two opaque bytes
# are a bfloat16 without it.
NAMED_TYPES = re.compile(r"\|V1|<u2")
_BOMB = "It may be made to fill the memory, so nothing of it was read."


def open_regular(path: str | os.PathLike | IO[bytes], follow: bool = True) -> Any:
    """Open a regular file for reading; gives a context manager of the file.

    Opening a FIFO would wait for ever, opening a device may act on it.

    Args:
        path: path of the file; a file object, which stays open, is taken as it is.
        follow: whether the path itself may be a symbolic link.

    Raises:
        FileError: it is missing, or another kind of file.
    """
    if not isinstance(path, (str, os.PathLike)):
        return contextlib.nullcontext(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        is_regular = stat.S_ISREG((os.stat if follow else os.lstat)(path).st_mode)
        descriptor = os.open(path, flags) if is_regular else None
    except FileNotFoundError:
        raise MissingFileError(str(path)) from None
    except (OSError, ValueError) as error:
        raise FileError(f"It cannot be opened: {error}.", str(path)) from error
    if descriptor is None:
        raise FileError("It is no regular file.", str(path))
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # replaced since `os.stat`
        file.close()
        raise FileError("It is no regular file.", str(path))
    return file


def size_of(file: IO[bytes]) -> int:
    """Number of bytes of an open file; its position does not change."""
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(position)
    return size


def read_all(file: IO[bytes], declared: int, stored: int, place: str) -> bytes:
    """Read a whole file or member, after a look at its size.

    Args:
        file: open file.
        declared: number of bytes that it says it has.
        stored: number of bytes that they take, compressed.
        place: name of the member, for errors.

    Raises:
        FileError: it declares too much, or has another size than it declares.
    """
    check_size(declared, stored, place)
    data = file.read(declared + 1)
    if len(data) != declared:
        raise FileError(f"It declares {declared} bytes and has others.", place=place)
    return data


def check_size(
    declared: int, stored: int, place: str, small: int = _SMALL_BYTES
) -> None:
    """Raise FileError if a content is large and far larger than what is stored."""
    if declared > max(small, _RATIO * stored):
        fault = f"Refused: it declares {declared} bytes and stores {stored}."
        raise FileError(fault, place=place, remedy=_BOMB)


def parse_json(data: bytes | str, place: str = "") -> Any:
    """Parse JSON text.

    Args:
        data: the text, in UTF-8.
        place: name of the member, for errors.

    Raises:
        FileError: it is no JSON text, or nested too deeply.
    """
    try:
        text = data if isinstance(data, str) else bytes(data).decode()
    except UnicodeDecodeError as error:
        raise FileError(
            f"It is damaged, no text in UTF-8: {error}.", place=place
        ) from None
    if text.count("[") + _DICT * text.count("{") > _MAX_CONTAINERS:
        fault = (
            f"Refused: it has more than {_MAX_CONTAINERS} lists, or a quarter dicts."
        )
        raise FileError(fault, place=place, remedy=_BOMB)
    try:
        return json.loads(text)
    except RecursionError:
        raise FileError("It is damaged: nested too deeply.", place=place) from None
    except ValueError as error:
        raise FileError(f"It is damaged, no JSON text: {error}.", place=place) from None


class H5Contents(NamedTuple):
    """What an HDF5 file holds.

    Attributes:
        elements: number of scalars in all data sets.
        groups: {path of a group: {name: data set}}, of all groups.
        has_named_types: bool, whether data sets may have an attribute that names their
            type.
    """

    elements: int
    groups: dict[str, dict[str, Any]]
    has_named_types: bool


@contextlib.contextmanager
def open_h5(file: IO[bytes], place: str = "", texts: bool = False) -> Iterator[Any]:
    """Open and check an HDF5 file; gives the `h5py.File`.

    Args:
        file: binary file, open for reading.
        place: name of the member, for errors.
        texts: bool, whether attributes with texts will be read, beside those of models
            and weights of older versions of Keras.

    Raises:
        FileError: it is damaged, or `check_h5` refuses it.
    """
    with open_h5_contents(file, place, texts) as (opened, _):
        yield opened


@contextlib.contextmanager
def open_h5_contents(
    file: IO[bytes], place: str = "", texts: bool = False
) -> Iterator[tuple[Any, H5Contents]]:
    """`open_h5` that gives the `h5py.File` and what it holds."""
    h5py = late_import("h5py")
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(h5py.File(file, "r"))
            contents = check_h5(opened, size_of(file))
            # Whole models and weights of older versions have attributes at the root.
            old = len(opened.attrs) or "model_weights" in opened
            if texts or old or contents.has_named_types:
                longest = heaps.check(file, size_of(file))
                _check_lists(opened, contents.groups, longest)
        except FileError as error:
            error.place = "/".join(part for part in (place, error.place) if part)
            raise
        except Exception as error:  # h5py passes on what its C library finds
            remedy = "Save it again, or copy the file once more."
            fault = f"It is no HDF5 file, or it is damaged: {error}."
            raise FileError(fault, place=place, remedy=remedy) from error
        yield opened, contents


def check_h5(file: Any, file_size: int) -> H5Contents:
    """Check that an HDF5 file is a tree of numbers that has what it declares.

    Args:
        file: the `h5py.File`.
        file_size: its size in bytes.

    Returns:
        What it holds.

    Raises:
        FileError: links other than a tree's, data outside of the file, nesting without
            end, other types than numbers and strings, larger sizes than it stores.
    """
    h5py = late_import("h5py")
    elements, declared, chunked, named, groups, paths = 0, 0, False, False, {}, 0
    # Hard links may form a ladder, which has 2**n paths, or a circle.
    seen = {h5py.h5o.get_info(file.id).addr}
    pending = [(file.id, "", 0)]
    # The names of h5py's own layer below: its upper one takes 4 times as long.
    while pending:
        group, path, depth = pending.pop()
        datasets = groups[path] = {}
        if depth > _MAX_DEPTH:
            raise FileError("Refused: its groups are nested too deeply.", place=path)
        for key in _link_names(group, len(path), _MAX_PATHS - paths):
            name = key.decode()
            paths += len(path) + len(name)
            where = f"{path}/{name}".lstrip("/")
            address = _address(h5py, group.links.get_info(key), where)
            if address in seen:
                raise FileError("Refused: it is in the file twice.", place=where)
            if len(seen) > _MAX_OBJECTS:
                raise FileError(f"Refused: it has over {_MAX_OBJECTS} objects.")
            seen.add(address)
            item = h5py.h5o.open(group, key)
            if isinstance(item, h5py.h5g.GroupID):
                pending.append((item, where, depth + 1))
            elif isinstance(item, h5py.h5d.DatasetID):
                dataset = datasets[name] = h5py.Dataset(item)
                size, is_chunked, is_named = _check_dataset(h5py, item, dataset, where)
                # Zeros may be stored as nothing. What they allow is limited, too.
                stored = _RATIO * item.get_storage_size()
                elements += min(size, stored) // item.dtype.itemsize
                declared += size
                known = file_size if is_chunked else file_size // _RATIO
                check_size(size, max(known, 1), where)
                chunked, named = chunked or is_chunked, named or is_named
            else:
                raise FileError("Refused: it is a named type.", place=where)
    # Data sets may overlap, so that each stores what it declares, but not all of them.
    check_size(declared, max(file_size if chunked else file_size // _RATIO, 1), "")
    return H5Contents(elements, groups, named)


def _address(h5py, link, where):
    """Where in the file a link leads; FileError if that may be in another file."""
    h5l = h5py.h5l
    if link.type != h5l.TYPE_HARD:
        kind = {h5l.TYPE_SOFT: "SoftLink", h5l.TYPE_EXTERNAL: "ExternalLink"}
        fault = f"Refused: its link, {kind.get(link.type)}, may point outside."
        raise FileError(fault, place=where)
    return link.u


def _link_names(group, before, most):
    """The names in a group; FileError if their paths have more than `most` bytes."""
    names, left = [], most

    def take(name):
        nonlocal left
        left -= before + len(name)
        names.append(name)
        return left < 0 or None  # True ends it

    group.links.iterate(take)
    if left < 0:
        raise FileError("Refused: the names in it are too long.", remedy=_BOMB)
    return names


def _check_dataset(h5py, item, dataset, where):
    """Check one data set; returns its bytes, and is it chunked, of a named type?"""
    created = item.get_create_plist()
    layout = created.get_layout()
    if created.get_external_count() or layout == h5py.h5d.VIRTUAL:
        fault = "Refused: it is virtual or external: its data are in another file."
        raise FileError(fault, place=where)
    dtype = item.dtype
    if dtype.kind not in "biufcSV" or dtype.fields or dtype.subdtype:
        fault = f"Refused: expected numbers, got the HDF5 type {dtype}."
        raise FileError(fault, place=where)
    is_chunked = layout == h5py.h5d.CHUNKED
    if is_chunked:
        chunks.check(h5py, item, where)
    declared = math.prod(item.shape or (0,)) * dtype.itemsize
    is_named = NAMED_TYPES.match(dtype.str) is not None and "dtype" in dataset.attrs
    return declared, is_chunked, is_named


def _check_lists(file, groups, longest):
    """FileError if a list of texts may be larger than the memory.

    The texts of a list may all be the longest one of the file: HDF5 does not say before
    it has read them. The names of a whole model's 1,000 layers stand beside its config
    of 2 MB.
    """
    for path in groups:
        attributes = file[path or "/"].attrs
        for name in attributes:
            if name.startswith(_LISTS):
                count = math.prod(attributes.get_id(name).shape or ())
                check_size(count * longest, 0, f"{path} ({name})", _MOST_TEXTS)


def attribute(item: Any, name: str, default: Any = None) -> Any:
    """Read an attribute of an HDF5 group or data set.

    Args:
        item: the group or data set.
        name: of the attribute; lists of texts were checked when the file was opened.
        default: what is returned if there is none.

    Raises:
        FileError: its type is none of numbers and strings, or it declares too much.
    """
    h5py = late_import("h5py")
    if name not in item.attrs:
        return default
    place = f"{item.name} ({name})"
    found = item.attrs.get_id(name)
    count = 1 if found.shape == () else found.get_space().get_simple_extent_npoints()
    if h5py.check_string_dtype(found.dtype) is None and found.dtype.kind not in "biuf":
        raise FileError(f"Refused: an attribute of type {found.dtype}.", place=place)
    # Strings of variable length may all be the same bytes of the file.
    if found.dtype.kind == "O" and count > 1 and not name.startswith(_LISTS):
        check_size(count * item.file.id.get_filesize(), 0, place, MOST_NAMES)
    value = item.attrs[name]
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError, a ValueError, for bytes that are no UTF-8
    return value


def check_zip(archive: zipfile.ZipFile, file_size: int) -> None:
    """Check that the members of an archive stay in their folder, and are no bombs.

    Args:
        archive: the open archive.
        file_size: its size in bytes.

    Raises:
        FileError: an absolute path or one with "..", a link, two members of one name,
            encryption, another compression than deflate, more than it stores.
    """
    names, total = set(), 0
    if len(archive.infolist()) > _MAX_MEMBERS:
        fault = f"Refused: the archive has more than {_MAX_MEMBERS} members."
        raise FileError(fault)
    if sum(len(info.filename) for info in archive.infolist()) > _MAX_NAMES:
        raise FileError("Refused: the names of its members are too long.")
    for info in archive.infolist():
        name = info.filename
        _check_member_name(name)
        if name in names:
            raise FileError("Refused: the archive has it twice.", place=name)
        names.add(name)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileError("Refused: it is a symbolic link.", place=name)
        if info.flag_bits & 0x1:
            raise FileError("Refused: it is encrypted.", place=name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            fault = f"Refused: its compression, {info.compress_type}, is not deflate."
            raise FileError(fault, place=name)
        # What JSON text, or a word in each line, becomes takes many times its size.
        small = _SMALL_TEXT if name.endswith((".json", ".txt")) else _SMALL_BYTES
        check_size(info.file_size, info.compress_size, name, small)
        total += info.file_size
    check_size(total, file_size, "the archive")


def _check_member_name(name):
    """Raise FileError unless the name is a path that stays in its folder."""
    clean = posixpath.normpath(name)
    if (
        name.startswith("/")
        or clean.startswith("..")
        or any(c in name for c in "\\:\0")
        or pathlib.PureWindowsPath(name).is_absolute()
    ):
        raise FileError("Refused: the member leaves its archive.", place=repr(name))
