import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras
from minikeras import layers
from tests.contracts.layer_table import jax_dense, jax_dense_init

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def counting(params, state, rng, inputs, training):
    noise = jax.random.normal(rng, (2,)) if training else 0.0
    return inputs @ params["w"] + noise, {"calls": state["calls"] + training}


def counting_init(rng, inputs, training):
    w = jax.random.normal(rng, (inputs.shape[-1], 2))
    return {"w": w}, {"calls": jnp.zeros((), "int32")}


def test_params_are_trained_and_state_is_replaced():
    minikeras.utils.set_random_seed(3)
    layer = layers.JaxLayer(counting, counting_init)
    model = minikeras.Sequential([layer])
    model.compile("sgd", "mse")
    before = model.predict(X, verbose=0)
    model.fit(X, X[:, :2], batch_size=4, epochs=2, verbose=0)
    assert int(layer.state["calls"].value) == 4
    assert np.abs(model.predict(X, verbose=0) - before).max() > 1e-3
    assert [v.trainable for v in layer.variables] == [True, False, False]


def test_the_same_seed_gives_the_same_keys():
    found = []
    for _ in range(2):
        minikeras.utils.set_random_seed(3)
        layer = layers.JaxLayer(counting, counting_init)
        found.append([layer(X), layer(X, training=True), layer(X, training=True)])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0][1] - found[0][2]).max() > 1e-3


def test_weights_are_in_the_order_of_the_tree():
    tree = {"b": jnp.ones(2), "a": [jnp.zeros(3), jnp.zeros(4)]}
    layer = layers.JaxLayer(lambda params, inputs: inputs, params=tree)
    assert [v.shape for v in layer.weights] == [(3,), (4,), (2,)]
    assert layer.params["b"] is layer.weights[2]


def test_structures_and_functions_without_weights():
    swap = layers.JaxLayer(lambda inputs: (inputs["b"], inputs["a"]))
    a, b = minikeras.Input((None, 3)), minikeras.Input((2,))
    model = minikeras.Model({"a": a, "b": b}, swap({"a": a, "b": b}))
    assert [y.shape for y in model.outputs] == [(None, 2), (None, None, 3)]
    assert swap.weights == []


@pytest.mark.parametrize(
    ("call_fn", "init_fn", "message"),
    [
        (lambda params, inputs: inputs, None, "give `init_fn`"),
        (lambda params, rng: rng, lambda inputs: {}, "`call_fn`.*`inputs`"),
        (lambda inputs, mode: inputs, None, "`call_fn`.*`mode`"),
        (lambda params, inputs: inputs, lambda rng: {}, "`init_fn`.*`inputs`"),
        (lambda inputs: inputs, lambda inputs, mode: {}, "`init_fn`.*`mode`"),
    ],
)
def test_other_arguments_are_refused(call_fn, init_fn, message):
    with pytest.raises(ValueError, match=message):
        layers.JaxLayer(call_fn, init_fn)


@pytest.mark.parametrize("state", [None, [0.0], {"n": {}}, {"n": [0.0, 1.0]}])
def test_another_structure_of_the_state_is_refused(state):
    layer = layers.JaxLayer(
        lambda params, state, inputs: (inputs, {"n": [jnp.ones(())]}),
        params={},
        state=state,
    )
    with pytest.raises(ValueError, match="structure"):
        layer(X)


def test_a_function_from_a_config_must_be_registered():
    config = layers.serialize(layers.JaxLayer(jax_dense, jax_dense_init))
    with pytest.raises((TypeError, ValueError), match="jax_dense"):
        layers.deserialize(config)
    custom = {"jax_dense": jax_dense, "jax_dense_init": jax_dense_init}
    assert layers.deserialize(config, custom).call_fn is jax_dense


class Scale:
    """What FlaxLayer needs of a Flax module."""

    def __call__(self, x, training=False):
        raise NotImplementedError

    def init(self, rngs, x, method, training):
        self.init_keys = rngs
        return {
            "params": {"s": jnp.full(x.shape[-1:], 2.0)},
            "stats": {"n": jnp.zeros(())},
        }

    def apply(self, variables, x, rngs, method, mutable, training):
        self.call_keys = rngs
        stats = {"stats": {"n": variables["stats"]["n"] + training}}
        return x * variables["params"]["s"], stats


def test_flax_collections_become_params_and_state(monkeypatch):
    stub = types.SimpleNamespace(DenyList=list)
    monkeypatch.setitem(__import__("sys").modules, "flax.core", stub)
    module = Scale()
    layer = layers.FlaxLayer(module, seed=5)
    np.testing.assert_array_equal(layer(X), 2 * X)
    assert set(module.init_keys) == {"params", "dropout"} and module.call_keys == {}
    layer(X, training=True)
    assert module.call_keys["dropout"].tolist() == [5, 0]
    assert float(layer.state["stats"]["n"].value) == 1
    assert [v.trainable for v in layer.weights] == [True, False]
    given = layers.FlaxLayer(module, variables=layer.params | layer.state)
    np.testing.assert_array_equal(given(X), 2 * X)


def test_flax_module_equals_itself():
    linen = pytest.importorskip("flax.linen")
    module = linen.Dense(2)
    layer = layers.FlaxLayer(module)
    y = layer(X)
    params = jax.tree_util.tree_map(lambda v: v.value, layer.params)
    np.testing.assert_array_equal(y, module.apply(params, X))


@pytest.mark.parametrize("name", ["TFSMLayer", "TorchModuleWrapper"])
def test_layers_of_other_frameworks_are_refused_by_every_door(name):
    cls = getattr(layers, name)
    config = {"module": "keras.layers", "class_name": name, "config": {"x": {}}}
    for make in (
        lambda: cls("path"),
        lambda: cls.from_config({"module": {"class_name": "__tensor__"}}),
        lambda: layers.deserialize(config),
    ):
        with pytest.raises((NotImplementedError, TypeError), match="JAX alone"):
            make()
