import numpy as np
import pytest

from minikeras import KerasTensor, layers
from minikeras.core.bridge import get_mask

_RNG = np.random.default_rng(0)
A = _RNG.normal(size=(2, 3, 4)).astype("float32")
B = _RNG.normal(size=(2, 3, 4)).astype("float32")
C = _RNG.normal(size=(2, 4)).astype("float32")


@pytest.mark.parametrize(
    "name, expected",
    [
        ("add", A + B),
        ("subtract", A - B),
        ("multiply", A * B),
        ("average", (A + B) / 2),
        ("maximum", np.maximum(A, B)),
        ("minimum", np.minimum(A, B)),
        ("concatenate", np.concatenate([A, B], -1)),
    ],
)
def test_layers_and_functions(name, expected):
    by_layer = getattr(layers, name.title())()([A, B])
    np.testing.assert_allclose(by_layer, expected, rtol=1e-6)
    np.testing.assert_array_equal(getattr(layers, name)([A, B]), by_layer)


def test_samples_broadcast_on_their_own():
    np.testing.assert_array_equal(layers.add([A, C]), A + C[:, None])
    x, y = KerasTensor((None, 3, 4)), KerasTensor((None, 4))
    assert layers.Add()([x, y]).shape == (None, 3, 4)


def masked(x, mask):
    """The array behind a layer that gives it a mask."""

    class WithMask(layers.Layer):
        def call(self, x):
            return x

        def compute_mask(self, x, previous=None):
            return np.array(mask)

    return WithMask()(x)


MASKS = [[[True, False, False], [True, True, True]], [[True, True, False]] * 2]


@pytest.mark.parametrize(
    "name, neutral, unseen",
    [("Multiply", 1, 0), ("Maximum", -np.inf, A), ("Minimum", np.inf, A)],
)
def test_masked_entries_do_not_take_part(name, neutral, unseen):
    keep = [np.array(m)[..., None] for m in MASKS]
    x, y = (np.where(k, v, neutral) for k, v in zip(keep, (A, B), strict=True))
    function = getattr(np, name.lower())
    expected = np.where(keep[0] | keep[1], function(x, y), unseen)
    out = getattr(layers, name)()([masked(A, MASKS[0]), masked(B, MASKS[1])])
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert get_mask(out).tolist() == np.logical_or(*MASKS).tolist()


def test_sums_take_masked_entries_as_they_are():
    x = [masked(A, MASKS[0]), masked(B, MASKS[1])]
    np.testing.assert_array_equal(layers.Add()(x), A + B)
    np.testing.assert_array_equal(layers.Subtract()(x), A - B)
    np.testing.assert_allclose(layers.Average()(x), (A + B) / 2, rtol=1e-6)


def test_without_a_mask_on_each_input_there_is_none_on_the_output():
    assert get_mask(layers.Add()([masked(A, MASKS[0]), B])) is None


def test_mask_of_a_concatenation():
    along_time = layers.Concatenate(axis=1)([masked(A, MASKS[0]), B])
    expected = np.concatenate([MASKS[0], np.ones((2, 3), bool)], 1)
    assert get_mask(along_time).tolist() == expected.tolist()
    assert layers.Concatenate().compute_mask([A, B], [None, None]) is None


def test_mask_arguments_must_be_lists_of_one_length():
    for layer in (layers.Add(), layers.Concatenate()):
        with pytest.raises(ValueError, match="`mask` should be a list"):
            layer.compute_mask([A, B], A)
        with pytest.raises(ValueError, match="`inputs` should be a list"):
            layer.compute_mask(A, [None, None])
        with pytest.raises(ValueError, match="same length"):
            layer.compute_mask([A, B], [None])


@pytest.mark.parametrize(
    "name, inputs, message",
    [
        ("Add", A, "list of arrays"),
        ("Add", [A, A[..., :2]], "do not broadcast"),
        ("Add", [A, A[:1]], "batch sizes"),
        ("Subtract", [A, B, A], "exactly 2 inputs"),
        ("Concatenate", A, "list of arrays"),
        ("Concatenate", [A, A[:, :2]], "matching shapes"),
        ("Concatenate", [A, C], "matching shapes"),
    ],
)
def test_inputs_that_do_not_go_together_are_refused(name, inputs, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)()(inputs)
