"""A part of a file as a file: a member of an archive where it lies."""

import io
import os
from typing import IO, Any


class Window(io.RawIOBase):
    """A part of an open file as a file of its own.

    Args:
        file: the open file.
        start: where the part begins, in bytes.
        size: number of its bytes; it grows when more is written.
    """

    def __init__(self, file: IO[bytes], start: int, size: int = 0):
        self._file, self.start, self.size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """True."""
        return True

    def writable(self) -> bool:
        """True, if the file is."""
        return self._file.writable()

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as in other files; returns the new position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}
        self._at = max(0, base[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; returns the number of bytes that were read."""
        view = memoryview(buffer).cast("B")[: max(0, self.size - self._at)]
        self._file.seek(self.start + self._at)
        count = self._file.readinto(view)
        self._at += count
        return count

    def write(self, data: Any) -> int:
        """Write bytes; returns their number."""
        self._file.seek(self.start + self._at)
        count = self._file.write(data)
        self._at += count
        self.size = max(self.size, self._at)
        return count

    def flush(self) -> None:
        """Pass on what has been written."""
        self._file.flush()

    def truncate(self, size: int | None = None) -> int:
        """Set the number of bytes; returns it."""
        self.size = self._at if size is None else size
        self._file.truncate(self.start + self.size)
        return self.size
