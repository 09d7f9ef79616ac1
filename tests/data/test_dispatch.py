import numpy as np
import pytest

from minikeras.data import (
    ArrayAdapter,
    GeneratorAdapter,
    IterableAdapter,
    PyDataset,
    PyDatasetAdapter,
    get_adapter,
)

X = np.ones((4, 2))


class Source(PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return X, X


class Batches:
    def __iter__(self):
        yield X, X


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (X, ArrayAdapter),
        ([X, X], ArrayAdapter),
        ({"a": X, "b": (X,)}, ArrayAdapter),
        ([[1, 2], [3, 4]], ArrayAdapter),
        (Source(), PyDatasetAdapter),
        (Batches(), IterableAdapter),
        (iter([(X, X)]), GeneratorAdapter),
        (((X, X) for _ in range(2)), GeneratorAdapter),
    ],
)
def test_kinds(x, kind):
    adapter = get_adapter(x, batch_size=2, shuffle=True)
    assert type(adapter) is kind
    assert get_adapter(adapter) is adapter


def test_arguments_reach_the_array_adapter():
    adapter = get_adapter(X, X[:, 0], steps=2, class_weight={1: 5.0})
    assert adapter.num_batches == 2 and not adapter.shuffle
    np.testing.assert_array_equal(adapter.peek()[2], [5.0, 5.0])


@pytest.mark.parametrize(
    ("x", "arguments", "message"),
    [
        (Source(), {"y": X}, "as a PyDataset, `y` should not be passed"),
        (Source(), {"sample_weight": X}, "PyDataset, `sample_weight` should not"),
        (Batches(), {"y": X}, "providing `x` as a stream of batches, `y`"),
        (Batches(), {"class_weight": {0: 1}}, "batches, `class_weight`"),
        ("text", {}, "Unrecognized data type: str"),
        (None, {}, "Unrecognized data type: NoneType"),
        (3.0, {}, "Unrecognized data type: float"),
        ([X, "text"], {}, "Unrecognized data type: list"),
        ({}, {}, "Unrecognized data type: dict"),
    ],
)
def test_refusals(x, arguments, message):
    with pytest.raises(ValueError, match=message):
        get_adapter(x, **arguments)
