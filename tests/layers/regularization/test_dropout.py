import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.regularization.dropout import alpha_dropout, resolve_noise_shape

X = np.random.default_rng(0).normal(size=(40, 6, 5)).astype("float32")


def test_dropped_entries_are_zero_and_the_rest_is_scaled():
    y = np.asarray(layers.Dropout(0.25, seed=1)(X, training=True))
    kept = y != 0
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_allclose(y[kept], X[kept] / 0.75, rtol=1e-6)


def test_nothing_happens_without_training():
    layer = layers.Dropout(0.5, seed=1)
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=False), X)


def test_each_call_draws_anew_and_a_seed_repeats():
    layer = layers.Dropout(0.5, seed=1)
    first, second = layer(X, training=True), layer(X, training=True)
    assert not np.array_equal(first, second)
    again = layers.Dropout(0.5, seed=1)(X, training=True)
    np.testing.assert_array_equal(again, first)


def test_rate_zero_has_no_generator_and_rate_one_leaves_nothing():
    assert layers.Dropout(0).variables == []
    assert not np.any(layers.Dropout(1.0)(X, training=True))


def test_noise_shape_ties_entries_together():
    y = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1, None))(X, training=True))
    kept = y != 0
    np.testing.assert_array_equal(kept, np.broadcast_to(kept[:, :1], kept.shape))
    assert resolve_noise_shape((None, 1, 3), (2, 5, 4)) == (2, 1, 3)


@pytest.mark.parametrize("rate", [-0.1, 1.5])
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "GaussianDropout"])
def test_rates_outside_0_to_1_are_refused(name, rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        getattr(layers, name)(rate)


@pytest.mark.parametrize(
    "noise_shape, message",
    [("1", "tuple or list"), ((1.5, 1), "integers or None"), ((0, 1), "positive")],
)
def test_bad_noise_shapes_are_refused(noise_shape, message):
    with pytest.raises(ValueError, match=message):
        layers.Dropout(0.5, noise_shape=noise_shape)


def test_spatial_dropout_drops_whole_channels():
    x = np.ones((8, 3, 4, 6), "float32")
    last = np.asarray(layers.SpatialDropout2D(0.5, seed=2)(x, training=True))
    assert set(np.unique(last)) == {0.0, 2.0}
    np.testing.assert_array_equal(last, np.broadcast_to(last[:, :1, :1], x.shape))
    layer = layers.SpatialDropout2D(0.5, "channels_first", seed=2)
    first = np.asarray(layer(x, training=True))
    np.testing.assert_array_equal(first, np.broadcast_to(first[..., :1, :1], x.shape))


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(1).normal(size=(400, 500)).astype("float32")
    y = np.asarray(layers.AlphaDropout(0.3, seed=1)(x, training=True))
    np.testing.assert_allclose([y.mean(), y.var()], [0, 1], atol=0.02)


def test_alpha_dropout_of_one_entry():
    low = -1.6732632423543772 * 1.0507009873554805
    a = (0.7 * (1 + 0.3 * low**2)) ** -0.5
    y = alpha_dropout(jnp.array([2.0, 2.0]), jnp.array([True, False]), 0.3)
    expected = [a * 2.0 - a * low * 0.3, a * low - a * low * 0.3]
    np.testing.assert_allclose(y, expected, rtol=1e-6)
