import jax
import numpy as np
import pytest

from minikeras import layers, saving
from minikeras.layers.core.dense import dense

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(2, 5, 3)).astype("float32")
KERNEL = _RNG.normal(size=(3, 4)).astype("float32")
BIAS = _RNG.normal(size=(4,)).astype("float32")


def test_dense_is_a_product_over_the_last_axis():
    expected = np.einsum("bti,io->bto", X, KERNEL)
    np.testing.assert_allclose(jax.jit(dense)(X, KERNEL), expected, rtol=1e-5)


def test_layer_adds_bias_before_its_activation():
    layer = layers.Dense(4, activation="relu")
    layer.build((None, 3))
    layer.set_weights([KERNEL, BIAS])
    np.testing.assert_allclose(
        layer(X), np.maximum(X @ KERNEL + BIAS, 0), rtol=1e-5, atol=1e-6
    )


def test_without_bias_there_is_one_weight():
    layer = layers.Dense(4, use_bias=False)
    layer.build((None, 3))
    assert layer.bias is None
    assert [w.name for w in layer.weights] == ["kernel"]


@pytest.mark.parametrize("units", [0, -1, 2.0, None, "3", True])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(ValueError, match="units.*positive integer"):
        layers.Dense(units)


def test_another_number_of_features_is_refused():
    layer = layers.Dense(4)
    layer(X)
    with pytest.raises(ValueError, match="axis -1"):
        layer(X[..., :2])
    with pytest.raises(ValueError, match="min_ndim=2"):
        layers.Dense(4)(X[0, 0])


def test_regularizers_and_constraints_reach_the_weights():
    layer = layers.Dense(4, kernel_regularizer="l2", bias_constraint="non_neg")
    layer.build((None, 3))
    layer.set_weights([KERNEL, BIAS])
    np.testing.assert_allclose(layer.losses, [0.01 * np.sum(KERNEL**2)], rtol=1e-5)
    assert layer.bias.constraint is layer.bias_constraint


def test_lora_trains_two_small_matrices_only():
    layer = layers.Dense(4)
    layer(X)
    before = layer(X)
    layer.enable_lora(2, lora_alpha=3.0)
    np.testing.assert_array_equal(layer(X), before)  # B starts at zero
    names = [w.name for w in layer.trainable_weights]
    assert sorted(names) == ["bias", "lora_kernel_a", "lora_kernel_b"]
    a = _RNG.normal(size=(3, 2)).astype("float32")
    b = _RNG.normal(size=(2, 4)).astype("float32")
    layer.lora_kernel_a.assign(a)
    layer.lora_kernel_b.assign(b)
    kernel, bias = (w.numpy() for w in layer.weights[:2])
    expected = X @ (kernel + 1.5 * a @ b) + bias
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)
    store = {}
    layer.save_own_variables(store)
    plain = layers.Dense(4)
    plain.build((None, 3))
    plain.load_own_variables(store)
    np.testing.assert_allclose(plain(X), expected, rtol=1e-4, atol=1e-5)


def test_lora_needs_a_built_unconstrained_layer_once():
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(4).enable_lora(2)
    constrained = layers.Dense(4, kernel_constraint="max_norm")
    constrained.build((None, 3))
    with pytest.raises(ValueError, match="incompatible with kernel constraints"):
        constrained.enable_lora(2)
    layer = layers.Dense(4, lora_rank=2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="already enabled"):
        layer.enable_lora(2)


def test_activation_function_of_the_user_is_in_the_config_by_name():
    def half(x):
        return x / 2

    config = layers.serialize(layers.Dense(4, activation=half))
    with pytest.raises(TypeError, match="Unknown function 'half'"):
        layers.deserialize(config)
    with saving.custom_object_scope({"half": half}):
        assert layers.deserialize(config).activation is half


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Dense(2), "kernel"),
        (layers.Conv2D(2, 3), "kernel"),
        (layers.EinsumDense("ab,bc->ac", 3), "kernel"),
        (layers.Embedding(3, 2), "embeddings"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_weights_before_they_are_made(layer, name):
    with pytest.raises(AttributeError, match=f"has no {name} yet: it is not built"):
        getattr(layer, name)
    assert not hasattr(layer, name)
