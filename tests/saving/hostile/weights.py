"""Hostile HDF5 files: each row changes a valid one, of either layout."""

import h5py
import numpy as np

from tests.saving.hostile import base

ROWS, row = base.table()


def replaced(**options):
    """A change that puts another dataset in the place of a kernel."""

    def change(file, where):
        del file[where]
        file.create_dataset(where, **options)

    return change


def linked(link):
    """A change that puts a link in the place of a kernel."""

    def change(file, where):
        del file[where]
        file[where] = link

    return change


def above(where):
    """The group of a dataset."""
    return where.rpartition("/")[0]


@row("weights")
def external_link(outside):
    return linked(h5py.ExternalLink(f"{outside}/secret.h5", "0"))


@row("weights")
def external_link_of_a_group(outside):
    def change(file, where):
        del file[above(where)]
        file[above(where)] = h5py.ExternalLink(f"{outside}/secret.h5", "/")

    return change


@row("weights")
def external_link_at_the_root(outside):
    return lambda file, where: file.__setitem__(
        "extra", h5py.ExternalLink(f"{outside}/secret.h5", "/")
    )


@row("weights")
def soft_link(outside):
    return linked(h5py.SoftLink("/keep"))


@row("weights")
def virtual_dataset(outside):
    def change(file, where):
        del file[where]
        layout = h5py.VirtualLayout((3, 4), "float32")
        layout[:] = h5py.VirtualSource(f"{outside}/secret.h5", "0", shape=(3, 4))
        file.create_virtual_dataset(where, layout)

    return change


@row("weights")
def external_data(outside):
    where = [(f"{outside}/secret.txt", 0, 48)]
    return replaced(shape=(3, 4), dtype="float32", external=where)


@row("weights")
def ladder_of_hard_links(outside):
    """2 ** 22 paths lead to the last group."""

    def change(file, where):
        group = file.create_group("ladder")
        for _ in range(22):
            inner = group.create_group("left")
            group["right"] = inner
            group = inner

    return change


@row("weights")
def group_in_itself(outside):
    def change(file, where):
        file[f"{above(where)}/again"] = file[above(where)]

    return change


@row("weights")
def circle_of_groups(outside):
    def change(file, where):
        a, b = file.create_group("extra/a"), file.create_group("extra/b")
        a["b"], b["a"] = b, a

    return change


@row("weights")
def deep_groups(outside):
    def change(file, where):
        group = file
        for _ in range(1000):
            group = group.create_group("g")

    return change


@row("weights")
def many_groups(outside):
    def change(file, where):
        # One group under many names: a million objects would take long to write.
        group = file.create_group("x/y")
        for i in range(8_000):
            group[str(i)] = group if i % 2 else file["x"]

    return change


@row("weights")
def chunks_that_are_not_stored(outside):
    return replaced(shape=(1 << 40,), dtype="float32", chunks=(1 << 20,))


@row("weights")
def six_gigabytes_of_zeros(outside):
    """Declared and compressed: 10 kB of a file."""

    def change(file, where):
        del file[where]
        dataset = file.create_dataset(
            where, (1500, 1 << 20), "float32", chunks=(1, 1 << 20), compression="gzip"
        )
        dataset.id.write_direct_chunk((0, 0), _packed_zeros())

    return change


def _packed_zeros():
    import zlib

    return zlib.compress(bytes(4 << 20))


@row("weights")
def declared_and_not_stored(outside):
    return replaced(shape=(900_000_000,), dtype="float32")


@row("weights")
def wrong_shape(outside):
    return replaced(data=np.zeros((5, 4), "float32"))


@row("weights")
def wrong_rank(outside):
    return replaced(data=np.zeros(12, "float32"))


@row("weights")
def scalar(outside):
    return replaced(data=np.float32(1))


@row("weights")
def null_space(outside):
    return replaced(data=h5py.Empty("float32"))


@row("weights")
def compound_type(outside):
    return replaced(data=np.zeros((3, 4), [("a", "f4"), ("b", "i8")]))


@row("weights")
def text(outside):
    return replaced(data=np.full((3, 4), "x", object), dtype=h5py.string_dtype())


@row("weights")
def fixed_text(outside):
    return replaced(data=np.full((3, 4), b"x" * 9))


@row("weights")
def references(outside):
    return replaced(shape=(3, 4), dtype=h5py.ref_dtype)


