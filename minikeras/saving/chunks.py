"""Chunks of HDF5 data sets, which are stored compressed or otherwise filtered.

HDF5 believes a chunk: it inflates it without end, and takes what lies in memory behind
one that is too short. So each is compared with the size it must have.
"""

import math
import zlib
from typing import Any

from minikeras.saving.errors import FileError


def check(h5py: Any, item: Any, place: str) -> None:
    """Raise FileError unless each chunk has the size that the data set declares.

    Args:
        h5py: the module.
        item: `h5py.h5d.DatasetID` of a chunked data set.
        place: its path, for errors.
    """
    created = item.get_create_plist()
    deflate, shuffle = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE
    codes = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
    if codes not in ([], [deflate], [shuffle], [shuffle, deflate]):
        fault = f"Refused: HDF5 filters {codes}; shuffle, then deflate are known."
        raise FileError(fault, place=place, remedy="Write the file without filters.")
    size = math.prod(created.get_chunk()) * item.dtype.itemsize
    chunks: list[Any] = []  # `get_chunk_info(i)` would walk over i chunks for each
    item.chunk_iter(chunks.append)
    # Bit i of a mask says that filter i was left out.
    last = len(codes) - 1
    for chunk in chunks:
        if codes[-1:] == [deflate] and not chunk.filter_mask >> last & 1:
            stored = _inflated_bytes(item, chunk, size)
        else:
            stored = chunk.size
        if stored != size:
            fault = f"Refused: a chunk of {size} bytes has another size in the file."
            raise FileError(fault, place=place)


def _inflated_bytes(item, chunk, most):
    """Number of bytes of a compressed chunk; stops behind `most`."""
    if chunk.size > 2 * most + 1024:  # no text grows so when it is compressed
        return -1
    _, data = item.read_direct_chunk(chunk.chunk_offset)
    try:
        return len(zlib.decompressobj().decompress(data, most + 1))
    except zlib.error:
        return -1
