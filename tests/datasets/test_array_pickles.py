"""Pickles of data sets: arrays come out, and nothing of a hostile one runs."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from minikeras.datasets.array_pickles import load_arrays, load_npz

LISTS = np.array([[1, 14, 22], [1], []], dtype=object)
PAIRS = np.empty(2, object)
PAIRS[:] = [[1, 2], [3, 4]]  # equal lengths must not become an axis


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.zeros((0, 3), "uint8"),
        LISTS,
        PAIRS,
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays(array, protocol):
    for value in (array, {b"data": array}):
        found = load_arrays(pickle.dumps(value, protocol))
        found = found if value is array else found[b"data"]
        assert found.dtype == array.dtype and found.shape == array.shape
        assert found.tolist() == array.tolist()
        assert found.flags.writeable


def test_python_2(tmp_path):
    text = (
        b"(dp0\nS'data'\np1\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
        b"(I0\ntS'b'\ntRp2\n(I1\n(I2\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\n"
        b"NNNI-1\nI-1\nI0\ntbI00\nS'ab'\ntbsS'labels'\n(lp3\nI7\naI8\nas."
    )
    found = load_arrays(text)
    assert found[b"data"].tolist() == [97, 98] and found[b"labels"] == [7, 8]


def test_npz(tmp_path):
    np.savez(tmp_path / "a.npz", x=LISTS, y=np.arange(3.0))
    found = load_npz(tmp_path / "a.npz")
    assert found["x"].tolist() == LISTS.tolist()
    assert found["y"].tolist() == [0, 1, 2]


class Runs:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def hostile(folder):
    marker = str(folder / "marker")
    nested = [1, "a"]
    for _ in range(60):
        nested = [nested] * 60
    endless = []
    endless.append([endless])
    reconstruct = np.arange(3).__reduce__()[0]
    return {
        "system": Runs(os.system, (f"touch {marker}",)),
        "eval": {b"data": Runs(eval, (f"open({marker!r}, 'w')",))},
        "in an array": np.array([Runs(os.system, (f"touch {marker}",)), 1], object),
        "getattr": Runs(getattr, (np, "load")),
        "nested": nested,
        "endless": endless,
        "class": os.path,
        "set": {1, 2},
        "tuple": [(1, 2)],
        "text": np.array(["a", "b"]),
        "structure": np.zeros(2, [("a", "i4")]),
        "time": np.array(["2020-01-01"], "M8[D]"),
        "no array": Runs(reconstruct, (np.ndarray, (0,), b"b")),
        "shape": Runs(
            reconstruct,
            (np.ndarray, (0,), b"b"),
            (1, (10**12,), np.dtype("u1"), False, b"ab"),
        ),
        "objects": Runs(
            reconstruct,
            (np.ndarray, (0,), b"b"),
            (1, (3,), np.dtype("O"), False, b"\1" * 24),
        ),
        "key": {(1, 2): 3},
    }


@pytest.mark.parametrize("name", hostile(os.__class__ and __import__("pathlib").Path()))
def test_hostile_pickles(tmp_path, name):
    value = hostile(tmp_path)[name]
    try:
        data = pickle.dumps(value, 4)
    except TypeError:  # a module
        data = b"cos\nsystem\n."
    with pytest.raises(pickle.UnpicklingError):
        load_arrays(data)
    assert not (tmp_path / "marker").exists()


def test_damaged_pickles():
    good = pickle.dumps({b"data": np.arange(4)}, 3)
    for data in (b"", good[:-1], good[: len(good) // 2], b"\x80\x04K\x01Q."):
        with pytest.raises(pickle.UnpicklingError):
            load_arrays(data)
    rng = np.random.RandomState(0)
    for _ in range(300):
        data = bytearray(good)
        data[rng.randint(len(data))] = rng.randint(256)
        try:
            for operation, *_ in pickletools.genops(bytes(data)):
                assert "LONG_BIN" not in operation.name  # may ask for 64 GB of memo
            found = load_arrays(bytes(data))
        except (pickle.UnpicklingError, AssertionError, ValueError):
            continue
        assert isinstance(found, (dict, list, int, np.ndarray, bytes, str, float))
