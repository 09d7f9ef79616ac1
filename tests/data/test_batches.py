import numpy as np
import pytest

from minikeras.data import (
    class_weight_to_sample_weights,
    pack_x_y_sample_weight,
    train_validation_split,
    unpack_x_y_sample_weight,
)


@pytest.mark.parametrize(
    ("parts", "packed"),
    [
        ((1,), 1),
        (([1],), ([1],)),
        (((1,),), ((1,),)),
        (({"a": 1},), {"a": 1}),
        ((1, 2), (1, 2)),
        ((1, None, 3), 1),
        ((1, 2, 3), (1, 2, 3)),
    ],
)
def test_pack(parts, packed):
    assert pack_x_y_sample_weight(*parts) == packed


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (1, (1, None, None)),
        ([1], (1, None, None)),
        ({"a": 1}, ({"a": 1}, None, None)),
        ((1, 2), (1, 2, None)),
        ([1, 2, 3], (1, 2, 3)),
        (None, (None, None, None)),
    ],
)
def test_unpack(data, parts):
    assert unpack_x_y_sample_weight(data) == parts


@pytest.mark.parametrize("data", [(), (1, 2, 3, 4)])
def test_unpack_wrong_length(data):
    with pytest.raises(ValueError, match=f"tuple of {len(data)} parts"):
        unpack_x_y_sample_weight(data)


@pytest.mark.parametrize(
    "y",
    [
        np.array([1, 0, 3, 2, 1]),
        np.array([[1.2], [-0.4], [2.8], [2.0], [0.6]]),
        np.eye(4)[[1, 0, 3, 2, 1]],
    ],
)
def test_class_weights(y):
    weights = class_weight_to_sample_weights(y, {0: 0.5, 1: 2.0, 2: 3.0})
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, [2.0, 0.5, 1.0, 3.0, 2.0])


def test_class_weights_of_sequences():
    with pytest.raises(ValueError, match=r"got \(2, 3, 4\)"):
        class_weight_to_sample_weights(np.zeros((2, 3, 4)), {0: 1})


@pytest.mark.parametrize(
    ("samples", "fraction", "train"),
    [(10, 0.25, 7), (10, 0.35, 6), (3, 0.5, 1), (2, 0.01, 1), (10, 0.2, 8)],
)
def test_split(samples, fraction, train):
    x = np.arange(samples, dtype="float32")
    (tx, ty, tw), (vx, vy, vw) = train_validation_split(
        ({"a": x}, [x, None], None), fraction
    )
    np.testing.assert_array_equal(tx["a"], x[:train])
    np.testing.assert_array_equal(vx["a"], x[train:])
    np.testing.assert_array_equal(vy[0], x[train:])
    assert ty[1] is None and tw is None and vw is None


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, 0.99])
def test_split_leaves_nothing(fraction):
    with pytest.raises(ValueError, match=f"validation_split={fraction} of 5 samples"):
        train_validation_split((np.zeros(5),), fraction)


def test_split_of_a_generator():
    with pytest.raises(ValueError, match="`validation_split` works on arrays only"):
        train_validation_split((iter([1]), None, None), 0.5)


def test_split_of_different_lengths():
    with pytest.raises(ValueError, match="`x`: 5; `y`: 4"):
        train_validation_split((np.zeros(5), np.zeros(4)), 0.5)
