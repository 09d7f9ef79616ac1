"""Hashing, HashedCrossing, CategoryEncoding and IntegerLookup."""

import jax
import numpy as np
import pytest

from minikeras import layers

NAMES = np.array([["omar"], ["stringer"], ["marlo"], ["wire"], ["skywalker"]])
INTS = np.array([[12, 7, -3], [9, 12, 2]])


# The numbers are those that Keras publishes in its own tests.
@pytest.mark.parametrize(
    ("arguments", "inputs", "expected"),
    [
        ({"num_bins": 3}, ["A", "B", "C", "D", "E"], [1, 0, 1, 1, 2]),
        ({"num_bins": 3, "mask_value": ""}, ["A", "B", "", "C", "D"], [1, 1, 0, 2, 2]),
        ({"num_bins": 3, "salt": 133}, ["A", "B", "C", "D", "E"], [0, 0, 2, 1, 0]),
        ({"num_bins": 2}, NAMES, [[0], [0], [1], [0], [0]]),
        ({"num_bins": 2, "salt": [133, 137]}, NAMES, [[0], [1], [0], [1], [0]]),
        ({"num_bins": 3}, [0, 1, 2, 3, 4], [1, 0, 1, 0, 2]),
        ({"num_bins": 3, "salt": (133, 137)}, [0, 1, 2, 3, 4], [1, 1, 2, 0, 1]),
        ({"num_bins": 1, "mask_value": ""}, ["", "a"], [0, 0]),
        (
            {"num_bins": 2, "output_mode": "count"},
            [["omar", "marlo", "wire"]],
            [[2.0, 1.0]],
        ),
    ],
)
def test_hashing(arguments, inputs, expected):
    assert layers.Hashing(**arguments)(inputs).tolist() == expected


def test_crossing():
    layer = layers.HashedCrossing(num_bins=5)
    names, numbers = np.array(["A", "B", "A", "B", "A"]), [101, 101, 101, 102, 102]
    assert layer((names, np.array(numbers))).tolist() == [1, 4, 1, 1, 3]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Hashing", {"num_bins": 5, "mask_value": 7}),
        ("Hashing", {"num_bins": 5, "salt": 3, "output_mode": "count"}),
        ("IntegerLookup", {"vocabulary": [9, 12], "num_oov_indices": 3}),
        ("IntegerLookup", {"vocabulary": [9, 2**40], "mask_token": 7}),
        (
            "IntegerLookup",
            {"vocabulary": [9], "num_oov_indices": 3, "oov_method": "farmhash"},
        ),
        ("IntegerLookup", {"vocabulary": [9, 4], "invert": True}),
        (
            "IntegerLookup",
            {"vocabulary": [9, 4], "output_mode": "tf_idf", "idf_weights": [0.5, 2.0]},
        ),
    ],
)
def test_compiled_code_computes_the_same(name, arguments):
    layer = getattr(layers, name)(**arguments)
    expected = layer(INTS)
    for found in (jax.jit(layer)(INTS), jax.vmap(layer)(INTS)):
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()


def test_category_encoding_keeps_sparse():
    layer = layers.CategoryEncoding(3, output_mode="count", sparse=True)
    again = layers.CategoryEncoding.from_config(layer.get_config())
    assert again([[0, 2, 2]]).todense().tolist() == [[1.0, 0.0, 2.0]]


def test_unknown_int_without_a_bin():
    layer = layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)
    with pytest.raises(ValueError, match=r"found OOV values \[.*5"):
        layer([1, 5])


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), "takes ints"),
        (lambda: layers.Hashing(2, salt=[1]), "`salt`"),
        (lambda: layers.Hashing(2, sparse=True, output_mode="count"), "sparse"),
        (lambda: layers.HashedCrossing(2)([["a"], [1.5]]), "integer or string dtype"),
        (lambda: layers.HashedCrossing(2)(["a"]), "at least two"),
    ],
)
def test_errors(make, error):
    with pytest.raises((TypeError, ValueError), match=error):
        make()
