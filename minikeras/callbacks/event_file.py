"""Event files of TensorBoard, written without TensorFlow.

A file is a row of records, each a message `Event` of Protocol Buffers between its
length and checksums. An event has a time, a step, and what happened in it.
"""

import itertools
import math
import os
import pathlib
import socket
import struct
import threading
import time
import weakref

import numpy as np

# Fields of `Event`.
FILE_VERSION, GRAPH, SUMMARY, SESSION = 3, 4, 5, 7
_SOURCE = 10
_START = 1  # of a session
_LANES_FROM = 1024  # bytes; below, a loop of Python is faster
_BUFFER_BYTES, _BUFFER_SECONDS = 1 << 16, 2.0


# -- checksums ------------------------------------------------------------------------


def _crc_table():
    """CRC32C of each byte: the register after 8 shifts, (256,) uint32."""
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, crc >> 1 ^ np.uint32(0x82F63B78), crc >> 1)
    return crc


_TABLE = _crc_table()
_TABLE_LIST = _TABLE.tolist()


def crc32c(data: bytes) -> int:
    """CRC32C, the checksum with the polynomial of Castagnoli.

    Args:
        data: any number of bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) >= _LANES_FROM:
        return _crc32c_in_lanes(data)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE_LIST[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _crc32c_in_lanes(data):
    """`crc32c` of all rows of a matrix of the bytes at once, then joined.

    The register is linear over GF(2). Without its first value it stays 0 on leading
    zeros, so the bytes can be filled up in front; the first value itself is the same as
    inverting the first 4 bytes. One MB takes 10 ms, in a loop of Python 100 ms.
    """
    lanes = math.isqrt(len(data))
    steps = -(-len(data) // lanes)
    padded = np.zeros(lanes * steps, np.uint8)
    start = len(padded) - len(data)
    padded[start:] = np.frombuffer(data, np.uint8)
    padded[start : start + 4] ^= 255
    # 32 lanes more, of zeros, tell what `steps` bytes do to each bit of a register.
    columns = np.zeros((steps, lanes + 32), np.uint8)
    columns[:, :lanes] = padded.reshape(lanes, steps).T
    crc = np.zeros(lanes + 32, np.uint32)
    crc[lanes:] = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in columns:
        crc = _TABLE[crc.astype(np.uint8) ^ column] ^ crc >> 8
    *rows, shifted_bits = *crc[:lanes].tolist(), crc[lanes:].tolist()
    total = 0
    for row in rows:
        total = row ^ _linear(shifted_bits, total)
    return total ^ 0xFFFFFFFF


def _linear(columns, bits):
    """The product of a matrix over GF(2), given by its columns, and a vector."""
    result = 0
    while bits:
        lowest = bits & -bits
        result ^= columns[lowest.bit_length() - 1]
        bits ^= lowest
    return result


def _masked_crc(data):
    """The checksum as records hold it: rotated, plus a constant."""
    crc = crc32c(data)
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """The bytes of a record: length, its checksum, the data, their checksum.

    Args:
        data: the content of the record.
    """
    length = struct.pack("<Q", len(data))
    return length + _masked_crc(length) + data + _masked_crc(data)


# -- Protocol Buffers -----------------------------------------------------------------


def _varint(number):
    """An integer in groups of 7 bits, the lowest first; negative ones as 64 bits."""
    number &= 0xFFFFFFFFFFFFFFFF
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    """A message of Protocol Buffers.

    Args:
        *fields: pairs of a field's number and its value: an int, a float for a double,
            a str, or the bytes of a message or of packed values.

    >>> message((1, 300), (2, "a")).hex()
    '08ac02120161'
    """
    parts = []
    for number, value in fields:
        if isinstance(value, float):
            parts += [_varint(number << 3 | 1), struct.pack("<d", value)]
        elif isinstance(value, int):
            parts += [_varint(number << 3), _varint(value)]
        else:
            data = value.encode(errors="replace") if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(data)), data]
    return b"".join(parts)


# -- files ----------------------------------------------------------------------------


class EventFile:
    """A new event file in a folder; threads may share it.

    Events are kept for at most two seconds, as long as others follow, and written as
    whole records: a process that is killed leaves a file that can be read.

    Args:
        folder: folder of the run, made if it is not there.
        purge_from: step from which the events of older files of the run are void; None
            leaves all of them.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, folder: str | os.PathLike, purge_from: int | None = None):
        self._file = _new_file(pathlib.Path(folder))
        self._records: list[bytes] = []
        self._lock = threading.RLock()
        self._size, self._written_at = 0, time.monotonic()
        # At the end of the process, too, if nobody has closed it.
        self._finish = weakref.finalize(self, _finish, self._file, self._records)
        source = message((1, "minikeras"))
        self.add(0, (_SOURCE, source), (FILE_VERSION, "brain.Event:2"))
        if purge_from is not None:
            # TensorBoard takes the first start in a run for that of the first file.
            for _ in range(2):
                self.add(purge_from, (SESSION, message((1, _START))))

    def add(
        self, step: int, *what: tuple[int, str | bytes], wall_time: float | None = None
    ) -> None:
        """Add an event.

        Args:
            step: number of the step or epoch.
            *what: fields of `Event`, such as `(SUMMARY, bytes of the summary)`.
            wall_time: seconds since 1970; None: now.
        """
        wall_time = time.time() if wall_time is None else wall_time
        data = record(message((1, float(wall_time)), (2, int(step)), *what))
        with self._lock:
            self._records.append(data)
            self._size += len(data)
            late = time.monotonic() - self._written_at > _BUFFER_SECONDS
            if late or self._size > _BUFFER_BYTES:
                self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        with self._lock:
            if not self._file.closed:
                _write(self._file, self._records)
            self._size, self._written_at = 0, time.monotonic()

    def close(self) -> None:
        """Write what is kept, and close the file."""
        with self._lock:
            self._finish()


def _new_file(folder):
    """Open a file with a new name: time, host, process, number."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
    for number in itertools.count():
        # TensorBoard reads the files of a run in the order of their names.
        path = folder / f"{start}.{os.getpid()}.{number:04d}.v2"
        try:
            return open(path, "xb", buffering=0)
        except FileExistsError:
            continue
    raise AssertionError


def _write(file, records):
    """Write records in one call of the system, and forget them."""
    data = memoryview(b"".join(records))
    records.clear()
    while data:
        data = data[file.write(data) :]


def _finish(file, records):
    with file:
        _write(file, records)