@row("weights")
def lists_of_unequal_length(outside):
    return replaced(shape=(3, 4), dtype=h5py.vlen_dtype("float32"))


@row("weights")
def arrays_in_elements(outside):
    return replaced(shape=(3,), dtype=np.dtype(("float32", (4,))))


@row("weights")
def opaque(outside):
    return replaced(data=np.zeros((3, 4), "V4"))


@row("weights")
def huge_element(outside):
    return replaced(shape=(3, 4), dtype=np.dtype("V500000000"))


@row("weights")
def unknown_filter(outside):
    """A chunk that needs a filter which nobody has."""

    def change(file, where):
        del file[where]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((3, 4))
        plist.set_filter(32111, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((3, 4))
        group = file[above(where)]
        name = where.rpartition("/")[2].encode()
        dataset = h5py.h5d.create(group.id, name, h5py.h5t.IEEE_F32LE, space, plist)
        dataset.write_direct_chunk((0, 0), bytes(48))

    return change


@row("weights")
def broken_chunk(outside):
    def change(file, where):
        del file[where]
        dataset = file.create_dataset(
            where, (3, 4), "float32", chunks=(3, 4), compression="gzip"
        )
        dataset.id.write_direct_chunk((0, 0), b"\1\2\3")

    return change


@row("weights")
def group_for_a_dataset(outside):
    def change(file, where):
        del file[where]
        file.create_group(where)

    return change


@row("weights")
def dataset_for_a_group(outside):
    def change(file, where):
        del file[above(where)]
        file[above(where)] = np.zeros(3)

    return change


@row("weights")
def type_for_a_dataset(outside):
    return linked(np.dtype("float32"))


@row("weights")
def missing(outside):
    return lambda file, where: file.__delitem__(where)


@row("weights")
def everything_missing(outside):
    return lambda file, where: file.__delitem__(where.partition("/")[0])


@row("cut")
def cut_near_the_start(outside):
    return lambda data: data[:600]


@row("cut")
def cut_in_the_middle(outside):
    return lambda data: data[: len(data) // 2]


@row("cut")
def cut_at_the_end(outside):
    return lambda data: data[:-40]


@row("cut")
def not_hdf5(outside):
    return lambda data: b"weights" * 300


@row("cut")
def nothing(outside):
    return lambda data: b""


@row("cut")
def zeros_inside(outside):
    return lambda data: data[:64] + bytes(600) + data[664:]


@row("shards")
def shard_outside(outside):
    return {"metadata": {}, "weight_map": {"/layers/dense/vars": [f"{outside}/x.h5"]}}


@row("shards")
def shard_above(outside):
    return {"metadata": {}, "weight_map": {"/layers/dense/vars": ["../secret.h5"]}}


@row("shards")
def shard_missing(outside):
    return {
        "metadata": {},
        "weight_map": {"/layers/dense/vars": ["m_00000.weights.h5"]},
    }


@row("shards")
def shard_no_text(outside):
    return {"metadata": {}, "weight_map": {"/layers/dense/vars": [3, None, {}]}}


@row("shards")
def no_map(outside):
    return {"metadata": {}}


@row("shards")
def map_is_a_list(outside):
    return {"metadata": {}, "weight_map": [["a", "b"]]}


@row("shards")
def shards_null(outside):
    return None


@row("shards")
def shards_deep(outside):
    return "[" * 100_000


@row("shards")
def shards_not_utf8(outside):
    return b"\xff\xfe{"


@row("weights")
def long_names_of_groups(outside):
    def change(file, where):
        parent = file.create_group("x" * 1_000_000)
        for i in range(50):
            parent.create_group(f"{i}")

    return change


@row("weights")
def long_names_in_a_group(outside):
    def change(file, where):
        for i in range(50):
            file.create_group(f"{i}".ljust(1_000_000, "x"))

    return change


@row("weights")
def heaps_in_heaps(outside):
    def change(file, where):
        file.attrs["text"] = "of variable length"
        size, step = 1 << 20, 32
        heaps = b"".join(
            b"GCOL\1\0\0\0"
            + (size - at).to_bytes(8, "little")
            + bytes(8)
            + (size - at - 16).to_bytes(8, "little")
            for at in range(0, size, step)
        )
        file.create_dataset("heaps", data=np.frombuffer(heaps, "u1"))

    return change
