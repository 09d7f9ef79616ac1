import jax
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.normalization.batch_normalization import (
    masked_moments,
    renormalization,
)

_RNG = np.random.default_rng(0)
X = _RNG.normal(3.0, 2.0, size=(6, 5, 3)).astype("float32")
GAMMA, BETA = np.array([0.5, 2.0, -1.0]), np.array([1.0, 0.0, -2.0])


def made(**kwargs):
    layer = layers.BatchNormalization(**kwargs)
    layer.build(X.shape)
    layer.gamma.assign(GAMMA)
    layer.beta.assign(BETA)
    return layer


def normalized(x, mean, variance, epsilon=1e-3):
    return GAMMA * (x - mean) / np.sqrt(np.add(variance, epsilon)) + BETA


def test_training_uses_the_batch_and_moves_the_averages():
    layer = made(momentum=0.9)
    mean, variance = X.mean((0, 1)), X.var((0, 1))
    y = layer(X, training=True)
    np.testing.assert_allclose(y, normalized(X, mean, variance), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4)


def test_inference_and_frozen_layers_use_the_averages():
    layer = made()
    layer.moving_mean.assign([1.0, 2.0, 3.0])
    layer.moving_variance.assign([4.0, 1.0, 0.25])
    expected = normalized(X, [1, 2, 3], [4, 1, 0.25])
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-4)
    layer.trainable = False
    np.testing.assert_allclose(layer(X, training=True), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(layer.moving_mean, [1, 2, 3])
    assert (len(layer.trainable_weights), len(layer.weights)) == (0, 4)


def test_another_axis():
    layer = layers.BatchNormalization(axis=1)
    y = np.asarray(layer(X, training=True))
    np.testing.assert_allclose(y.mean((0, 2)), np.zeros(5), atol=1e-5)
    np.testing.assert_allclose(y.var((0, 2)), np.ones(5), atol=1e-2)


def test_masked_entries_do_not_count():
    mask = _RNG.random((6, 5)) < 0.5
    mean, variance = jax.jit(masked_moments, static_argnums=2)(X, mask, (0, 1))
    np.testing.assert_allclose(mean, X[mask].mean(0), rtol=1e-4)
    np.testing.assert_allclose(variance, X[mask].var(0), rtol=1e-4)
    layer = made(momentum=0.0)
    layer(X, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean, X[mask].mean(0), rtol=1e-4)
    with pytest.raises(ValueError, match="but the last"):
        layer(X, training=True, mask=mask[..., None])


def test_nothing_but_masked_entries_is_finite():
    layer = layers.BatchNormalization()
    y = layer(np.zeros((4, 3), "float32"), training=True, mask=np.zeros(4, bool))
    np.testing.assert_array_equal(y, np.zeros((4, 3)))


def test_half_precision_is_computed_in_float32():
    x = _RNG.normal(3000.0, 1.0, size=(64, 3)).astype("float16")
    layer = layers.BatchNormalization(momentum=0.0, dtype="mixed_float16")
    y = layer(x, training=True)
    assert y.dtype == "float16"
    wide = x.astype("float64")
    np.testing.assert_allclose(layer.moving_mean, wide.mean(0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, wide.var(0), rtol=1e-3)


def test_renormalization_is_clipped_and_constant_for_gradients():
    clipping = {"rmin": 0.5, "rmax": 2.0, "dmax": 1.0}
    r, d = renormalization(
        np.array([0.0, 1.0, 9.0]),
        np.array([0.1, 3.0, 1.0]),
        np.zeros(3),
        np.ones(3),
        clipping,
    )
    assert (r.tolist(), d.tolist()) == ([0.5, 2.0, 1.0], [0.0, 1.0, 1.0])
    slope = jax.grad(lambda m: sum(renormalization(m, m, 0.0, 1.0, {})))(2.0)
    assert slope == 0


@pytest.mark.parametrize(
    "clipping, message",
    [
        ({"rmaximum": 1.0}, "invalid keys"),
        ({"rmax": 0.5, "rmin": 1.0}, "rmax should be"),
        ({"dmax": -1.0}, "dmax should be non-negative"),
    ],
    ids=str,
)
def test_bad_clipping_is_refused(clipping, message):
    with pytest.raises(ValueError, match=message):
        layers.BatchNormalization(renorm=True, renorm_clipping=clipping)
