"""What users write in the place of a step, or of a piece of it, is what runs.

On the class or on the object: packages set methods on models that exist already, and
one that trains with privacy would train without if its step were ignored.
"""

import types

import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.random.RandomState(0).rand(8, 3).astype("float32")
Y = np.random.RandomState(1).rand(8, 1).astype("float32")


def model(kind=keras.Model):
    inputs = keras.Input((3,))
    x = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")(inputs)
    made = kind(inputs, layers.Dense(1)(x))
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def fitted(made):
    keras.utils.set_random_seed(0)
    for v in made.weights:
        v.assign(jnp.linspace(-1, 1, v.value.size).reshape(v.shape))
    history = made.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    return history | made.evaluate(X, Y, verbose=0, return_dict=True)


PIECES = (
    *("train_step", "test_step", "compute_loss", "compute_metrics", "call"),
    *("compute_loss_and_updates", "stateless_compute_loss", "stateless_call"),
)


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("where", ["class", "object"])
def test_a_piece_of_ones_own_is_called_and_gives_the_same(name, where):
    calls = []

    def counting(self, *args, **kwargs):
        calls.append(name)
        return own(*args, **kwargs)

    if where == "class":
        made = model(type("Mine", (keras.Model,), {}))
        own = getattr(super(type(made), made), name)
        setattr(type(made), name, counting)
    else:
        made = model()
        own = getattr(made, name)
        setattr(made, name, types.MethodType(counting, made))
    found = fitted(made)
    assert calls
    expected = fitted(model())
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-5)


def test_a_step_set_after_a_first_fit_runs():
    made, calls = model(), []
    made.fit(X, Y, verbose=0)
    own = made.predict_step

    def step(self, state, data):
        calls.append(1)
        return own(state, data)

    before = made.predict(X, verbose=0)
    made.predict_step = types.MethodType(step, made)
    np.testing.assert_array_equal(made.predict(X, verbose=0), before)
    assert calls


@pytest.mark.parametrize("name", ["apply", "stateless_apply", "update_step"])
def test_a_method_of_an_optimizer_of_ones_own(name):
    made, calls = model(), []
    own = getattr(made.optimizer, name)

    def counting(self, *args, **kwargs):
        calls.append(1)
        return own(*args, **kwargs)

    setattr(made.optimizer, name, types.MethodType(counting, made.optimizer))
    np.testing.assert_allclose(fitted(made)["loss"], fitted(model())["loss"], rtol=1e-6)
    assert calls


def test_a_layers_call_set_on_the_object_keeps_its_own_parameters():
    layer, seen = layers.Dense(2), []
    own = layer.call

    def call(self, inputs, training=None, scale=1.0):
        seen.append((training, scale))
        return own(inputs) * scale

    layer.call = types.MethodType(call, layer)
    y = layer(X, training=True, scale=2.0)
    np.testing.assert_allclose(y, own(X) * 2, rtol=1e-6)
    assert seen == [(True, 2.0)]


def test_compute_loss_and_updates_leaves_the_loss_metric_alone():
    made = model()
    made.train_on_batch(X, Y)
    lists = (
        *([v.value for v in made.trainable_variables], []),
        [v.value for v in made.metrics_variables],
    )
    _, (_, _, _, metrics) = made.compute_loss_and_updates(*lists, X, Y, None)
    np.testing.assert_array_equal(np.stack(metrics), np.stack(lists[2]))


class Counts(keras.metrics.Metric):
    """A metric of two numbers."""

    def __init__(self, name="counts"):
        super().__init__(name=name)
        self.batches = self.add_weight(name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.batches.assign_add(1.0)

    def result(self):
        return {"once": self.batches + 0.0, "twice": self.batches * 2.0}


def test_a_metric_that_gives_a_dict():
    model = keras.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Counts(), "mae"])
    history = model.fit(X, Y, batch_size=4, verbose=0).history
    assert set(history) == {"loss", "mae", "once", "twice"}
    assert history["twice"] == [2 * len(X) / 4]
    found = model.get_metrics_result()
    assert set(found) == {"loss", "mae", "counts"}
    assert found["counts"] == {"once": len(X) / 4, "twice": len(X) / 2}
    assert model.evaluate(X, Y, verbose=0)[2:] == [1.0, 2.0]
    named = model.test_on_batch(X, Y, return_dict=True)
    assert set(named) == set(history) and named["twice"] == 2.0


def test_a_dict_in_the_logs_of_a_step_joins_them():
    class Nested(keras.Model):
        def train_step(self, *arguments):
            logs, state = super().train_step(*arguments)
            return {"parts": {"a": logs["loss"], "b": logs["loss"] * 2}}, state

    inputs = keras.Input((3,))
    model = Nested(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, verbose=0).history
    assert history["b"] == [2 * history["a"][0]] and set(history) == {"a", "b"}
