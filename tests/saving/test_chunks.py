"""Chunks of HDF5 data sets that are not what they declare."""

import zlib

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

PLACE = "layers/dense/vars/0"
VALUES = np.arange(12, dtype="float32").tobytes()


def model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4)])


def replaced(path, chunk, *filters, mask=0):
    """Weights whose kernel is one chunk; bits of `mask` say what did not filter it."""
    model().save_weights(path)
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((3, 4))
    for name in filters:
        if name == "deflate":  # `set_deflate` takes it only once
            created.set_filter(h5py.h5z.FILTER_DEFLATE, 0, (1,))
        else:
            getattr(created, f"set_{name}")()
    with h5py.File(path, "r+") as file:
        del file[PLACE]
        space = h5py.h5s.create_simple((3, 4))
        kind = h5py.h5t.IEEE_F32LE
        item = h5py.h5d.create(file.id, PLACE.encode(), kind, space, created)
        item.write_direct_chunk((0, 0), chunk, filter_mask=mask)


@pytest.mark.parametrize(
    "chunk, filters",
    [
        (zlib.compress(zlib.compress(VALUES)), ["deflate", "deflate"]),
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


@pytest.mark.parametrize("mask", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("filters", [["deflate"], ["shuffle", "deflate"]])
def test_masks_of_filters(filters, mask, tmp_path):
    short = zlib.compress(b"ab").ljust(48, b"x")  # of the size of the values
    inflated = not mask >> (len(filters) - 1) & 1
    path = tmp_path / "a.weights.h5"
    replaced(path, short, *filters, mask=mask)
    if inflated:
        with pytest.raises(keras.saving.FileError, match=f"{PLACE}: Refused"):
            model().load_weights(path)
    else:
        model().load_weights(path)


def test_many_chunks_take_no_longer_for_each(tmp_path):
    path = tmp_path / "a.weights.h5"
    big = keras.Sequential([keras.Input((150,)), layers.Dense(150)])
    big.save_weights(path)
    with h5py.File(path, "r+") as file:
        values = file[PLACE][:]
        del file[PLACE]
        file.create_dataset(PLACE, data=values, chunks=(1, 1))
    big.load_weights(path)  # 22,500 chunks; a walk over all for each took 15 s
    np.testing.assert_array_equal(big.get_weights()[0], values)


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
