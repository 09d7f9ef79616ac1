"""The curves of a training."""

import random
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks.history_plot import curves_of


def test_panels():
    history = {
        "accuracy": [0.5, 0.75],
        "learning_rate": [0.1, 0.01],
        "loss": [2.0, 1.0],
        "val_loss": [1.5],
    }
    epochs = {"loss": [3, 4], "val_loss": [4], "accuracy": [3, 4]}
    panels = curves_of(history, epochs)
    assert [title for title, _ in panels] == ["loss", "accuracy", "learning_rate"]
    training, validation = panels[0][1]
    assert training[0] == "training" and training[1].tolist() == [4, 5]
    assert training[2].tolist() == [2.0, 1.0] and not training[3]
    assert validation[1].tolist() == [5] and validation[3]
    # Nobody knows the epochs of the learning rate.
    assert panels[2][1][0][1].tolist() == [1, 2]
    for metrics in ("val_loss", ["loss", "val_loss"]):
        assert [title for title, _ in curves_of(history, epochs, metrics)] == ["loss"]
    assert [t for t, _ in curves_of(history, epochs, ["learning_rate"])] == [
        "learning_rate"
    ]
    with pytest.raises(ValueError, match=r"\['auc'\] are not.*'loss', 'accuracy'"):
        curves_of(history, epochs, ["auc", "loss"])


def trained():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((8, 2)), np.ones((8, 1))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 10)
    return model.fit(
        x, y, epochs=4, validation_data=(x, y), validation_freq=[1, 4], verbose=0,
        callbacks=[schedule],
    )  # fmt: skip


def test_a_figure(tmp_path):
    history = trained()
    before = random.getstate(), str(np.random.get_state())
    pyplot = sys.modules.get("matplotlib.pyplot")
    figure = history.plot()
    assert [axes.get_title() for axes in figure.axes] == [
        "loss", "mae", "learning_rate"
    ]  # fmt: skip
    training, validation = figure.axes[0].get_lines()
    assert training.get_xdata().tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(training.get_ydata(), history.history["loss"])
    assert validation.get_xdata().tolist() == [1, 4]
    np.testing.assert_allclose(validation.get_ydata(), history.history["val_loss"])
    assert figure.axes[2].get_yscale() == "log"
    assert history.plot("mae", log_scale=True).axes[0].get_yscale() == "log"
    assert history.plot("loss", tmp_path / "a.svg") is None
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert (random.getstate(), str(np.random.get_state())) == before
    assert sys.modules.get("matplotlib.pyplot") is pyplot


def test_odd_histories():
    history = keras.callbacks.History()
    with pytest.raises(ValueError, match="no epochs yet"):
        history.plot()
    history.history = {"loss": [np.nan, 1, np.inf], "a $b$": [[1.0, 3.0], np.ones(2)]}
    figure = history.plot()
    assert figure.axes[1].get_title() == "a $b$"
    assert figure.axes[1].get_lines()[0].get_ydata().tolist() == [2.0, 1.0]
    figure.canvas.draw()
