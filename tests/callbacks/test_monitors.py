import numpy as np
import pytest

from minikeras.callbacks import (
    EarlyStopping,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from minikeras.callbacks.monitor_callback import MonitorCallback
from tests.callbacks.stubs import Metric, Model, train

LOSSES = [10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5]
METRICS = [
    Metric("loss"),
    Metric("compiled", metrics=[Metric("acc", "up"), Metric("mse", "down")]),
    Metric("mean"),
]


@pytest.mark.parametrize(
    ("monitor", "mode", "larger"),
    [
        ("loss", "auto", False),
        ("val_loss", "auto", False),
        ("acc", "auto", True),
        ("val_acc", "auto", True),
        ("val_mse", "auto", False),
        ("val_loss", "max", True),
        ("anything", "min", False),
    ],
)
def test_direction(monitor, mode, larger):
    callback = MonitorCallback(monitor, mode)
    callback.set_model(Model(METRICS))
    assert callback._is_improvement(2.0, 1.0) == larger
    assert callback._is_improvement(1.0, 2.0) != larger
    assert not callback._is_improvement(1.0, 1.0)
    assert callback._is_improvement(1.0, None)


@pytest.mark.parametrize("monitor", ["mean", "unknown", "val_unknown"])
def test_unknown_direction(monitor):
    callback = MonitorCallback(monitor)
    callback.set_model(Model(METRICS))
    with pytest.raises(ValueError, match=f"monitor='{monitor}'.*Pass mode='max'"):
        callback._is_improvement(2.0, 1.0)


def test_unknown_mode():
    with pytest.warns(UserWarning, match="EarlyStopping mode 'up' is unknown"):
        assert EarlyStopping(mode="up").mode == "auto"


def test_min_delta():
    larger = MonitorCallback(mode="max", min_delta=0.5)
    assert larger._is_improvement(0.75, 0.0)
    assert not larger._is_improvement(0.5, 0.0)
    smaller = MonitorCallback(mode="min", min_delta=-0.5)
    assert smaller._is_improvement(0.25, 1.0)
    assert not smaller._is_improvement(0.5, 1.0)


@pytest.mark.parametrize(("patience", "epochs"), [(0, 4), (1, 4), (2, 5), (3, 6)])
def test_patience(patience, epochs):
    stopper = EarlyStopping("loss", patience=patience)
    assert train(stopper, LOSSES) == epochs
    assert stopper.stopped_epoch == epochs - 1 and stopper.best == 8.0


def test_stopping_never_comes_after_the_first_epoch():
    assert train(EarlyStopping("loss", baseline=0.0), [5.0, 6.0, 7.0]) == 2


@pytest.mark.parametrize(("baseline", "epochs", "best"), [(None, 7, 4), (0.5, 6, 4)])
def test_baseline(baseline, epochs, best):
    stopper = EarlyStopping(
        "val_loss", patience=5, baseline=baseline, restore_best_weights=True
    )
    model, losses = Model(), [0.9, 0.7, 0.8, 0.75, 0.6, 0.7, 0.7]
    assert train(stopper, losses, "val_loss", model) == epochs
    assert stopper.best_epoch == best and model.weights == best


def test_weights_are_restored_whatever_ended_training():
    model = Model()
    stopper = EarlyStopping("loss", patience=9, restore_best_weights=True)
    train(stopper, [3.0, 1.0, 2.0], model=model)
    assert model.weights == 1 and stopper.stopped_epoch == 0


def test_weights_stay_without_restoring():
    model = Model()
    train(EarlyStopping("loss", patience=1), [1.0, 2.0, 3.0], model=model)
    assert model.weights == 1 and model.stop_training


def test_start_from_epoch():
    stopper = EarlyStopping("loss", patience=1, start_from_epoch=3)
    assert train(stopper, [1.0, 2.0, 3.0, 4.0, 5.0]) == 5
    assert stopper.best == 4.0


def test_a_second_run_starts_afresh():
    stopper = EarlyStopping("loss", patience=2)
    train(stopper, [1.0, 2.0, 3.0])
    assert train(stopper, [9.0, 8.0, 7.0, 8.0, 9.0]) == 5
    assert stopper.best == 7.0


def test_missing_value():
    stopper = EarlyStopping()
    with pytest.warns(UserWarning, match="'val_loss'.*metrics: loss"):
        assert train(stopper, [1.0, 2.0], "loss") == 2


def test_messages(capsys):
    stopper = EarlyStopping("loss", verbose=1, restore_best_weights=True)
    train(stopper, [1.0, 2.0])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring model weights from the end of the best epoch: 1.",
    ]


def rates(callback, values, **kwargs):
    found, end = [], callback.on_epoch_end

    def on_epoch_end(epoch, logs):
        end(epoch, logs)
        found.append(float(callback.model.optimizer.learning_rate))
        assert "learning_rate" in logs

    callback.on_epoch_end = on_epoch_end
    train(callback, values, **kwargs)
    return found


def test_reduce_on_plateau(capsys):
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=2, verbose=1)
    found = rates(callback, [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5])
    np.testing.assert_allclose(found, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].startswith(
        "Epoch 4: ReduceLROnPlateau reducing learning rate to 0.05"
    )


def test_cooldown():
    callback = ReduceLROnPlateau("loss", patience=1, min_delta=100, cooldown=2)
    found = rates(callback, [1.0] * 6)
    np.testing.assert_allclose(found, [0.1, 0.01, 0.01, 1e-3, 1e-3, 1e-4], rtol=1e-5)
    assert callback.cooldown_counter == 2
    callback.on_train_begin()
    assert (callback.best, callback.wait, callback.cooldown_counter) == (None, 0, 0)


def test_smallest_rate():
    callback = ReduceLROnPlateau("loss", patience=1, min_lr=0.04)
    np.testing.assert_allclose(rates(callback, [1.0] * 4), [0.1, 0.04, 0.04, 0.04])


def test_factor():
    with pytest.raises(ValueError, match="factor=1.0"):
        ReduceLROnPlateau(factor=1.0)


def test_schedule(capsys):
    scheduler = LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    np.testing.assert_allclose(rates(scheduler, [1.0] * 3), [0.05, 0.025, 0.0125])
    assert "Epoch 1: LearningRateScheduler setting learning rate to 0.05" in (
        capsys.readouterr().out
    )


def test_schedule_of_the_epoch_alone():
    scheduler = LearningRateScheduler(lambda epoch: 1.0 / (2 + epoch))
    np.testing.assert_allclose(rates(scheduler, [1.0] * 2), [1 / 2, 1 / 3], rtol=1e-6)


def test_an_error_inside_the_schedule_is_passed_on():
    def schedule(epoch, rate):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        train(LearningRateScheduler(schedule), [1.0])


@pytest.mark.parametrize("rate", [1, "fast", None])
def test_schedule_returns_no_float(rate):
    with pytest.raises(ValueError, match=f"a float, got {rate!r}"):
        train(LearningRateScheduler(lambda epoch: rate), [1.0])


def test_optimizer_without_a_rate():
    model = Model()
    model.optimizer = object()
    with pytest.raises(ValueError, match="optimizer object has no `learning_rate`"):
        train(LearningRateScheduler(lambda epoch: 0.1), [1.0], model=model)
