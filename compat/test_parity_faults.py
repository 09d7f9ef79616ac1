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


def test_the_message_and_the_states(capsys):
    random.seed(5)
    np.random.seed(6)
    states = random.getstate(), np.random.get_state()[1].tolist()
    with pytest.raises(AssertionError, match="layer 'scale' in predict.* step 0"):
        assert_trajectory_parity(prediction)
    assert states == (random.getstate(), np.random.get_state()[1].tolist())
    fit = vars(next(c for c in keras.Model.__mro__ if "fit" in vars(c)))["fit"]
    assert "recorder" not in fit.__code__.co_filename  # the package has its own back
