"""Reads event files of TensorBoard without its package."""

import math
import pathlib
import struct
from typing import Any, NamedTuple

import numpy as np

from minikeras.callbacks.event_file import record

_NUMBERS = {1: "<f4", 2: "<f8"}


class Event(NamedTuple):
    """What one value of a summary, or an event without a summary, says."""

    step: int
    tag: str
    plugin: str
    value: Any


def records(path):
    """The contents of all records; their checksums are compared."""
    data, found = pathlib.Path(path).read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        content = data[12 : 12 + length]
        assert record(content) == data[: 16 + length]
        found.append(content)
        data = data[16 + length :]
    return found


def fields(data):
    """{number of a field: its values} of a message of Protocol Buffers."""
    found, at = {}, 0

    def varint():
        nonlocal at
        number, shift = 0, 0
        while True:
            byte = data[at]
            number |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return number

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            size = 8 if key & 7 == 1 else varint()
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def tensor(data):
    parts = fields(data)
    dimensions = fields(parts.get(2, [b""])[0]).get(2, [])
    shape = [fields(d).get(1, [0])[0] for d in dimensions]
    if parts[1] == [7]:
        values = np.array(parts.get(8, []), object)
    else:
        values = np.frombuffer(parts.get(4, [b""])[0], _NUMBERS[parts[1][0]])
    assert values.size == math.prod(shape)
    return values.reshape(shape)


def read(folder):
    """All events in the files of a folder."""
    found = []
    for path in sorted(pathlib.Path(folder).glob("events.out.tfevents.*")):
        for data in records(path):
            event = fields(data)
            step = event.get(2, [0])[0]
            for number, name in {3: "version", 4: "graph", 7: "session"}.items():
                found += [Event(step, name, "", v) for v in event.get(number, [])]
            for summary in event.get(5, []):
                for value in map(fields, fields(summary)[1]):
                    plugin = fields(fields(value[9][0])[1][0])[1][0].decode()
                    tag, found_value = value[1][0].decode(), tensor(value[8][0])
                    found.append(Event(step, tag, plugin, found_value))
    return found


def scalars(folder):
    """{tag: {step: value}} of the numbers in a folder."""
    found: dict = {}
    for event in read(folder):
        if event.plugin == "scalars":
            found.setdefault(event.tag, {})[event.step] = float(event.value)
    return found
