"""What goes wrong is said clearly, and leaves a model that can be trained."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

rng = np.random.default_rng(3)
X = rng.normal(size=(12, 4)).astype("float32")
Y = rng.normal(size=(12, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    """One model for all mishaps: each leaves it whole for the next."""
    inputs = keras.Input((4,), name="features")
    model = keras.Model(inputs, layers.Dense(2)(inputs))
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def assert_whole(model):
    """Weights are finite arrays, and a fit moves them."""
    before = model.get_weights()
    assert all(np.isfinite(w).all() for w in before)
    history = model.fit(X, Y, batch_size=6, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert not np.array_equal(before[0], model.get_weights()[0])


def refused(model, pattern, call, error=ValueError):
    with pytest.raises(error, match=pattern):
        call()
    assert_whole(model)


@pytest.mark.parametrize(
    "x, pattern",
    [
        (X[:, :3], r"(?s)incompatible.*4.*3|expected.*4.*3"),
        (X[:, 0], "rank|ndim|shape"),
        (X[:, None, None], "rank|ndim|shape"),
        ([X, X], "1 input|2"),
    ],
)
def test_inputs_of_another_shape(model, x, pattern):
    for call in (
        lambda: model.fit(x, Y, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: model.evaluate(x, Y, verbose=0),
    ):
        refused(model, pattern, call)


def test_a_missing_input(model):
    refused(model, "features.*not optional", lambda: model.fit([None], Y, verbose=0))


def test_targets_of_another_shape(model):
    refused(model, "shape", lambda: model.fit(X, Y[:, [0, 1, 1]], verbose=0))


def test_missing_targets(model):
    for call in (
        lambda: model.fit(X, verbose=0),
        lambda: model.evaluate(X, verbose=0),
        lambda: model.train_on_batch(X),
    ):
        refused(model, "targets", call)


@pytest.mark.parametrize(
    "x, y, weights",
    [(X, Y[:-1], None), (X[:5], Y, None), (X, Y, np.ones(7))],
)
def test_sample_counts_differ(model, x, y, weights):
    refused(
        model,
        r"same number of samples.*(11|5|7)",
        lambda: model.fit(x, y, sample_weight=weights, verbose=0),
    )


@pytest.mark.parametrize(
    "arguments, suggestion",
    [
        ({"loss": "mean_squared_eror"}, "mean_squared_error"),
        ({"optimizer": "admam"}, "adam"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"weighted_metrics": ["mean_absolute_eror"]}, "mean_absolute_error"),
        ({"loss": {"dense": "mean_squared_eror"}}, "mean_squared_error"),
    ],
)
def test_unknown_names_in_compile(model, arguments, suggestion):
    arguments = {"optimizer": "sgd", "loss": "mse", **arguments}
    refused(model, f"Did you mean.*{suggestion}", lambda: model.compile(**arguments))


@pytest.mark.parametrize(
    "make, suggestion",
    [
        (lambda: layers.Dense(2, activation="rellu"), "relu"),
        (lambda: layers.Dense(2, kernel_initializer="glorot_unifrm"), "glorot_uniform"),
        (lambda: layers.Dense(2, kernel_regularizer="l11"), "l1"),
        (lambda: layers.Dense(2, kernel_constraint="non_negg"), "non_neg"),
        (lambda: layers.deserialize({"class_name": "Dens", "config": {}}), "Dense"),
    ],
)
def test_unknown_names_in_layers(make, suggestion):
    with pytest.raises(ValueError, match=f"Did you mean.*{suggestion}"):
        make()


def test_unknown_output_names(model):
    model_2 = keras.Model(model.input, {"a": model.output, "b": model.output * 2})
    model_2.compile("sgd", {"a": "mse", "c": "mse"})
    with pytest.raises((KeyError, ValueError), match="c"):
        model_2.fit(X, {"a": Y, "b": Y}, verbose=0)
    assert_whole(model)


def test_not_compiled():
    model = keras.Sequential([layers.Input((4,)), layers.Dense(2)])
    for call in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="compile"):
            call(X, Y)


def test_arguments_that_do_not_go_together(model):
    weights = np.ones(12)
    refused(
        model,
        "class_weight",
        lambda: model.fit(X, Y, class_weight={0: 1.0}, sample_weight=weights),
    )
    refused(model, "shuffle", lambda: model.fit(X, Y, shuffle="rows"))
    refused(model, "float32|numbers", lambda: model.fit(np.array([["a"] * 4]), Y[:1]))


def test_nan_with_terminate_on_nan(model):
    x = X.copy()
    x[7] = np.nan
    before = model.get_weights()
    callbacks = [keras.callbacks.TerminateOnNaN()]
    history = model.fit(
        *(x, Y), batch_size=3, epochs=5, shuffle=False, callbacks=callbacks, verbose=0
    )
    assert len(history.epoch) == 1
    assert np.isnan(history.history["loss"]).all()
    assert model.stop_training
    model.set_weights(before)
    assert_whole(model)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end", "on_test_end"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_in_a_callback(model, hook, error):
    def stop(*args):
        raise error("stop")

    callback = keras.callbacks.Callback()
    setattr(callback, hook, stop)
    before = model.get_weights()
    with pytest.raises(error, match="stop"):
        model.fit(*(X, Y), validation_data=(X, Y), callbacks=[callback], verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert_whole(model)


def test_a_generator_that_ends(model):
    def batches(count):
        for _ in range(count):
            yield X[:3], Y[:3]

    with pytest.warns(UserWarning, match="ran out"):
        history = model.fit(batches(2), epochs=3, verbose=0)
    assert history.epoch == [0]
    with pytest.warns(UserWarning, match="ran out after 1 of 2"):
        history = model.fit(batches(3), epochs=4, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match="ran out"):
        history = model.fit(X, Y, validation_data=batches(2), epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert len(history.history["val_loss"]) == 1
    assert_whole(model)


def test_empty_data(model):
    refused(model, "at least one batch", lambda: model.fit(iter(()), verbose=0))
    refused(model, "sample|batch|empty", lambda: model.fit(X[:0], Y[:0], verbose=0))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_files_that_are_none(model, tmp_path, content):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    refused(model, "keras", lambda: keras.models.load_model(path))
    refused(model, "keras", lambda: model.load_weights(path))
