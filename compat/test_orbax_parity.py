"""Checkpoints of Orbax that one package writes and the other reads."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import minikeras
from minikeras.saving import orbax_folder

pytest.importorskip("orbax.checkpoint")


def trained(package):
    package.utils.clear_session()
    package.utils.set_random_seed(3)
    layers = package.layers
    x = inputs = package.Input((3,))
    for name in ("a", "b"):
        x = layers.Dense(4, name=name, activation="relu")(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization(name="c")(x))
    model = package.Model(inputs, layers.Dense(2, name="d")(x), name="m")
    model.compile("adam", "mse")
    return model


def fit(model, **kwargs):
    x = np.random.default_rng(5).normal(size=(8, 3)).astype("float32")
    return model.fit(x, x[:, :2], verbose=0, shuffle=False, **kwargs).history["loss"]


def assert_same(a, b):
    for left, right in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("only_weights", [False, True])
def test_ours_reads_theirs(tmp_path, only_weights):
    theirs = trained(keras)
    callback = keras.callbacks.OrbaxCheckpoint(
        str(tmp_path), monitor="loss", save_weights_only=only_weights
    )
    fit(theirs, epochs=2, callbacks=[callback])
    ours = trained(minikeras)
    if only_weights:
        ours.load_weights(tmp_path)
    else:
        ours = minikeras.models.load_model(tmp_path)
        # The state of the optimizer and the seed of the dropout came along.
        np.testing.assert_allclose(fit(ours), fit(theirs), rtol=1e-5)
        np.testing.assert_allclose(
            ours.get_weights()[0], theirs.get_weights()[0], rtol=1e-5, atol=1e-7
        )
        return
    assert_same(ours, theirs)


def test_theirs_reads_ours(tmp_path):
    ours, theirs = trained(minikeras), trained(keras)
    fit(ours)
    orbax_folder.write(ours, tmp_path)
    fit(theirs)
    theirs.load_weights(str(tmp_path))
    assert_same(ours, theirs)
    np.testing.assert_allclose(fit(ours), fit(theirs), rtol=1e-5)


@pytest.mark.parametrize("only_weights", [False, True])
def test_theirs_reads_our_callback(tmp_path, only_weights):
    ours, theirs = trained(minikeras), trained(keras)
    callback = minikeras.callbacks.OrbaxCheckpoint(
        tmp_path, save_weights_only=only_weights
    )
    fit(ours, epochs=2, callbacks=[callback])
    fit(theirs)
    theirs.load_weights(str(tmp_path))
    assert_same(ours, theirs)
    if not only_weights:
        np.testing.assert_allclose(fit(ours), fit(theirs), rtol=1e-5)


@pytest.mark.parametrize("freq", ["epoch", 1])
def test_steps_of_the_callbacks(tmp_path, freq):
    steps = []
    for package in (minikeras, keras):
        folder = tmp_path / package.__name__
        callback = package.callbacks.OrbaxCheckpoint(
            str(folder), save_freq=freq, max_to_keep=2
        )
        fit(trained(package), epochs=3, batch_size=4, callbacks=[callback])
        steps.append(sorted(path.name for path in folder.iterdir()))
    assert steps[0] == steps[1]
