import contextlib
import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras

X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")


def trained(scope):
    keras.utils.set_random_seed(3)
    with scope:
        model = keras.Sequential(
            [
                keras.layers.Dense(8, "tanh", activity_regularizer="l2"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(1, name="head"),
            ]
        )
    model.compile("adam", "mse")
    model.fit(X, X.sum(1, keepdims=True), epochs=2, batch_size=16, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize(
    "scope",
    [
        keras.RematScope(),
        keras.RematScope("activations"),
        keras.RematScope("larger_than", output_size_threshold=4),
        keras.RematScope("list_of_layers", layer_names=["head"]),
    ],
    ids=lambda scope: scope.mode,
)
def test_training_is_the_same(scope):
    for a, b in zip(trained(scope), trained(contextlib.nullcontext()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def program(scope):
    with scope:
        model = keras.Sequential([keras.layers.Dense(6, "tanh")])
    model.build((2, 5))
    values = [v.value for v in model.variables]

    def loss(values, x):
        return jnp.sum(model.stateless_call(values, [], x)[0])

    return str(jax.make_jaxpr(jax.grad(loss))(values, X[:2]))


def test_the_scope_decides_what_is_computed_again():
    assert "remat2" in program(keras.RematScope())
    assert "remat2" not in program(keras.RematScope(None))
    assert "remat2" not in program(keras.RematScope("larger_than"))
    assert program(keras.RematScope()).count("dot_general[") > program(
        keras.RematScope("activations")
    ).count("dot_general[")


def test_masks_pass_and_inner_scopes_win():
    with keras.RematScope():
        model = keras.Sequential(
            [
                keras.layers.Embedding(4, 3, mask_zero=True),
                keras.layers.Dense(2),
                keras.layers.GlobalAveragePooling1D(),
            ]
        )
        with keras.RematScope(None):
            plain = keras.layers.Dense(2)
    one, padded = model(np.array([[1, 2]])), model(np.array([[1, 2, 0, 0]]))
    np.testing.assert_allclose(one, padded, rtol=1e-6)
    assert "remat" not in str(jax.make_jaxpr(plain)(X))


def test_layers_outlive_their_scope():
    scope = keras.RematScope()
    with scope, scope:
        layer = keras.layers.Dense(2)
    layer.build((None, 3))
    x = np.ones((1, 3), "float32")
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(again(x), layer(x))
    assert keras.layers.Dense(2)._mk_remat is None


def test_remat_of_a_function():
    def f(x, scale=1.0):
        return jnp.sum(jnp.sin(jnp.sin(x)) * scale)

    again = keras.remat(f)
    np.testing.assert_allclose(again(X, scale=2.0), f(X, 2.0))
    assert "remat2" in str(jax.make_jaxpr(jax.grad(again))(jnp.asarray(X)))
    with pytest.raises(ValueError, match="mode"):
        keras.RematScope("some")
