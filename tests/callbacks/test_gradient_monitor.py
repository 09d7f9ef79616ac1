"""Gradients and dead units by layer."""

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import GradientMonitor
from minikeras.training.layer_norms import norms, silent_units

layers = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def network(*hidden, shape=(6,), optimizer="sgd"):
    last = layers.Dense(1, name="last")
    model = keras.Sequential([keras.Input(shape), *hidden, last], name="net")
    model.compile(optimizer, "mse")
    return model


def test_norms_by_layer():
    arrays = {"a/kernel": np.array([[3.0, 0.0]]), "a/bias": np.array([4.0]), "b": [2.0]}
    found = norms(arrays)
    assert {k: float(v) for k, v in found.items()} == {"a": 5.0, "b": 2.0}


def test_silent_units():
    outputs = np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, -2.0]], [[0.0, 3.0, 0.0]] * 2])
    assert silent_units(outputs).tolist() == [True, False, False]


def test_the_history_holds_the_gradients_of_the_loss():
    model = network(layers.Dense(3, "tanh", name="first"))
    model.optimizer.learning_rate = 0.0
    monitor = GradientMonitor(freq=1)
    model.fit(X, Y, batch_size=40, epochs=2, verbose=0, callbacks=[monitor])

    def loss(weights):
        outputs, _ = model.stateless_call(weights, [], X)
        return ((outputs - Y) ** 2).mean()

    kernel, bias, *_ = jax.grad(loss)([v.value for v in model.trainable_variables])
    expected = np.sqrt((kernel**2).sum() + (bias**2).sum())
    np.testing.assert_allclose(
        monitor.history["net/first"]["gradient"], [expected] * 2, rtol=1e-5
    )
    weight = np.sqrt(sum((w**2).sum() for w in model.layers[0].get_weights()))
    np.testing.assert_allclose(
        monitor.history["net/first"]["weight"], [weight] * 2, rtol=1e-5
    )


def test_watching_changes_nothing():
    def run(*callbacks):
        keras.utils.set_random_seed(1)
        model = network(
            layers.Dense(4, "relu"), layers.Dropout(0.5), layers.BatchNormalization()
        )
        history = model.fit(
            X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[*callbacks]
        )
        return history.history, [w.tobytes() for w in model.get_weights()]

    assert run(GradientMonitor(freq=2)) == run()


def test_vanishing_gradients_are_named():
    sigmoids = [layers.Dense(8, "sigmoid", name=f"s{i}") for i in range(12)]
    with pytest.warns(UserWarning, match="gradient of '.*/s0' vanishes: its norm is"):
        network(*sigmoids).fit(X, Y, verbose=0, callbacks=[GradientMonitor()])


def test_exploding_gradients_are_named():
    start = keras.initializers.Constant(3.0)
    rnn = layers.SimpleRNN(4, activation="linear", recurrent_initializer=start)
    model = network(rnn, shape=(6, 6), optimizer=keras.optimizers.SGD(1e-20))
    with pytest.warns(UserWarning, match="simple_rnn.*' explodes: its norm is"):
        model.fit(
            np.repeat(X[:, None], 6, 1), Y, verbose=0, callbacks=[GradientMonitor()]
        )


def test_dead_units_are_named_once():
    off = keras.initializers.Constant(-50.0)
    model = network(layers.Dense(4, "relu", bias_initializer=off, name="off"))
    monitor = GradientMonitor()
    with pytest.warns(UserWarning) as found:
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[monitor])
    texts = [str(w.message) for w in found]
    dead = [text for text in texts if "dead: 4 of 4 were 0 for all samples" in text]
    assert len(dead) == 1 and dead[0].startswith("Epoch 1: units of 'net/off'")
    assert monitor.history["net/off"]["dead"] == [1.0] * 3


def test_activations_of_their_own_count():
    model = network(layers.Dense(4, kernel_initializer="zeros"), layers.ReLU(name="r"))
    monitor = GradientMonitor(dead=1.0)
    model.fit(X, Y, verbose=0, callbacks=[monitor])
    assert "dead" in monitor.history["net/r"]


def test_a_subclassed_model_and_a_step_of_its_own():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.inner = layers.Dense(1, name="dense")

        def call(self, x):
            return self.inner(x)

        def train_step(self, state, data):
            return {"loss": 0.0}, state

    model = Own()
    model.compile("sgd", "mse")
    monitor = GradientMonitor()
    model.fit(X, Y, verbose=0, callbacks=[monitor])
    assert list(monitor.history) == ["own/dense"]
    model.compile("sgd")
    with pytest.raises(ValueError, match="has a train_step of its own; expected"):
        model.fit(X, Y, verbose=0, callbacks=[GradientMonitor()])


def test_the_picture(tmp_path):
    monitor = GradientMonitor()
    with pytest.raises(ValueError, match="no epochs yet"):
        monitor.plot()
    network().fit(X, Y, verbose=0, callbacks=[monitor])
    monitor.plot(tmp_path / "norms.png")
    assert (tmp_path / "norms.png").read_bytes().startswith(b"\x89PNG")


def test_layers_may_be_frozen_meanwhile():
    class Freeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[0].trainable = epoch != 1

    model, monitor = network(layers.Dense(3, name="first")), GradientMonitor(1)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[Freeze(), monitor])
    assert len(monitor.history["net/first"]["gradient"]) == 2
