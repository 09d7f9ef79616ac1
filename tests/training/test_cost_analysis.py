"""FLOPs against XLA's own count, memory against what XLA allocates."""

import functools

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.training.cost_analysis import cost_analysis, peak_bytes
from minikeras.training.flops import flops_of
from minikeras.training.program import program_of
from minikeras.training.state import variables_of


def stack(shape, *parts, dtype=None):
    return lambda: keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def transformer():
    x = keras.Input((8, 16))
    h = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    h = h + layers.Dropout(0.1)(layers.Dense(16)(layers.Dense(64, "gelu")(h)))
    return keras.Model(x, layers.Dense(3)(layers.GlobalAveragePooling1D()(h)))


def unet():
    x = keras.Input((8, 8, 1))
    a = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = layers.Conv2D(8, 3, padding="same")(layers.MaxPooling2D()(a))
    up = layers.Concatenate()([layers.Conv2DTranspose(4, 2, strides=2)(b), a])
    return keras.Model(x, layers.Conv2D(1, 1, activation="sigmoid")(up))


def autoencoder():
    encoder = stack((32,), layers.Dense(8, "relu"), layers.Dense(4))()
    decoder = stack((4,), layers.Dense(8, "relu"), layers.Dense(32, "sigmoid"))()
    x = keras.Input((32,))
    return keras.Model(x, decoder(encoder(x)))


def residual():
    x = keras.Input((8, 8, 4))
    h = layers.ReLU()(
        layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    )
    h = layers.DepthwiseConv2D(3, padding="same", strides=2)(layers.Add()([x, h]))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(h)))


MODELS = {
    "mlp": stack((20,), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(4)),
    "convnet": stack(
        (12, 12, 1), layers.Conv2D(4, 3), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(3, "softmax"),
    ),
    "depthwise": stack(
        (8, 8, 3), layers.SeparableConv2D(8, 3, padding="same"),
        layers.BatchNormalization(), layers.GlobalAveragePooling2D(),
    ),
    # Loops are unrolled: XLA counts the body of a loop once.
    "lstm": stack((5, 4), layers.LSTM(6, unroll=True), layers.Dense(1)),
    "gru": stack((5, 4), layers.GRU(6, unroll=True), layers.Dense(1)),
    "embedding": stack(
        (6,), layers.Embedding(20, 8), layers.GlobalAveragePooling1D(),
        layers.Dense(8, "relu"), dtype="int32",
    ),
    "transformer": transformer, "unet": unet, "autoencoder": autoencoder,
    "residual": residual,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_flops_are_those_of_xla(name):
    cost = cost_analysis(MODELS[name](), batch_size=4)
    passes = cost._passes
    for count, run in (
        (cost.flops, passes.inference),
        (cost.training_flops, passes.gradients),
    ):
        lowered = jax.jit(run).lower(passes.state, passes.arguments)
        # Adding up by layer may not lose any: 1 % is for what XLA folds on the way.
        assert count == pytest.approx(lowered.cost_analysis()["flops"], rel=0.01)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU])
def test_loops_count_as_often_as_they_run(kind):
    costs = [
        cost_analysis(stack((5, 4), kind(6, unroll=unroll))(), 4).flops
        for unroll in (False, True)
    ]
    assert costs[0] == pytest.approx(costs[1], rel=0.02)


def test_flops_of_dense_and_convolution_by_hand():
    model = stack((6, 6, 2), layers.Conv2D(3, 3, use_bias=False, name="c"))()
    found = cost_analysis(model, 5).layers["c",]
    assert found.flops == 5 * 2 * 4 * 4 * 3 * (3 * 3 * 2)
    same = stack((6, 6, 2), layers.Conv2D(3, 3, padding="same", use_bias=False))()
    # Entries that meet padding do not count: 4 x 6 - 2 = 16 of 18 in each direction.
    assert cost_analysis(same, 5).flops == 5 * 2 * 16 * 16 * 3 * 2
    dense = cost_analysis(stack((7,), layers.Dense(3, name="d"))(), 2).layers["d",]
    assert dense.flops == 2 * (2 * 7 * 3 + 3) and dense.output_bytes == 2 * 3 * 4
    assert dense.training_flops >= 2 * dense.flops - 2 * 3


