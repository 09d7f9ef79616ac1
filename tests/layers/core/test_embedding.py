import numpy as np
import pytest

from minikeras import layers
from minikeras.core.bridge import get_mask

TABLE = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def made(**kwargs):
    return layers.Embedding(5, 3, weights=TABLE, **kwargs)


def test_rows_are_looked_up():
    indices = np.array([[0, 4], [2, 2]])
    np.testing.assert_array_equal(made()(indices), TABLE[indices])


def test_float_indices_are_cut_and_out_of_range_ones_are_nan():
    found = np.asarray(made()(np.array([1.7, 5.0, -1.0])))
    np.testing.assert_array_equal(found[0], TABLE[1])
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[2], TABLE[-1])


def test_large_float_indices_keep_their_digits_in_half_precision():
    table = np.arange(5000, dtype="float32")[:, None]
    layer = layers.Embedding(5000, 1, weights=[table], dtype="mixed_float16")
    found = layer(np.array([2049.0, 4095.0], "float32"))
    assert found.dtype == "float16"
    np.testing.assert_array_equal(found[:, 0], table[[2049, 4095], 0].astype("float16"))


def test_mask_zero_masks_index_zero():
    y = made(mask_zero=True)(np.array([[1, 0, 2]]))
    assert get_mask(y).tolist() == [[True, False, True]]
    assert get_mask(made()(np.array([[1, 0, 2]]))) is None


def test_given_weights_build_the_layer_and_stay_out_of_the_config():
    layer = made()
    assert layer.built
    assert "weights" not in layer.get_config()
    with pytest.raises(ValueError, match="shape"):
        layers.Embedding(5, 3, weights=TABLE[:4])


@pytest.mark.parametrize("sizes", [(0, 3), (5, 2.5), (True, 3), (5, None)])
def test_sizes_must_be_positive_integers(sizes):
    with pytest.raises(ValueError, match="positive integer"):
        layers.Embedding(*sizes)


def test_input_length_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="input_length"):
        layers.Embedding(5, 3, input_length=4)
