"""split_dataset of arrays, structures and data sets."""

import random

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import Dataset

pytest.importorskip("grain")
X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def values(data):
    return [np.asarray(x).tolist() for x in data]


def test_arrays():
    left, right = keras.utils.split_dataset(X, left_size=0.3)
    assert values(left) == X[:3].tolist() and values(right) == X[3:].tolist()
    assert len(left) == 3 and len(right) == 7
    for kind in (list, tuple):
        _, right = keras.utils.split_dataset(kind([X, Y]), right_size=2)
        assert [int(y) for _, y in right] == [8, 9]
        assert [x.tolist() for x, _ in right] == X[8:].tolist()
    left, right = keras.utils.split_dataset(Y, 2, 0.3)
    assert values(left) == [0, 1] and values(right) == [7, 8, 9]


def test_the_shuffle_is_that_of_python():
    left, right = keras.utils.split_dataset(Y, 4, shuffle=True, seed=3)
    after = random.random()
    expected = list(range(10))
    random.seed(3)
    random.shuffle(expected)
    assert values(left) + values(right) == expected and random.random() == after


def test_data_sets():
    data = Dataset.from_tensor_slices({"x": X, "y": Y})
    left, right = keras.utils.split_dataset(data, 0.5)
    assert [int(e["y"]) for e in left] == [0, 1, 2, 3, 4]
    assert [e["x"].tolist() for e in right] == X[5:].tolist()
    left, right = keras.utils.split_dataset(data.batch(4), right_size=1, shuffle=True)
    assert sorted(len(e["y"]) for e in [*left, *right]) == [2, 4, 4]


def test_bad_input():
    cases = [
        (lambda: keras.utils.split_dataset(Y), ValueError, "At least one of"),
        (lambda: keras.utils.split_dataset("text", 0.5), TypeError, "`dataset`"),
        (lambda: keras.utils.split_dataset([], 0.5), ValueError, "an empty list"),
        (lambda: keras.utils.split_dataset([X, Y[:3]], 0.5), ValueError, "lengths"),
        (lambda: keras.utils.split_dataset(Y, "a"), TypeError, "`left_size` Type"),
        (lambda: keras.utils.split_dataset(Y, 11), ValueError, "smaller than 10"),
        (lambda: keras.utils.split_dataset(Y, 0.01), ValueError, "neither part empty"),
    ]
    for call, kind, message in cases:
        with pytest.raises(kind, match=message):
            call()


def test_torch():
    torch = pytest.importorskip("torch")
    left, right = keras.utils.split_dataset([X, Y], 0.4, preferred_backend="torch")
    assert len(left) == 4 and len(right) == 6
    source = torch.utils.data.TensorDataset(torch.from_numpy(X))
    assert len(keras.utils.split_dataset(source, 3)[1]) == 7
