"""Flatten, Reshape, Permute, RepeatVector."""

import numpy as np
import pytest

from minikeras import KerasTensor, layers

X = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)


def test_flatten_both_layouts():
    np.testing.assert_array_equal(layers.Flatten()(X), X.reshape(2, -1))
    expected = X.transpose(0, 2, 3, 1).reshape(2, -1)
    np.testing.assert_array_equal(layers.Flatten("channels_first")(X), expected)


def test_flatten_of_scalars_and_of_nothing():
    assert layers.Flatten()(np.ones(4)).shape == (4, 1)
    assert layers.Flatten()(np.ones((0, 3, 2))).shape == (0, 6)


def test_flatten_of_unknown_sizes():
    assert layers.Flatten()(KerasTensor((None, 3, 2))).shape == (None, 6)
    assert layers.Flatten()(KerasTensor((4, None, 2))).shape == (4, None)


def test_reshape_keeps_the_order_of_entries():
    np.testing.assert_array_equal(layers.Reshape((5, -1))(X), X.reshape(2, 5, 12))


@pytest.mark.parametrize(
    "shape, target, expected",
    [
        ((None, 6), (-1, 2), (None, 3, 2)),
        ((None, None, 3), (-1, 3), (None, None, 3)),
        ((2, None), (3, 5), (2, 3, 5)),
        ((2, 0, 3), (0, 7), (2, 0, 7)),
    ],
)
def test_reshape_of_symbolic_inputs(shape, target, expected):
    y = layers.Reshape(target)(KerasTensor(shape, "int32"))
    assert (y.shape, y.dtype) == (expected, "int32")


@pytest.mark.parametrize("target", [(7,), (-1, 7), (0, -1)])
def test_reshape_to_another_size_is_refused(target):
    with pytest.raises(ValueError, match="does not hold"):
        layers.Reshape(target)(X)
    with pytest.raises(ValueError, match="does not hold"):
        layers.Reshape(target)(KerasTensor((None, 3, 4, 5)))


@pytest.mark.parametrize("target", [(-1, -1), (-2, 3), (None, 2)])
def test_bad_target_shapes_are_refused(target):
    with pytest.raises(ValueError, match="target_shape"):
        layers.Reshape(target)


def test_permute():
    np.testing.assert_array_equal(layers.Permute((3, 1, 2))(X), X.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("dims", [(0, 1), (1, 3), (1, 1)])
def test_bad_permutations_are_refused(dims):
    with pytest.raises(ValueError, match="Invalid permutation"):
        layers.Permute(dims)


def test_repeat_vector():
    x = X[:, 0, 0]
    np.testing.assert_array_equal(
        layers.RepeatVector(3)(x), np.stack([x, x, x], axis=1)
    )


@pytest.mark.parametrize(
    "n, error", [("3", TypeError), (2.5, TypeError), (0, ValueError)]
)
def test_bad_numbers_of_repetitions_are_refused(n, error):
    with pytest.raises(error, match="`n`"):
        layers.RepeatVector(n)
    with pytest.raises(error, match="`size`"):
        layers.UpSampling1D(n)
