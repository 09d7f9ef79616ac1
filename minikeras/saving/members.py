"""The members of a `.keras` file, zip or folder, each opened as a file of its own."""

import contextlib
import io
import os
import pathlib
import struct
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from minikeras.saving import atomic_files, safety
from minikeras.saving.errors import FileError
from minikeras.saving.window import Window

_CHUNK = 1 << 20


class Members:
    """The members of a `.keras` file by name; made by `open_members`.

    Args:
        sizes: {name: bytes}.
        opener: function from a name to a context manager of an open file.
    """

    def __init__(self, sizes: dict[str, int], opener: Any):
        self.sizes, self._opener = sizes, opener

    def open(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a member as a binary file that can seek.

        Raises:
            FileError: there is none of the name, or it is damaged.
        """
        if name not in self.sizes:
            fault = f"It has no member {name!r} among {sorted(self.sizes)[:8]}."
            raise FileError(fault, remedy="A `.keras` file is expected.")
        return self._opener(name)

    def read(self, name: str) -> bytes:
        """Read a whole member, such as a config."""
        with self.open(name) as file:
            return safety.read_all(file, self.sizes[name], self.sizes[name], name)

    def json(self, name: str) -> Any:
        """Read and parse a member."""
        return safety.parse_json(self.read(name), name)

    @contextlib.contextmanager
    def open_h5(self, name: str) -> Iterator[Any]:
        """Open a member with weights as a checked `h5py.File`."""
        with self.open(name) as file, safety.open_h5(file, name, True) as h5:
            yield h5


@contextlib.contextmanager
def open_members(path: str | os.PathLike | IO[bytes]) -> Iterator[Members]:
    """Open a `.keras` file, zip or folder.

    Args:
        path: path of the file or folder, or a file object open for reading.

    Raises:
        FileError: it is missing, no zip file, or `safety` refuses it.
    """
    if isinstance(path, (str, os.PathLike)) and os.path.isdir(path):
        yield _folder_members(pathlib.Path(path))
        return
    with safety.open_regular(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # struct.error and others, too
            remedy = "Save the model again, or copy the file once more."
            fault = f"It is no zip file, or it is cut off: {error}."
            raise FileError(fault, remedy=remedy) from error
        with archive:
            safety.check_zip(archive, safety.size_of(file))
            sizes = {i.filename: i.file_size for i in archive.infolist()}
            yield Members(sizes, lambda name: _zip_member(archive, file, name))


def _folder_members(folder):
    files = atomic_files.member_files(folder)
    sizes = {name: file.lstat().st_size for name, file in files.items()}

    def open_member(name):
        try:
            return safety.open_regular(files[name], False)
        except FileError:  # another save may have moved it to its place
            again = atomic_files.member_files(folder).get(name, files[name])
            return safety.open_regular(again, False)

    return Members(sizes, open_member)


def _zip_member(archive, file, name):
    """A member as a file that seeks fast; its checksum has been compared.

    Python's own file of a member reads from the beginning for each step back, which
    HDF5 takes all the time. So stored bytes are read where they lie.
    """
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        return io.BytesIO(archive.read(info))
    with archive.open(info) as member:
        while member.read(_CHUNK):
            pass
    file.seek(info.header_offset + 26)
    # The two lengths are those of the local header: `info` has the directory's.
    start = info.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
    return io.BufferedReader(Window(file, start, info.file_size))