def test_open_loops_are_told():
    def run(x):
        return jax.lax.while_loop(lambda x: x.sum() < 9, lambda x: x + 1, x)

    found = flops_of(jax.make_jaxpr(run)(np.ones(4, "float32")))
    assert found.has_open_loop and found.forward[()] > 4


def test_layers_of_all_kinds_of_models_are_found():
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(4, name="dense")

        def call(self, x):
            return self.dense(x)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.block, self.shared = Block(name="block"), layers.Dense(4, name="both")

        def call(self, inputs):
            return self.shared(self.block(inputs["a"])) + self.shared(inputs["b"])

    net = Net()
    shapes = {"a": (None, 4), "b": (None, 4)}
    found = cost_analysis(net, 8, inputs=shapes).layers
    once = found["block", "dense"].flops
    assert once == 8 * (2 * 4 * 4 + 4) == found["block",].flops
    assert found["both",].flops == 2 * once
    arrays = {key: np.ones((2, 4), "float32") for key in shapes}
    assert cost_analysis(net, 8, arrays).layers == found
    assert cost_analysis(net, 8).layers == found  # it knows its shapes by now


def test_half_precision_keeps_half_and_frozen_layers_have_no_gradients():
    def make(**settings):
        parts = [layers.Dense(16, "relu", name="a", **settings), layers.Dense(2)]
        return keras.Sequential([keras.Input((8,)), *parts])

    frozen = make()
    frozen.layers[0].trainable = False
    half, first, plain = (
        cost_analysis(model, 4).layers["a",]
        for model in (make(dtype="mixed_bfloat16"), frozen, make())
    )
    assert 0 < half.output_bytes < plain.output_bytes == 4 * 16 * 4
    assert first.training_flops == first.flops < plain.training_flops


@pytest.mark.parametrize("name", ["mlp", "convnet", "autoencoder"])
def test_memory_is_that_of_the_real_step(name):
    model = MODELS[name]()
    model.compile("adam", "mse")
    estimate = cost_analysis(model, 64).training_memory
    assert not model.optimizer.built
    rows = lambda x: np.ones((64, *x.shape[1:]), x.dtype)  # noqa: E731
    batch = (*map(rows, model.inputs), *map(rows, model.outputs), None)
    model.train_on_batch(*batch[:2])
    variables = variables_of(model)
    state = tuple({k: v.value for k, v in table.items()} for table in variables)
    program = program_of(model, variables, "train_step")
    step = functools.partial(program._compiled_batch.lower, state)
    assert estimate.total == pytest.approx(peak_bytes(step(batch).compile()), rel=0.15)
    parts = estimate.weights + estimate.gradients + estimate.optimizer
    assert parts <= estimate.total and estimate.optimizer >= 2 * estimate.gradients
    weights = sum(v.numpy().nbytes for v in model.variables)
    assert estimate.weights == weights


def test_nothing_of_the_model_changes():
    model = MODELS["mlp"]()
    model.compile("adam", "mse")
    before = [v.numpy() for v in model.variables]
    cost = cost_analysis(model)
    assert cost.training_memory.total > cost.inference_memory.total > 0
    for v, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), old)
    assert not model.optimizer.built and len(model.optimizer.variables) == 2


def test_what_cannot_be_analysed_is_told():
    with pytest.raises(ValueError, match=r"\(None, None, 4\).*inputs="):
        cost_analysis(stack((None, 4), layers.LSTM(2))())
    sized = cost_analysis(stack((None, 4), layers.LSTM(2))(), 1, (None, 10, 4))
    assert sized.flops > 0

    class Net(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="does not know the shapes"):
        cost_analysis(Net())
    text = stack((1,), layers.TextVectorization(vocabulary=["a"]), dtype="string")()
    with pytest.raises(ValueError, match="host|text"):
        cost_analysis(text)
