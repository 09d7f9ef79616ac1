"""Steps in TensorFlow's form, `train_step(self, data)`, and draws without a seed."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = X.sum(1, keepdims=True)


class Plain(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(8, "relu")
        self.drop = layers.Dropout(0.2)
        self.out = layers.Dense(1)

    def call(self, x, training=None):
        return self.out(self.drop(self.hidden(x), training=training))


class Taped(Plain):
    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_variables
        gradients = tape.gradient(loss, weights)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        return super().test_step(data)


class Delegating(Plain):
    def train_step(self, data):
        return {**super().train_step(data), "two": 2.0}


@pytest.mark.parametrize("eagerly", [False, True])
def test_same_numbers_as_the_step_of_the_model(eagerly):
    histories = []
    for cls in (Plain, Taped, Delegating):
        keras.utils.set_random_seed(1)
        model = cls()
        model.compile("adam", "mse", metrics=["mae"], run_eagerly=eagerly)
        fit = model.fit(
            X, Y, epochs=2, batch_size=16, verbose=0, validation_data=(X, Y)
        )
        histories.append({k: v for k, v in fit.history.items() if k != "two"})
    for other in histories[1:]:
        assert other.keys() == histories[0].keys()
        for key, values in histories[0].items():
            np.testing.assert_allclose(other[key], values, rtol=1e-5)


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.critic = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(1)])
        self.maker = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(6)])
        self.tracker = keras.metrics.Mean(name="critic_loss")

    def compile(self, first, second, loss_of):
        super().compile()
        self.optimizers_of_both, self.loss_of = [first, second], loss_of

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, real):
        batch = ops.shape(real)[0]
        noise = keras.random.normal((batch, 3))
        targets = ops.concatenate([ops.ones((batch, 1)), ops.zeros((batch, 1))])
        with keras.GradientTape() as tape:
            both = ops.concatenate([self.maker(noise), real])
            loss = self.loss_of(targets, self.critic(both))
        self._update(tape, loss, self.critic, self.optimizers_of_both[0])
        with keras.GradientTape() as tape:
            loss_made = self.loss_of(
                0 * targets[:batch], self.critic(self.maker(noise))
            )
        self._update(tape, loss_made, self.maker, self.optimizers_of_both[1])
        self.tracker.update_state(loss)
        return {"critic_loss": self.tracker.result(), "noise": noise[0, 0]}

    def _update(self, tape, loss, model, optimizer):
        weights = model.trainable_weights
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))


def gan():
    keras.utils.set_random_seed(2)
    model = GAN()
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam
    model.compile(adam(0.01), adam(0.01, beta_1=0.5), loss_of)
    return model


def test_two_models_two_optimizers_and_unseeded_draws():
    model = gan()
    history = model.fit(X, epochs=3, batch_size=10, verbose=0).history
    first, second = model.optimizers_of_both
    assert int(first.iterations.value) == int(second.iterations.value) == 12
    assert len(set(history["noise"])) == 3
    again = gan().fit(X, epochs=3, batch_size=10, verbose=0).history
    assert again == history
    logs = model.train_on_batch(X[:4], return_dict=True)
    assert logs["noise"] not in history["noise"]
    # New optimizers come with `compile`.
    fresh = keras.optimizers.SGD(0.1)
    model.compile(fresh, keras.optimizers.SGD(0.1), model.loss_of)
    model.fit(X, batch_size=20, verbose=0)
    assert int(fresh.iterations.value) == 2
    model.optimizers_of_both[0] = newer = keras.optimizers.SGD(0.1)
    model.fit(X, batch_size=5, verbose=0)
    assert (int(fresh.iterations.value), int(newer.iterations.value)) == (2, 8)


class Noise(layers.Layer):
    def __init__(self, seed=None):
        super().__init__()
        self.seed = seed

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seed)


@pytest.mark.parametrize("layer", [Noise, lambda: layers.Lambda(Noise().call, (3,))])
def test_unseeded_draws_of_a_layer(layer):
    zeros = np.zeros((6, 3), "float32")
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        inputs = keras.Input((3,))
        model = keras.Model(inputs, layer()(inputs))
        found.append(model.predict(zeros, batch_size=2, verbose=0))
        assert len({*found[-1][:, 0].tolist()}) == 6  # no batch repeats another
        assert (model.predict(zeros, verbose=0) != found[-1]).any()
        assert not model.variables  # files and weights know nothing of it
    assert (found[0] == found[1]).all()


def test_a_generator_that_the_model_does_not_hold():
    generator = keras.random.SeedGenerator(3)

    class Hidden(layers.Layer):
        def call(self, x):
            return x + keras.random.normal((1,), seed=generator)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Hidden()(inputs))
    with pytest.raises(ValueError, match="each step would draw the same numbers"):
        model.predict(X[:, :3], verbose=0)


@pytest.mark.parametrize(
    ("step", "alone"),
    [
        (lambda self, data: 0, True),
        (lambda self, data, extra=None: 0, True),
        (lambda self, data, *, verbose=0, **more: 0, True),
        (lambda self, state, data: 0, False),
        (lambda self, *args: 0, False),
    ],
)
def test_which_steps_take_the_data_alone(step, alone):
    model = type("Own", (Plain,), {"train_step": step})()
    assert (model._mk_in_place_steps() == ["train_step"]) is alone
