"""Arguments of `fit` and its like that are of the wrong kind are refused by name."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.random.default_rng(3).normal(size=(12, 4)).astype("float32")
Y = X[:, :1]
LABELS = (X[:, 0] > 0).astype("int32")


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("size", [2.5, 8.0, "32", -1, [8]], ids=repr)
def test_batch_size(model, size):
    for call in (
        lambda: model.fit(X, Y, batch_size=size, verbose=0),
        lambda: model.evaluate(X, Y, batch_size=size, verbose=0),
        lambda: model.predict(X, batch_size=size, verbose=0),
        lambda: model.fit(
            *(X, Y),
            validation_data=(X, Y),
            validation_batch_size=size,
            verbose=0,
        ),
    ):
        with pytest.raises(ValueError, match="batch_size` must be a positive integer"):
            call()


@pytest.mark.parametrize("steps", [2.5, "3", -1], ids=repr)
def test_steps(model, steps):
    more = {"validation_data": (X, Y), "verbose": 0}
    for name, call in (
        ("steps_per_epoch", lambda: model.fit(X, Y, steps_per_epoch=steps, verbose=0)),
        ("validation_steps", lambda: model.fit(X, Y, validation_steps=steps, **more)),
        ("steps", lambda: model.evaluate(X, Y, steps=steps, verbose=0)),
        ("steps", lambda: model.predict(X, steps=steps, verbose=0)),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be a positive integer"):
            call()


def test_no_steps_are_steps_that_were_not_given(model):
    fit = {"epochs": 2, "verbose": 0, "validation_data": (X, Y)}
    history = model.fit(X, Y, steps_per_epoch=0, validation_steps=0, **fit).history
    assert len(history["loss"]) == len(history["val_loss"]) == 2
    assert np.isfinite(model.evaluate(X, Y, steps=0, verbose=0))
    assert model.predict(X, steps=0, verbose=0).shape == (12, 1)


def test_numpy_integers_count(model):
    assert model.predict(X, batch_size=np.int64(5), steps=np.int32(2)).shape == (10, 1)


def test_masked_arrays(model):
    masked = np.ma.masked_array(X, X > 1)
    for call in (
        lambda: model.fit(masked, Y, verbose=0),
        lambda: model.predict(masked, verbose=0),
        lambda: model.train_on_batch(masked, Y),
    ):
        with pytest.raises(ValueError, match="masked array.*filled"):
            call()


@pytest.mark.parametrize(
    "weights",
    ["balanced", [1.0, 2.0], {"0": 1.0, "1": 50.0}, {0: 1.0, 1: "2"}, {0: 1, 1: None}],
    ids=repr,
)
def test_class_weight_of_a_wrong_kind(model, weights):
    for call in (
        lambda: model.fit(X, LABELS, class_weight=weights, verbose=0),
        lambda: model.fit([(X, LABELS)], class_weight=weights, verbose=0),
        lambda: model.train_on_batch(X, LABELS, class_weight=weights),
    ):
        with pytest.raises((TypeError, ValueError), match="class_weight"):
            call()


def test_class_weight_of_numpy_integers(model):
    weights = {np.int64(0): np.float32(1.0), 1.0: 2}
    assert np.isfinite(model.train_on_batch(X, LABELS, class_weight=weights))


def test_optimizer_class():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"Adam is a class.*Adam\(learning_rate"):
        model.compile(keras.optimizers.Adam, "mse")


@pytest.mark.parametrize("rate", ["0.1", True, b"1"], ids=repr)
def test_learning_rate(rate):
    with pytest.raises(ValueError, match="learning_rate must be a number"):
        keras.optimizers.Adam(rate)


def test_verbosity(model, capsys):
    model.fit(X, Y, verbose=None)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match='0, 1, 2 or "auto"'):
        model.fit(X, Y, verbose="yes")


@pytest.mark.parametrize("callbacks", ["a", [keras.callbacks.History]], ids=repr)
def test_what_is_no_callback(model, callbacks):
    with pytest.raises(TypeError, match="is not a callback"):
        model.fit(X, Y, callbacks=callbacks, verbose=0)


def test_without_a_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", metrics=["mae"])
    loss, error = model.evaluate(X, Y, verbose=0)
    assert loss == 0 and error > 0
    before = model.get_weights()[0]
    with pytest.warns(UserWarning, match="nothing is learned"):
        model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("rate", [np.float32(0.25), np.array(0.25)], ids=repr)
def test_learning_rate_of_numpy(rate):
    assert float(keras.optimizers.Adam(rate).learning_rate) == 0.25
