"""Planted faults: the layer, operation, pass, step and rows are named."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import TerminateOnNaN
from minikeras.training.gradient_tape import GradientTape
from minikeras.training.nan_search import direction_and_layer

layers = keras.layers


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture
def tracing():
    keras.config.enable_nan_tracing()
    yield
    keras.config.disable_nan_tracing()


def data(size=32, shape=(4,)):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 1, size=(size, *shape)).astype("float32")
    return x, rng.uniform(size=(size, 1)).astype("float32")


class Logarithm(layers.Layer):
    def call(self, x):
        return keras.ops.log(x)


def network(*hidden, shape=(4,), optimizer="sgd", loss="mse"):
    model = keras.Sequential(
        [keras.Input(shape), *hidden, layers.Dense(1, name="last", dtype="float32")]
    )
    model.compile(optimizer, loss)
    return model


def explanation(model, x, y, **settings):
    callback = TerminateOnNaN(explain=True)
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0, **settings}
    model.fit(x, y, callbacks=[callback], **settings)
    return callback.explanation


def test_a_logarithm_of_zero():
    x, y = data()
    x[21, 2] = 0
    found = explanation(network(Logarithm(name="entropy")), x, y)
    assert found.startswith("Epoch 1, batch 2 (counted from 0): an infinity began in")
    assert "forward pass of 'entropy', operation log, row 5 (" in found
    assert "test_nan_tracing.py:" in found and "log(x + epsilon)" in found


def test_an_overflow_in_float16():
    x, y = data()
    x[13] = 60_000
    big = layers.Dense(4, name="big", dtype="float16", kernel_initializer="ones")
    found = explanation(network(big), x, y)
    assert "Epoch 1, batch 1 " in found
    assert "forward pass of 'big', operation dot_general, row 5." in found
    assert "too large for their type" in found


def test_an_exploding_recurrent_network():
    x, y = data(8, (30, 3))
    start = keras.initializers.Constant(20.0)
    rnn = layers.SimpleRNN(
        4, activation="linear", recurrent_initializer=start, name="memory"
    )
    found = explanation(network(rnn, shape=(30, 3)), x, y)
    # 80 each time step: 80^20 is above 3.4e38.
    assert "forward pass of 'memory', operation dot_general, at time step 2" in found


def test_a_gradient_alone():
    class Root(layers.Layer):
        def call(self, x):
            return keras.ops.sqrt(x * 0.0)

    x, y = data()
    found = explanation(network(layers.Dense(3), Root(name="root")), x, y, epochs=2)
    assert "Epoch 1, batch 0 " in found and "backward pass of 'root'" in found


def test_a_learning_rate_that_is_too_high():
    x, y = data()
    found = explanation(
        network(layers.Dense(4), optimizer=keras.optimizers.SGD(1e6)), x, y, epochs=9
    )
    assert "too large for their type" in found


def test_bad_rows_in_the_data():
    x, y = data()
    y[30] = np.nan
    found = explanation(network(), x, y)
    assert "batch 3 (counted from 0): a NaN began in y of the batch, row 6." in found
    x[3, 1] = np.inf
    assert "an infinity began in x of the batch, row 3." in explanation(network(), x, y)


def test_steps_in_loops_are_searched_too(tracing):
    x, y = data(800)
    x[599] = 0
    model = network(Logarithm(name="entropy"))
    with pytest.raises(FloatingPointError, match="batch 74 .* 'entropy', .*row 7 "):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 74
    assert all(np.isfinite(w).all() for w in model.get_weights())
    model.fit(x[:592], y[:592], batch_size=8, verbose=0)


def test_the_weights_are_those_before_the_step(tracing):
    x, y = data()
    x[17] = np.nan
    model, other = network(layers.Dense(3)), network(layers.Dense(3))
    other.set_weights(model.get_weights())
    with pytest.raises(FloatingPointError, match="those before this step"):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    other.fit(x[:16], y[:16], batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_step_of_the_user():
    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with GradientTape() as tape:
                loss = keras.ops.mean((self(x, training=True) - y) ** 2)
            weights = self.trainable_variables
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, weights), weights, strict=True)
            )
            return {"loss": loss}

    x, y = data()
    x[9, 0] = 0
    model = Own([keras.Input((4,)), Logarithm(name="entropy"), layers.Dense(1)])
    model.compile("sgd", "mse")
    found = explanation(model, x, y)
    assert "batch 1 (counted from 0)" in found and "operation log" in found


def test_assigned_values_count():
    x, y = data()

    class Raise(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                self.model.layers[0].kernel.assign(np.full((4, 3), 3e38))

    model = network(layers.Dense(3, name="first"))
    callback = TerminateOnNaN(explain=True, raise_error=True)
    with pytest.raises(RuntimeError, match="batch 2 .*forward pass of 'first'"):
        model.fit(
            x, y, batch_size=8, shuffle=False, verbose=0, callbacks=[Raise(), callback]
        )


def test_a_finite_training_is_the_same(tracing):
    x, y = data()
    model, other = network(layers.Dense(3)), network(layers.Dense(3))
    other.set_weights(model.get_weights())
    traced = model.fit(x, y, epochs=3, shuffle=False, verbose=0)
    keras.config.disable_nan_tracing()
    plain = other.fit(x, y, epochs=3, shuffle=False, verbose=0)
    assert traced.history == plain.history


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("jvp(a/b)", ("forward", "a/b")),
        ("transpose(jvp(lstm))/jvp(lstm)", ("backward", "lstm")),
        ("jvp()", ("forward", "")),
        ("", ("update", "")),
    ],
)
def test_scopes_are_read(scope, found):
    assert direction_and_layer(scope) == found


class KullbackLeibler(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.sum(y_true * keras.ops.log(y_true / y_pred), -1)


@pytest.mark.parametrize(
    ("hidden", "loss", "place"),
    [
        (
            layers.BatchNormalization(epsilon=0.0, name="norm"),
            "mse",
            "an infinity began in the forward pass of 'norm', operation rsqrt",
        ),
        (
            layers.Dense(1, name="exact"),
            KullbackLeibler(name="kl"),
            "an infinity began in the forward pass of 'kl', operation log, all rows",
        ),
        (
            layers.Dense(2, kernel_constraint=lambda w: w / (0 * w), name="bound"),
            "mse",
            "began in the update, operation div",
        ),
    ],
    ids=["normalization", "loss", "constraint"],
)
def test_other_places(hidden, loss, place):
    model = network(hidden, loss=loss)
    x, y = np.ones((16, 4), "float32"), np.zeros((16, 1), "float32")
    assert place in explanation(model, x, y)


def test_scaled_gradients_that_overflow_are_no_fault(tracing):
    policy = keras.mixed_precision.Policy("mixed_float16")
    model = network(layers.Dense(8, "relu", dtype=policy))
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(), initial_scale=2.0**40
    )
    model.compile(optimizer, "mse")
    x, y = data()
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    assert float(optimizer.dynamic_scale) < 2.0**40


def test_gradients_alone_are_found_by_the_setting(tracing):
    class Norm(layers.Layer):
        def call(self, x):
            return keras.ops.sum(keras.ops.sqrt(keras.ops.abs(x)), -1, keepdims=True)

    x, y = data(8)
    x[3, 2] = 0
    identity = layers.Dense(4, kernel_initializer="identity", name="first")
    model = keras.Sequential([keras.Input((4,)), identity, Norm(name="norm")])
    model.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match="'norm'"):
        model.fit(x, y, batch_size=8, verbose=0)


def test_a_constant_that_is_infinite_is_not_blamed():
    class Limit(layers.Layer):
        def build(self, shape):
            self.mask = self.add_weight(
                name="mask", shape=(4,), trainable=False,
                initializer=keras.initializers.Constant(-np.inf),
            )  # fmt: skip

        def call(self, x):
            return keras.ops.maximum(x, self.mask)

    x, y = data()
    x[19] = np.nan
    found = explanation(network(Limit(name="limit")), x, y)
    assert "batch 2 (counted from 0): a NaN began in x of the batch, row 3" in found
