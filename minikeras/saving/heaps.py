"""Global heaps of HDF5 files, which hold the texts of attributes.

HDF5 walks the objects of a heap by their sizes, without a look at where it ends: a size
near 2**64 makes it walk for ever. So heaps are checked before a text is read.
"""

import struct
from typing import IO

from minikeras.saving.errors import FileError

_SIGNATURE = b"GCOL\1\0\0\0"
_CHUNK_BYTES = 16 << 20


def check(file: IO[bytes], size: int) -> int:
    """Raise FileError if a global heap is damaged.

    Args:
        file: binary file, open for reading; its position changes.
        size: its size in bytes.

    Returns:
        Bytes of the longest text.
    """
    left = size  # heaps do not overlap; each is walked over once
    longest = 0
    for start in range(0, size, _CHUNK_BYTES):
        file.seek(start)
        chunk = file.read(_CHUNK_BYTES + len(_SIGNATURE) - 1)
        at = chunk.find(_SIGNATURE)
        while at >= 0:
            file.seek(start + at)
            length, text = _sizes(file, min(left, size - start - at))
            left, longest = left - length, max(longest, text)
            at = chunk.find(_SIGNATURE, at + 1)
    return longest


def _sizes(file, most):
    """Bytes of a heap and of its longest text.

    FileError if the heap, or an object in it, has no end in `most` bytes.
    """
    damaged = FileError("It is damaged: the heap of its texts has no end.")
    head = file.read(16)
    length = struct.unpack_from("<Q", head, 8)[0] if len(head) == 16 else 0
    if not 16 <= length <= most:
        raise damaged
    heap, at, longest = file.read(length - 16), 0, 0
    while at + 16 <= len(heap):
        index, size = struct.unpack_from("<H6xQ", heap, at)  # 0 is the free space
        at += size if index == 0 else 16 + -(-size // 8) * 8
        if at > len(heap) or index == 0 and size < 16:
            raise damaged
        if index:
            longest = max(longest, size)
    return length, longest
