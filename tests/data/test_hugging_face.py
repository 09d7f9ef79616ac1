"""Data sets of Hugging Face's `datasets`, by stand-ins with the same interface."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import HuggingFaceAdapter, get_adapter

ROWS = {
    "x": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
    "size": [7, 8, 9],
    "label": [0, 1, 0],
}


class Column:
    """Rows of Python lists, unless the data set has a format."""

    __module__ = "datasets.arrow_dataset"

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Dataset:
    __module__ = "datasets.arrow_dataset"

    def __init__(self, rows, kind=None):
        self.rows, self.format = rows, {"type": kind}

    def __len__(self):
        return len(self.rows["label" if "label" in self.rows else "x"])

    def with_format(self, kind):
        return Dataset(self.rows, kind)

    def __getitem__(self, index):
        if isinstance(index, str):
            return Column(self.rows[index])
        assert self.format["type"] == "numpy"
        return {k: np.asarray(rows)[index] for k, rows in self.rows.items()}


def only(*names):
    return Dataset({name: ROWS[name] for name in names})


def test_a_data_set_gives_inputs_and_labels():
    adapter = get_adapter(only("x", "label"), batch_size=2)
    assert isinstance(adapter, HuggingFaceAdapter) and adapter.num_batches == 2
    (x, y), (rest, _) = adapter
    assert x.tolist() == ROWS["x"][:2] and y.tolist() == [0, 1]
    assert rest.tolist() == ROWS["x"][2:]
    x, y = get_adapter(Dataset(ROWS)).peek()
    assert sorted(x) == ["size", "x"] and y.tolist() == ROWS["label"]
    assert get_adapter(only("x")).peek().tolist() == ROWS["x"]


def test_shuffling_is_that_of_arrays():
    np.random.seed(5)
    x, y, weights = get_adapter(
        only("x", "label"), shuffle=True, class_weight={1: 3.0}
    ).peek()
    np.random.seed(5)
    order = np.random.permutation(3)
    assert x.tolist() == np.asarray(ROWS["x"])[order].tolist()
    assert weights.tolist() == np.where(y == 1, 3.0, 1.0).tolist()


def test_columns_are_arrays():
    data = Dataset(ROWS)
    adapter = get_adapter([data["x"], data["size"]], data["label"], batch_size=3)
    (x, size), y = adapter.peek()
    assert x.tolist() == ROWS["x"] and size.tolist() == ROWS["size"]
    assert x.dtype == "float32" and y.tolist() == ROWS["label"]


def test_fit_and_predict():
    data = only("x", "label")
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(data, epochs=2, verbose=0, validation_data=data)
    assert np.isfinite(history.history["val_loss"]).all()
    assert model.predict(data, verbose=0).shape == (3, 2)
    model.fit(data["x"], data["label"], verbose=0, validation_split=0.4)
    with pytest.raises(ValueError, match="`y` should not be passed"):
        model.fit(data, np.zeros(3), verbose=0)
