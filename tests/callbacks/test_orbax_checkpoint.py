import pathlib

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import LambdaCallback, OrbaxCheckpoint

pytest.importorskip("orbax.checkpoint")

X = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")


def make(**settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m"
    )
    model.compile("adam", "mse", **settings)
    return model


def fit(model, *used, epochs=3, **settings):
    settings = {"batch_size": 4, "verbose": 0, **settings}
    return model.fit(X, X[:, :2], epochs=epochs, callbacks=list(used), **settings)


def steps(folder):
    return sorted(int(path.name) for path in pathlib.Path(folder).iterdir())


@pytest.mark.parametrize("on_background", [True, False])
def test_the_last_epoch_stays(tmp_path, on_background):
    model = make()
    checkpoint = OrbaxCheckpoint(tmp_path, save_on_background=on_background)
    fit(model, checkpoint)
    assert checkpoint.is_primary_host() and not checkpoint.is_multihost_enabled()
    assert steps(tmp_path) == [2]
    loaded = keras.models.load_model(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    pairs = zip(loaded.optimizer.variables, model.optimizer.variables, strict=True)
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected)


def test_steps_hold_the_weights_of_their_time(tmp_path):
    model, weights = make(), []
    note = LambdaCallback(
        on_epoch_end=lambda *_: weights.append(model.get_weights()[0])
    )
    fit(model, note, OrbaxCheckpoint(tmp_path, max_to_keep=None))
    assert steps(tmp_path) == [0, 1, 2]
    for step, expected in enumerate(weights):
        loaded = make()
        loaded.load_weights(tmp_path / str(step))
        np.testing.assert_array_equal(loaded.get_weights()[0], expected)


def test_weights_only(tmp_path):
    model = make()
    fit(model, OrbaxCheckpoint(tmp_path, save_weights_only=True))
    loaded = make()
    loaded.load_weights(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="holds weights, but no model"):
        keras.models.load_model(tmp_path)


@pytest.mark.parametrize(
    ("settings", "freq", "expected"),
    [
        ({}, 2, [2, 4, 6, 8]),
        ({"steps_per_execution": 2}, 1, [2, 4, 6, 8, 10, 12]),
    ],
)
def test_steps_of_batches(tmp_path, settings, freq, expected):
    fit(make(**settings), OrbaxCheckpoint(tmp_path, save_freq=freq, max_to_keep=None))
    assert steps(tmp_path) == expected


def test_a_second_training_goes_on_with_the_numbers(tmp_path):
    model, checkpoint = make(), OrbaxCheckpoint(tmp_path, max_to_keep=9)
    fit(model, checkpoint, epochs=2)
    fit(model, checkpoint, epochs=2)
    assert steps(tmp_path) == [0, 1, 2, 3]
    fit(model, OrbaxCheckpoint(tmp_path, max_to_keep=9), epochs=8, initial_epoch=7)
    assert steps(tmp_path) == [0, 1, 2, 3, 7]
    loaded = keras.models.load_model(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_batches_count_on_after_loading(tmp_path):
    def checkpoint():
        return OrbaxCheckpoint(tmp_path, save_freq=1, max_to_keep=None)

    fit(make(), checkpoint(), epochs=1)
    fit(keras.models.load_model(tmp_path), checkpoint(), epochs=1)
    assert steps(tmp_path) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("mode", "threshold", "expected"),
    [("min", None, [0, 1, 2]), ("max", None, [0]), ("min", 0.0, [])],
)
def test_best_only(tmp_path, mode, threshold, expected, capsys):
    checkpoint = OrbaxCheckpoint(
        tmp_path,
        monitor="loss",
        mode=mode,
        save_best_only=True,
        initial_value_threshold=threshold,
        max_to_keep=None,
        verbose=1,
    )
    fit(make(), checkpoint)
    assert steps(tmp_path) == expected
    lines = capsys.readouterr().out.split("\n")
    saved = [line.rpartition(" ")[2] for line in lines if "saving model" in line]
    assert saved == [str(tmp_path / str(step)) for step in expected]


def test_a_missing_metric(tmp_path):
    checkpoint = OrbaxCheckpoint(tmp_path, save_best_only=True)
    with pytest.warns(UserWarning, match="'val_loss', which is not among.*is saved"):
        fit(make(), checkpoint)
    assert steps(tmp_path) == []


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_max_to_keep(count):
    with pytest.raises(ValueError, match="max_to_keep is the number"):
        OrbaxCheckpoint("a", max_to_keep=count)
