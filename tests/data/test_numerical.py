import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras.utils import normalize, to_categorical

rng = np.random.default_rng(2)


@pytest.mark.parametrize("shape", [(), (5,), (3, 1), (4, 3), (2, 3, 1)])
@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray])
def test_to_categorical(shape, convert):
    labels = rng.integers(0, 6, shape)
    rows = to_categorical(convert(labels), 6)
    dropped = labels[..., 0] if labels.ndim > 1 and shape[-1] == 1 else labels
    np.testing.assert_array_equal(rows, np.eye(6)[dropped])
    assert isinstance(rows, jax.Array) == (convert is jnp.asarray)


def test_to_categorical_counts_classes():
    assert to_categorical([[0], [3]]).shape == (2, 4)
    assert to_categorical(jnp.array([0, 3])).shape == (2, 4)
    with pytest.raises(IndexError, match="7 is out of bounds"):
        to_categorical([0, 7], 3)
    with pytest.raises(ValueError, match="no labels"):
        to_categorical([])


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray])
def test_normalize(order, axis, convert):
    x = rng.normal(size=(3, 4)).astype("float32")
    x[1] = 0
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    expected = x / np.where(norm == 0, 1, norm)
    np.testing.assert_allclose(
        normalize(convert(x), axis, order), expected, rtol=1e-6, atol=1e-7
    )
