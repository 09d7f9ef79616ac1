"""Faults planted in one side: parity names the layer, metric, optimizer or draw, and
the step."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import random

import keras
import numpy as np
import pytest

import minikeras
from minikeras.parity import Difference, assert_trajectory_parity
from minikeras.parity.trajectory import _compared

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 12)).astype("float32")
Y = (X[:, :3] > 0).argmax(1)
TARGETS = X[:, :3]
TEXT = RNG.integers(0, 9, (48, 7))
FIT = {"batch_size": 16, "epochs": 2, "verbose": 0}


def is_ours(package):
    """Faults are planted here alone."""
    return package is minikeras


def network(package, *middle, optimizer="adam"):
    """A classifier with other layers in the middle."""
    layers = package.layers
    model = package.Sequential(
        [package.Input((12,)), layers.Dense(16, "relu"), *middle, layers.Dense(3)]
    )
    loss = package.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def regression(package, *stack, optimizer="sgd", **compiled):
    model = package.Sequential([package.Input((12,)), *stack, package.layers.Dense(3)])
    model.compile(optimizer, "mse", **compiled)
    return model


def epsilon(package):
    epsilon = 2e-3 if is_ours(package) else 1e-3
    norm = package.layers.BatchNormalization(epsilon=epsilon)
    network(package, norm).fit(X, Y, **FIT)


def transposed_kernel(package):
    model = network(package, package.layers.Dense(16, name="square"))
    if is_ours(package):
        kernel = model.get_layer("square").kernel
        kernel.assign(np.asarray(kernel.value).T)
    model.fit(X, Y, **FIT)


def other_seed(package):
    if is_ours(package):
        package.utils.set_random_seed(7)
    network(package).fit(X, Y, **FIT)


def other_seed_of_a_layer(package):
    drop = package.layers.Dropout(0.2, seed=3 if is_ours(package) else 4)
    network(package, drop).fit(X, Y, **FIT)


def swapped_draws(package):
    inputs, names = package.Input((12,)), ["a", "b"]
    outputs = {}
    for name in reversed(names) if is_ours(package) else names:
        outputs[name] = package.layers.Dense(16, name=name)(inputs)
    joined = package.layers.Concatenate()([outputs[name] for name in names])
    model = package.Model(inputs, package.layers.Dense(3)(joined))
    model.compile("sgd", "mse")
    model.fit(X, TARGETS, **FIT)


def one_draw_more(package):
    model = network(package)
    if is_ours(package):
        random.random()
    model.fit(X, Y, **FIT)


def metric_without_weights(package):
    class Error(package.metrics.MeanAbsoluteError):
        def update_state(self, y_true, y_pred, sample_weight=None):
            weights = None if is_ours(package) else sample_weight
            super().update_state(y_true, y_pred, weights)

    model = regression(package, weighted_metrics=[Error(name="error")])
    model.fit(X, TARGETS, sample_weight=np.linspace(0, 1, 48), **FIT)


def momentum(package):
    rate = 0.89 if is_ours(package) else 0.9
    optimizer = package.optimizers.SGD(0.1, momentum=rate)
    network(package, optimizer=optimizer).fit(X, Y, **FIT)


def learning_rate(package):
    optimizer = package.optimizers.Adam(1.001e-3 if is_ours(package) else 1e-3)
    network(package, optimizer=optimizer).fit(X, Y, **FIT)


def dropped_mask(package):
    class Double(package.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = not is_ours(package)

        def call(self, x):
            return x * 2.0

    layers = package.layers
    model = package.Sequential(
        [
            package.Input((7,)),
            layers.Embedding(9, 4, mask_zero=True),
            Double(name="double"),
            layers.SimpleRNN(5, name="rnn"),
            layers.Dense(3),
        ]
    )
    model.compile("adam", "mse")
    model.fit(TEXT, TARGETS, **FIT)


def between_layers(package):
    class Net(package.Model):
        def __init__(self):
            super().__init__(name="net")
            self.first = package.layers.Dense(8, "tanh", name="first")
            self.second = package.layers.Dense(3, name="second")

        def call(self, x, training=False):
            scale = 1.01 if is_ours(package) and training else 1.0
            return self.second(self.first(x) * scale)

    model = Net()
    model.compile("rmsprop", "mse")
    model.fit(X, TARGETS, **FIT)


def gradient_of_a_layer(package):
    import jax

    @jax.custom_vjp
    def tanh(x):
        return package.ops.tanh(x)

    def backward(y, gradient):
        return (gradient * (1 - y**2) * (1.01 if is_ours(package) else 1),)

    tanh.defvjp(lambda x: (package.ops.tanh(x),) * 2, backward)
    layers = package.layers
    stack = [layers.Dense(8), layers.Lambda(tanh, name="bent")]
    regression(package, *stack).fit(X, TARGETS, **FIT)


def penalty(package):
    strength = 0.01 if is_ours(package) else 0.02
    regularizer = package.regularizers.L2(strength)
    layer = package.layers.Dense(8, kernel_regularizer=regularizer)
    regression(package, layer).fit(X, TARGETS, **FIT)


def order_of_samples(package):
    step = -1 if is_ours(package) else 1
    arguments = {**FIT, "shuffle": False}
    regression(package).fit(X[::step], TARGETS[::step], **arguments)


def prediction(package):
    class Scale(package.layers.Layer):
        def call(self, x):
            return x * (1.001 if is_ours(package) else 1.0)

    regression(package, Scale(name="scale")).predict(X, verbose=0)


def momentum_used_later(package):
    """Lion moves by the momentum of the step before."""
    beta = 0.9 if is_ours(package) else 0.99
    network(package, optimizer=package.optimizers.Lion(1e-2, beta_2=beta)).fit(
        X, Y, **FIT
    )


def average_of_weights(package):
    momentum = 0.8 if is_ours(package) else 0.9
    optimizer = package.optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum)
    network(package, optimizer=optimizer).fit(X, Y, **FIT)


def rows_without_gradient(package):
    """Rows of an embedding that are not in the data."""

    class Corrupt(package.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if is_ours(package):
                table = self.model.layers[0].embeddings
                value = np.array(table.value)
                value[50:] += 0.1
                table.assign(value)

    layers = package.layers
    stack = [package.Input((7,)), layers.Embedding(60, 4), layers.Flatten()]
    model = package.Sequential([*stack, layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(TEXT, TARGETS, callbacks=[Corrupt()], **FIT)


def large_indices(package):
    """Indices are no factors of a gradient."""

    class Once(package.optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            scale = 1.5 if is_ours(package) else 1.0
            super().apply([g * scale for g in grads], trainable_variables)

    layers = package.layers
    stack = [package.Input((7,)), layers.Embedding(10_000, 4), layers.Flatten()]
    model = package.Sequential([*stack, layers.Dense(3)])
    model.compile(Once(1.0), "mse")
    model.fit(TEXT * 900, TARGETS, **FIT)


def large_seed(package):
    drop = package.layers.Dropout(0.5, seed=10**9 + is_ours(package))
    network(package, drop).fit(X, Y, **FIT)


def small_outputs(package):
    scale = 2e-7 if is_ours(package) else 1e-7
    stack = [package.Input((12,)), package.layers.Rescaling(scale, name="scale")]
    package.Sequential(stack).predict(X, verbose=0)


def activation_of_gates(package):
    gates = "hard_sigmoid" if is_ours(package) else "sigmoid"
    layers = package.layers
    lstm = layers.LSTM(4, recurrent_activation=gates, name="lstm")
    regression(package, layers.Reshape((4, 3)), lstm).fit(X, TARGETS, **FIT)


# function: (what parts, its name, words of the explanation, the step)
FAULTS = {
    epsilon: ("layer", "batch_normalization", "epsilon=0.001 there, 0.002 here", 0),
    transposed_kernel: ("weight", "sequential/square/kernel", "transposed", None),
    other_seed: ("draw", "random", "seeded anew here", None),
    other_seed_of_a_layer: ("draw", "dropout/seed_generator_state", "4 there", None),
    swapped_draws: ("weight", "a/kernel", "those of 'b/kernel", None),
    one_draw_more: ("draw", "random", "words drawn", None),
    metric_without_weights: ("metric", "error", "the value does not", 0),
    momentum: ("optimizer", "SGD", "momentum=0.9 there, 0.89 here", 1),
    learning_rate: ("optimizer", "adam", "learning_rate", None),
    dropped_mask: ("mask", "rnn", "the mask here ends at 'double'", 0),
    between_layers: ("layer", "second", "computed between layers", 0),
    gradient_of_a_layer: ("gradient", "bent", "backward through Lambda", 0),
    penalty: ("loss", "penalty 0", "regularizer", 0),
    order_of_samples: ("data", "x", "the batch differs", 0),
    prediction: ("layer", "scale", "its inputs do not", 0),
    momentum_used_later: ("optimizer", "lion", "momentum", 0),
    average_of_weights: ("optimizer", "SGD", "average", 1),
    rows_without_gradient: ("optimizer", "adam", "equal gradients", 0),
    large_indices: ("gradient", "sequential/embedding/embeddings", "differs", 0),
    large_seed: ("draw", "dropout/seed_generator_state", "initial", None),
    small_outputs: ("layer", "scale", "scale=1e-07 there, 2e-07 here", 0),
    activation_of_gates: ("layer", "lstm", "hard_sigmoid", 0),
}
QUICK = (epsilon, transposed_kernel, other_seed, swapped_draws, momentum, dropped_mask)
QUICK += (metric_without_weights,)


def difference(run) -> Difference:
    verdict = _compared(run, keras, 0, 1e-5)
    assert verdict.kind == "different", verdict
    return verdict.difference


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(f, id=f.__name__, marks=[pytest.mark.slow] * (f not in QUICK))
        for f in FAULTS
    ],
)
def test_a_planted_fault_is_named(run):
    what, name, words, step = FAULTS[run]
    found = difference(run)
    assert (found.what, found.name.lower()) == (what, name.lower()), found
    assert words in found.text and found.step == step, found


def noisy(package):
    """A bias before batch normalization has no gradient but rounding, and Adam walks
    along that."""
    model = network(package, package.layers.BatchNormalization())
    if is_ours(package):  # in real runs another order of a sum does it
        first, rng = model.layers[0], np.random.default_rng(3)
        first.bias.assign(3e-8 * rng.normal(size=16).astype("float32"))
    model.fit(X, Y, **{**FIT, "epochs": 6}, validation_split=0.25)
    model.predict(X, verbose=0)


def test_what_is_only_rounding_is_called_so():
    verdict = assert_trajectory_parity(noisy)
    assert verdict.kind in ("same", "rounding")
    if verdict.kind == "rounding":
        assert verdict.steps >= 18
        paths = {path.rpartition("/")[2] for path in verdict.ill_conditioned}
        assert paths <= {"bias"}, verdict


def nadam(package):
    network(package, optimizer="nadam").fit(X, Y, **FIT)


def averaged_adam(package):
    optimizer = package.optimizers.Adam(use_ema=True, ema_overwrite_frequency=2)
    model = network(package, optimizer=optimizer)
    model.fit(X, Y, **FIT)
    model.predict(X, verbose=0)


def many_models(package):
    for _ in range(30):
        regression(package).train_on_batch(X, TARGETS)


def forward_derivatives(package):
    """A step that differentiates forward, then backward, as of an equation."""
    import jax

    class Net(package.Model):
        def __init__(self):
            super().__init__()
            self.inner = package.layers.Dense(5, "tanh")
            self.outer = package.layers.Dense(1)

        def call(self, x):
            def value(x):
                return self.outer(self.inner(x))

            self.outer(self.inner(x))
            return jax.jvp(value, (x,), (package.ops.ones_like(x),))[1]

    model = Net()
    model.compile("sgd", "mse")
    model.fit(X, TARGETS[:, :1], **FIT)


def half_precision(package):
    """Two programs round the sums of half precision in other places."""
    layers = package.layers
    stack = [layers.Dense(32, "gelu", dtype="mixed_bfloat16") for _ in range(3)]
    norm = layers.LayerNormalization(dtype="mixed_float16")
    model = regression(package, *stack, norm, layers.Dense(8, dtype="mixed_float16"))
    model.fit(X, TARGETS, **FIT)


NO_FAULTS = (half_precision, nadam, averaged_adam, many_models, forward_derivatives)


@pytest.mark.slow
@pytest.mark.parametrize("run", NO_FAULTS, ids=lambda run: run.__name__)
def test_no_fault_is_seen_where_there_is_none(run):
    verdict = assert_trajectory_parity(run, every_step=True)
    assert verdict.same and verdict.calls and verdict.steps


def test_nothing_compared_is_no_proof():
    with pytest.raises(AssertionError, match="Nothing was compared"):
        assert_trajectory_parity(lambda package: package.layers.Dense(2)(X))


def test_the_message_and_the_states(capsys):
    random.seed(5)
    np.random.seed(6)
    states = random.getstate(), np.random.get_state()[1].tolist()
    with pytest.raises(AssertionError, match="layer 'scale' in predict.* step 0"):
        assert_trajectory_parity(prediction)
    assert states == (random.getstate(), np.random.get_state()[1].tolist())
    fit = vars(next(c for c in keras.Model.__mro__ if "fit" in vars(c)))["fit"]
    assert "recorder" not in fit.__code__.co_filename  # the package has its own back
