"""Learning rates that train."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import LearningRateFinder
from minikeras.callbacks.learning_rate_finder import smoothed, steepest

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


def network(optimizer="adam", *hidden):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), *hidden, keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def test_smoothing_is_an_average_without_bias():
    losses = [4.0, 2.0, 1.0]
    np.testing.assert_allclose(smoothed(losses, 0.0), losses)
    expected = (0.25 * 4 * 0.5 + 0.5 * 2 * 0.5 + 0.5 * 1) / (1 - 0.125)
    np.testing.assert_allclose(smoothed(losses, 0.5)[-1], expected)


def test_the_steepest_fall_is_found():
    rates = 10.0 ** np.arange(-6, 3)
    losses = [5, 5, 5, 4.8, 3, 1, 0.9, 4, 50]
    assert steepest(rates, losses, 0.0) in (1e-2, 1e-1)
    assert steepest(rates, list(range(9)), 0.0) is None
    assert steepest(rates[:3], [3, 2, 1], 0.0) is None


def test_rates_grow_evenly_and_all_is_as_before():
    model = network("adam", keras.layers.Dropout(0.5))
    before = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    finder = LearningRateFinder(1e-5, 1e-1, steps=21, stop_factor=1e9)
    model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[finder])
    np.testing.assert_allclose(finder.learning_rates, np.geomspace(1e-5, 1e-1, 21))
    assert len(finder.losses) == 21 and len(set(finder.losses)) > 15
    after = [*model.variables, *model.optimizer.variables]
    for a, b in zip(before, after, strict=False):
        np.testing.assert_array_equal(a, b.numpy())
    assert int(model.optimizer.iterations) == 0


def test_it_stops_when_the_loss_diverges():
    model = network("sgd")
    finder = LearningRateFinder(1e-4, 1e4, steps=200)
    model.fit(X, Y, batch_size=8, epochs=99, verbose=0, callbacks=[finder])
    assert len(finder.losses) < 200
    assert 1e-4 < finder.suggestion < 10
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_losses_are_those_of_single_batches():
    model = network("sgd")
    expected = [model.evaluate(X[i : i + 16], Y[i : i + 16], verbose=0)
                for i in range(0, 64, 16)]  # fmt: skip
    finder = LearningRateFinder(1e-12, 1e-11, steps=10)
    model.fit(
        X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0, callbacks=[finder]
    )
    np.testing.assert_allclose(finder.losses[:4], expected, rtol=1e-5)


def test_bad_arguments_are_refused():
    for arguments in ({"min_lr": 0}, {"max_lr": 1e-9}, {"steps": 3}, {"smoothing": 1}):
        with pytest.raises(ValueError, match="LearningRateFinder: expected"):
            LearningRateFinder(**arguments)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
    model = network(keras.optimizers.SGD(schedule))
    with pytest.raises((ValueError, TypeError), match="LearningRateSchedule"):
        model.fit(X, Y, verbose=0, callbacks=[LearningRateFinder()])


def test_the_picture(tmp_path):
    finder = LearningRateFinder(steps=10)
    with pytest.raises(ValueError, match="no steps yet"):
        finder.plot()
    network().fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[finder])
    finder.plot(tmp_path / "rates.svg")
    assert (tmp_path / "rates.svg").read_text().startswith("<?xml")
