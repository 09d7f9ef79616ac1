"""The hooks of one run, given to our callbacks and to Keras's."""

import csv

import keras
import numpy as np
import pytest

import minikeras
import minikeras.callbacks as ours

rng = np.random.default_rng(5)
SERIES = [
    [1.0, 0.8, 0.9, 0.7, 0.7, 0.7, 0.75, 0.6, 0.61, 0.62, 0.63],
    [0.1, 0.2, 0.3, 0.25, 0.28, 0.31, 0.31, 0.3, 0.3, 0.3, 0.3],
    [np.nan, 3.0, 2.0, 1.0, 1.0],
    [3.0, np.nan, np.nan, 1.0],
    rng.random(12).round(2).tolist(),
]


class Optimizer:
    def __init__(self):
        self._rate = np.float32(0.1)

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate = np.float32(value)


class Model:
    stop_training = False
    metrics = ()

    def __init__(self):
        self.optimizer = Optimizer()
        self.epoch = -1
        self.saved = []

    def get_weights(self):
        return self.epoch

    def set_weights(self, epoch):
        self.epoch = epoch

    def save(self, path, **kwargs):
        self.saved.append(path)


def run(callback, values, batches=0):
    """What there is to see after each epoch of a run."""
    model, trace = Model(), []
    callback.set_params({"epochs": len(values), "steps": batches, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_begin(epoch, {})
        for batch in range(batches):
            callback.on_train_batch_begin(batch, {})
            callback.on_train_batch_end(batch, {"loss": value})
        logs = {"loss": value, "val_loss": value}
        callback.on_epoch_end(epoch, logs)
        names = "best wait best_epoch best_weights stopped_epoch cooldown_counter"
        state = {name: getattr(callback, name, None) for name in names.split()}
        rate = float(model.optimizer.learning_rate)
        trace.append((epoch, rate, logs, state, list(model.saved)))
        if model.stop_training:
            break
    callback.on_train_end({})
    return trace, model.epoch


def check(name, values, batches=0, **kwargs):
    left = run(getattr(ours, name)(**kwargs), values, batches)
    right = run(getattr(keras.callbacks, name)(**kwargs), values, batches)
    np.testing.assert_equal(left, right)


@pytest.mark.parametrize("values", SERIES)
@pytest.mark.parametrize("mode", ["min", "max", "auto"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        dict(patience=1),
        dict(patience=3, min_delta=0.05),
        dict(patience=2, baseline=0.65),
        dict(patience=2, start_from_epoch=3),
        dict(patience=4, baseline=0.5, start_from_epoch=1),
    ],
)
def test_early_stopping(values, mode, kwargs):
    check("EarlyStopping", values, mode=mode, restore_best_weights=True, **kwargs)


@pytest.mark.parametrize("values", SERIES)
@pytest.mark.parametrize("mode", ["min", "max", "auto"])
@pytest.mark.parametrize(
    "kwargs",
    [
        dict(patience=1),
        dict(patience=2, factor=0.5),
        dict(patience=1, cooldown=2),
        dict(patience=1, min_lr=0.03, factor=0.4),
        dict(patience=0, min_delta=0.2, cooldown=1),
    ],
)
def test_reduce_lr_on_plateau(values, mode, kwargs):
    check("ReduceLROnPlateau", values, mode=mode, **kwargs)


@pytest.mark.parametrize("values", SERIES[:2])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        dict(save_best_only=True),
        dict(save_best_only=True, mode="max"),
        dict(save_best_only=True, initial_value_threshold=0.7),
        dict(save_freq=1),
        dict(save_freq=4),
        dict(save_freq=7, monitor="loss", save_best_only=True),
    ],
)
def test_model_checkpoint(values, kwargs, tmp_path):
    by_batch = kwargs.get("save_freq", "epoch") != "epoch"
    name = "{epoch:03d}-{loss:.2f}" + ("-{batch}" if by_batch else "") + ".keras"
    check("ModelCheckpoint", values, 3, filepath=str(tmp_path / name), **kwargs)


