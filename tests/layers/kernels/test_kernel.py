"""Layers with a kernel: subclasses that override it, or build it; LoRA on and off."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 6)).astype("float32")
IMAGES = RNG.normal(size=(2, 5, 5, 3)).astype("float32")
STEPS = RNG.normal(size=(2, 7, 3)).astype("float32")
INDICES = np.array([[1, 4], [0, 2]])
# (class, arguments, inputs, name of the kernel)
ROWS = [
    (layers.Dense, {"units": 3}, X, "kernel"),
    (layers.EinsumDense, {"equation": "ab,bc->ac", "output_shape": 3}, X, "kernel"),
    (layers.Conv2D, {"filters": 2, "kernel_size": 3}, IMAGES, "kernel"),
    (
        layers.Conv1D,
        {"filters": 2, "kernel_size": 2, "padding": "causal"},
        STEPS,
        "kernel",
    ),
    (layers.Embedding, {"input_dim": 5, "output_dim": 3}, INDICES, "embeddings"),
    (
        layers.ReversibleEmbedding,
        {"input_dim": 5, "output_dim": 3},
        INDICES,
        "embeddings",
    ),
]
rows = pytest.mark.parametrize(
    "cls, arguments, x, name", ROWS, ids=[row[0].__name__ for row in ROWS]
)


def seeded(cls, arguments):
    keras.utils.set_random_seed(0)
    return cls(**arguments)


@rows
def test_a_subclass_may_override_the_kernel(cls, arguments, x, name):
    """Weight normalization, pruning and rounding are written this way."""

    class Doubled(cls):
        pass

    base = getattr(cls, name)
    setattr(Doubled, name, property(lambda self: base.fget(self) * 2))
    plain, doubled = seeded(cls, arguments), seeded(Doubled, arguments)
    np.testing.assert_allclose(doubled(x), 2 * np.asarray(plain(x)), rtol=1e-6)
    if cls is layers.ReversibleEmbedding:
        states = RNG.normal(size=(2, 3)).astype("float32")
        expected = 2 * np.asarray(plain(states, reverse=True))
        np.testing.assert_allclose(doubled(states, reverse=True), expected, rtol=1e-6)


def test_a_subclass_may_build_its_own_kernel():
    class Ones(layers.Dense):
        kernel = None

        def build(self, input_shape):
            shape = (input_shape[-1], self.units)
            self.kernel = self.add_weight(shape, "ones", name="kernel")
            self.bias = self.add_weight((self.units,), "zeros", name="bias")

    np.testing.assert_allclose(Ones(3)(X)[:, 0], X.sum(axis=1), rtol=1e-5)


def test_a_kernel_that_no_build_made_is_named():
    class Forgetful(layers.Dense):
        def build(self, input_shape):
            self.bias = None

    with pytest.raises(AttributeError, match="has no kernel yet"):
        Forgetful(3)(X)


@rows
def test_lora_can_be_switched_off_and_on(cls, arguments, x, name):
    layer = seeded(cls, arguments)
    before = np.asarray(layer(x))
    layer.enable_lora(2)
    np.testing.assert_allclose(layer(x), before, rtol=1e-6)
    b = getattr(layer, f"lora_{name}_b")
    b.assign(np.ones(b.shape))
    adapted = np.asarray(layer(x))
    assert not np.allclose(adapted, before)
    merged = np.asarray(getattr(layer, name))
    layer.lora_enabled = False
    np.testing.assert_allclose(layer(x), before, rtol=1e-6)
    getattr(layer, name).assign(merged)  # the idiom that merges the update
    np.testing.assert_allclose(layer(x), adapted, rtol=1e-5, atol=1e-6)


def test_configs_have_their_keys_in_keras_order():
    assert list(layers.Conv2D(2, 3).get_config())[:2] == [
        "activity_regularizer",
        "name",
    ]


@rows
def test_lora_made_by_hand(cls, arguments, x, name):
    class ByHand(cls):
        def enable_lora(self, rank):
            shape = getattr(self, name).shape
            for suffix, part in (("a", (*shape[:-1], rank)), ("b", (rank, shape[-1]))):
                weight = self.add_weight(shape=part, initializer="ones", name=suffix)
                setattr(self, f"lora_{name}_{suffix}", weight)
            self.lora_rank = self.lora_alpha = rank
            self.lora_enabled = True

    layer = seeded(ByHand, arguments)
    before = np.asarray(layer(x)), np.asarray(getattr(layer, name))
    layer._tracker.unlock()
    layer.enable_lora(2)
    assert not np.allclose(layer(x), before[0])
    np.testing.assert_allclose(getattr(layer, name), before[1] + 2, rtol=1e-6)


def test_lora_needs_a_kernel():
    layer = layers.Dense(3)
    layer.lora_enabled = False
    with pytest.raises(ValueError, match="has no kernel to adapt yet.*build"):
        layer.lora_enabled = True


@rows
def test_a_file_holds_no_matrices_of_lora(cls, arguments, x, name):
    layer, plain, store = seeded(cls, arguments), seeded(cls, arguments), {}
    layer(x), plain(x)
    layer.enable_lora(2)
    getattr(layer, f"lora_{name}_b").assign_add(1.0)
    for enabled in (True, False):
        layer.lora_enabled = enabled
        layer.save_own_variables(store)
        plain.load_own_variables(store)
        np.testing.assert_allclose(plain(x), layer(x), rtol=1e-5, atol=1e-6)
        assert len(store) == len(plain.weights)
    with pytest.raises(ValueError, match="variables from the file"):
        layer.load_own_variables({**store, "9": np.ones(3)})


def test_ranks_of_lora():
    layer = layers.Dense(3, lora_rank=0)  # as in Keras, that is none
    layer(X)
    assert len(layer.weights) == 2 and "lora_rank" not in layer.get_config()
    with pytest.raises(ValueError, match="`rank` must be a positive integer, got 0"):
        layer.enable_lora(0)
    layer.lora_enabled = True
    with pytest.raises(AttributeError, match=r"no lora_kernel_a .* `enable_lora"):
        layer(X)
