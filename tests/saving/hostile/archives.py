"""Hostile `.keras` archives, as bytes, and folders."""

import os
import struct
import zlib

from tests.saving.hostile import base

ROWS, row = base.table()
_STORED, _DEFLATED = 0, 8


def member(name, data, method=_STORED, size=None, flags=0, mode=0o100644, crc=None):
    """A member of `raw_zip`: what its headers say need not be true."""
    name = name.encode() if isinstance(name, str) else name
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    common = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 33, crc, len(data), size,
                         len(name), 0)  # fmt: skip
    return name, data, common, mode


def raw_zip(*members):
    """A zip archive, written field by field."""
    body, directory = b"", b""
    for name, data, common, mode in members:
        central = struct.pack("<HHHII", 0, 0, 0, mode << 16, len(body))
        directory += b"PK\1\2" + struct.pack("<H", 3 << 8) + common + central + name
        body += b"PK\3\4" + common + name + data
    count = min(len(members), 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def parts(**changes):
    """The members of a valid archive, by name; `changes` by the start of the name."""
    found = {
        "metadata.json": base.json.dumps(base.METADATA).encode(),
        "config.json": base.json.dumps(base.valid_config()).encode(),
        "model.weights.h5": base.h5_bytes(base.fill_weights),
    }
    for start, data in changes.items():
        name = next(name for name in found if name.startswith(start))
        found[name] = data
    return {name: data for name, data in found.items() if data is not None}


def archive(*more, **changes):
    """A valid archive with changed and more members."""
    return raw_zip(*(member(n, d) for n, d in parts(**changes).items()), *more)


def zeros(gigabytes):
    """A deflated stream of zeros, made from one block that is repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (gigabytes * 64) + b"\3\0"


@row("archive")
def empty(outside):
    return b""


@row("archive")
def no_archive(outside):
    return b"PK\3\4" + bytes(200)


@row("archive")
def directory_cut(outside):
    return archive()[:-60]


@row("archive")
def absolute_member(outside):
    return archive(member(f"{outside}/evil", b"x"))


@row("archive")
def dotted_member(outside):
    return archive(member("assets/../../evil", b"x"))


@row("archive")
def backslash_member(outside):
    return archive(member("..\\evil", b"x"))


@row("archive")
def link_member(outside):
    return archive(member("assets/x", f"{outside}/secret.txt".encode(), mode=0o120777))


@row("archive")
def encrypted_member(outside):
    config = member("config.json", parts()["config.json"], flags=1)
    weights = member("model.weights.h5", parts()["model.weights.h5"], flags=1)
    return archive(config, weights, config=None, model=None)


@row("archive")
def odd_compression(outside):
    config = member("config.json", parts()["config.json"], method=99)
    weights = member("model.weights.h5", parts()["model.weights.h5"], method=6)
    return archive(config, weights, config=None, model=None)


@row("archive")
def broken_compression(outside):
    weights = member("model.weights.h5", b"\7" * 500, method=_DEFLATED, size=3000)
    return archive(weights, model=None)


@row("archive")
def wrong_checksum(outside):
    return archive(member("model.weights.h5", parts()["model.weights.h5"], crc=1),
                   model=None)  # fmt: skip


@row("archive")
def duplicate_members(outside):
    return archive(*(member(name, data) for name, data in parts().items()))


@row("archive")
def bomb_weights(outside):
    data = zeros(6)
    return archive(
        member("model.weights.h5", data, _DEFLATED, (6 << 30) - (1 << 32) * 1),
        model=None,
    )


@row("archive")
def bomb_below_four_gigabytes(outside):
    return archive(member("model.weights.h5", zeros(3), _DEFLATED, 3 << 30), model=None)


@row("archive")
def declared_size_alone(outside):
    return archive(member("model.weights.h5", b"", size=3 << 30), model=None)


@row("archive")
def many_members(outside):
    more = [member(f"assets/{i}", b"") for i in range(5_000)]
    return archive(*more)


@row("archive")
def long_member_name(outside):
    return archive(member("assets/" + "x" * 60_000, b"x"))


@row("archive")
def deep_member_name(outside):
    return archive(member("assets/" + "a/" * 30_000 + "x", b""))


@row("archive")
def long_member_names(outside):
    more = [member(f"assets/{i}".ljust(60_000, "x"), b"") for i in range(100)]
    return archive(*more)


@row("archive")
def vocabulary_of_line_breaks(outside):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    lines = packer.compress(b"\n" * (100 << 20)) + packer.flush()
    where = "assets/layers/string_lookup/vocabulary.txt"
    return archive(member(where, lines, _DEFLATED, 100 << 20, crc=0))


@row("archive")
def zero_in_a_member_name(outside):
    return archive(member(b"assets/x\0.txt", b"x"))


@row("archive")
def asset_where_a_folder_is(outside):
    return archive(member("assets", b"x"), member("assets/layers/dense/x", b"x"))


@row("archive")
def weights_missing(outside):
    return archive(model=None)


@row("archive")
def weights_not_hdf5(outside):
    return archive(model=b"no HDF5 at all" * 40)


@row("archive")
def weights_empty(outside):
    return archive(model=b"")


def _link(target):
    return lambda path: os.symlink(target, path)


@row("folder")
def config_links_outside(outside):
    return {"config.json": _link(f"{outside}/secret.json")}


@row("folder")
def weights_link_outside(outside):
    return {"model.weights.h5": _link(f"{outside}/secret.h5")}


@row("folder")
def config_is_a_pipe(outside):
    return {"config.json": os.mkfifo}


@row("folder")
def weights_are_a_pipe(outside):
    return {"model.weights.h5": os.mkfifo}


@row("folder")
def config_is_a_device(outside):
    return {"config.json": _link("/dev/zero")}


@row("folder")
def weights_are_a_device(outside):
    return {"model.weights.h5": _link("/dev/zero")}


@row("folder")
def config_is_a_folder(outside):
    return {"config.json": os.mkdir}


@row("folder")
def weights_are_a_folder(outside):
    return {"model.weights.h5": os.mkdir}


@row("folder")
def link_in_a_circle(outside):
    return {"config.json": _link("config.json")}


@row("path")
def pipe(outside):
    return os.mkfifo


@row("path")
def device(outside):
    return _link("/dev/zero")


@row("path")
def nothing_there(outside):
    return lambda path: None


@row("path")
def link_to_nothing(outside):
    return _link("nowhere")


@row("path")
def link_to_itself(outside):
    return lambda path: os.symlink(path, path)
