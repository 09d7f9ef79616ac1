"""Chunks of HDF5 data sets that are not what they declare."""

import zlib

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

PLACE = "layers/dense/vars/0"


def model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4)])


def replaced(path, chunk, *filters):
    """Weights whose kernel is one chunk of these bytes."""
    model().save_weights(path)
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((3, 4))
    for name in filters:
        getattr(created, f"set_{name}")(*([1] if name == "deflate" else []))
    with h5py.File(path, "r+") as file:
        del file[PLACE]
        space = h5py.h5s.create_simple((3, 4))
        kind = h5py.h5t.IEEE_F32LE
        item = h5py.h5d.create(file.id, PLACE.encode(), kind, space, created)
        item.write_direct_chunk((0, 0), chunk)


VALUES = np.arange(12, dtype="float32").tobytes()


@pytest.mark.parametrize(
    "chunk, filters",
    [
        (b"ab", ["fletcher32"]),  # HDF5 reads outside of it, and the process ends
        (b"ab", ["shuffle"]),  # HDF5 takes what lies in memory behind it
        (zlib.compress(bytes(50_000_000)), ["deflate"]),  # it inflates all of it
        (zlib.compress(b"ab"), ["deflate"]),
        (b"no text of zlib", ["deflate"]),
        (VALUES * 2, []),
    ],
)
def test_chunks_of_another_size_are_refused(chunk, filters, tmp_path):
    path = tmp_path / "a.weights.h5"
    replaced(path, chunk, *filters)
    with pytest.raises(keras.saving.FileError, match=f"{PLACE}: Refused"):
        model().load_weights(path)


@pytest.mark.parametrize("filters", [[], ["shuffle"], ["deflate"]])
def test_honest_chunks_are_read(filters, tmp_path):
    path = tmp_path / "a.weights.h5"
    replaced(
        path, zlib.compress(VALUES) if filters == ["deflate"] else VALUES, *filters
    )
    again = model()
    again.load_weights(path)
    expected = np.frombuffer(VALUES, "u1")
    if filters == ["shuffle"]:  # first bytes of all numbers, then second bytes, …
        expected = np.ascontiguousarray(expected.reshape(4, 12).T)
    expected = expected.reshape(-1).view("float32")
    np.testing.assert_array_equal(again.get_weights()[0].ravel(), expected)