@pytest.mark.parametrize(
    "schedule",
    [lambda e: 0.5 / (e + 1), lambda e, r: r * 0.9, lambda e, r=None: np.float32(0.25)],
)
def test_learning_rate_scheduler(schedule):
    check("LearningRateScheduler", [1.0, 2.0, 3.0], schedule=schedule)


def test_csv_logger(tmp_path):
    tables = []
    for package in (ours, keras.callbacks):
        path = tmp_path / f"{package.__name__}.csv"
        for append in (False, True):
            logger = package.CSVLogger(path, separator=";", append=append)
            logger.set_model(Model())
            logger.on_train_begin()
            logger.on_epoch_end(0, {"b": 0.5, "a": np.array([1.0, 2.5])})
            logger.on_epoch_end(1, {"b": 2, "val_b": 0.125, "new": 3})
            logger.on_train_end()
        with open(path, newline="") as file:
            tables.append(list(csv.reader(file, delimiter=";")))
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    "name", ["Callback", "CallbackList", "History", "LambdaCallback"]
)
def test_hooks(name):
    hooks = {n for n in dir(getattr(keras.callbacks, name)) if n.startswith("on_")}
    assert hooks <= set(dir(getattr(ours, name)))


SHARED = [name for name in ours.__all__ if hasattr(keras.callbacks, name)]


@pytest.mark.parametrize("name", SHARED)
def test_signatures(name):
    import inspect

    left = inspect.signature(getattr(ours, name)).parameters.values()
    right = inspect.signature(getattr(keras.callbacks, name)).parameters.values()
    found = [(p.name, p.default, p.kind) for p in left]
    if name == "TerminateOnNaN":
        found.pop()  # explain, behind Keras's
    assert found == [(p.name, p.default, p.kind) for p in right]


X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


def trained(package, *used, **settings):
    """(history, weights) of a training with callbacks of the package."""
    package.utils.set_random_seed(0)
    stack = [package.Input((3,)), package.layers.Dense(1, name="d")]
    model = package.Sequential(stack, name="m")
    optimizer = package.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "mse", metrics=["mae"])
    history = model.fit(
        *(X, X[:, :1]),
        validation_data=(X, X[:, 1:2]),
        batch_size=4,
        epochs=3,
        verbose=0,
        callbacks=list(used),
        **settings,
    )
    return history.history, model.get_weights()


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch):
    (left, left_weights), (right, right_weights) = (
        trained(package, package.callbacks.SwapEMAWeights(swap_on_epoch))
        for package in (minikeras, keras)
    )
    assert {*left} == {*right}
    for name, values in right.items():
        np.testing.assert_allclose(left[name], values, rtol=1e-6)
    for x, y in zip(left_weights, right_weights, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c.ModelCheckpoint("a.keras", verbose=1, save_best_only=True),
        lambda c: c.ModelCheckpoint("{epoch}-{batch}.keras", verbose=1, save_freq=2),
        lambda c: c.ModelCheckpoint(
            "a.weights.h5", "loss", 1, True, save_weights_only=True, mode="max"
        ),
        lambda c: c.EarlyStopping(
            "loss", mode="max", verbose=1, patience=1, restore_best_weights=True
        ),
        lambda c: c.ReduceLROnPlateau("loss", mode="max", verbose=1, patience=1),
        lambda c: c.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1),
    ],
    ids=["best", "batches", "weights", "stop", "plateau", "schedule"],
)
def test_what_is_printed(make, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    texts = []
    for package in (minikeras, keras):
        trained(package, make(package.callbacks))
        texts.append(capsys.readouterr().out)
    # A rate may differ in the last digit.
    left, right = ([_rounded(word) for word in text.split()] for text in texts)
    assert left == right and left


def _rounded(word):
    try:
        return round(float(word.rstrip(".,")), 5)
    except ValueError:
        return word
