"""keras.preprocessing: its names, and smart_resize."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras.preprocessing.image import smart_resize


def test_names():
    assert keras.preprocessing.image.load_img is keras.utils.load_img
    assert keras.preprocessing.sequence.pad_sequences is keras.utils.pad_sequences
    name = "timeseries_dataset_from_array"
    assert getattr(keras.preprocessing, name) is getattr(keras.utils, name)


def test_the_middle_is_resized():
    x = np.zeros((4, 8, 1), "float32")
    x[:, 2:6] = 1
    assert (smart_resize(x, (2, 2)) == np.ones((2, 2, 1))).all()
    batch = jnp.asarray(x)[None]
    found = jax.jit(lambda x: smart_resize(x, (2, 2)))(batch)
    assert isinstance(found, jax.Array) and (found == 1).all()
    first = smart_resize(x.transpose(2, 0, 1), (2, 2), data_format="channels_first")
    assert isinstance(first, np.ndarray) and first.shape == (1, 2, 2)


def test_bad_input():
    with pytest.raises(ValueError, match="2 integers"):
        smart_resize(np.ones((2, 2, 1)), (2, 2, 2))
    with pytest.raises(ValueError, match="incorrect rank"):
        smart_resize(np.ones((2, 2)), (2, 2))
    with pytest.raises(TypeError, match="unexpected keyword"):
        smart_resize(np.ones((2, 2, 1)), (2, 2), scale=3)
