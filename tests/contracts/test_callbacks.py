"""What every callback promises, for every class."""

import copy
import functools
import inspect
import pickle

import numpy as np
import pytest

import minikeras as keras
from minikeras import callbacks

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")
BATCHES, EPOCHS = 2, 3  # of X in batches of 4


def halve_late(epoch, rate):
    return rate * 0.5 if epoch > 90 else rate


def nothing(*args):
    """A hook that can be pickled."""


# {class: (arguments, attributes that are as new at the start of each fit)}
ROWS = {
    "BackupAndRestore": ({"backup_dir": "backup"}, ()),
    "CSVLogger": ({"filename": "log.csv"}, ()),
    "Callback": ({}, ()),
    "CallbackList": ({}, ()),
    "EarlyStopping": (
        {"monitor": "loss", "patience": 9, "restore_best_weights": True},
        ("wait", "stopped_epoch"),
    ),
    "GradientMonitor": ({"freq": 2}, ()),
    "History": ({}, ("epoch",)),
    "LambdaCallback": ({"on_epoch_end": nothing, "on_train_begin": nothing}, ()),
    "LearningRateFinder": ({"min_lr": 1e-3, "max_lr": 1e-2, "steps": 12}, ()),
    "LearningRateScheduler": ({"schedule": halve_late}, ()),
    "ModelCheckpoint": ({"filepath": "model.keras"}, ()),
    "OrbaxCheckpoint": ({"directory": "steps"}, ()),
    "Profiler": ({"steps": 2}, ()),
    "ProgbarLogger": ({}, ()),
    "ReduceLROnPlateau": (
        {"monitor": "loss", "patience": 9},
        ("wait", "cooldown_counter"),
    ),
    "RemoteMonitor": ({"root": "http://localhost:1"}, ()),
    "SwapEMAWeights": ({"swap_on_epoch": True}, ()),
    "TensorBoard": ({"histogram_freq": 1, "update_freq": 1}, ()),
    "Report": ({"path": "run.html", "gradient_freq": 2}, ()),
    "TerminateOnNaN": ({}, ()),
}
_each = pytest.mark.parametrize("name", ROWS)
pytestmark = pytest.mark.filterwarnings("ignore:Could not reach RemoteMonitor")


def make(name):
    if name == "OrbaxCheckpoint":
        pytest.importorskip("orbax.checkpoint")
    return getattr(callbacks, name)(**ROWS[name][0])


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@functools.cache
def compiled(number, use_ema):
    """A model and the first values of its weights and of its optimizer."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.1, use_ema=use_ema)
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X[:4], Y[:4], verbose=0, epochs=0)
    model.optimizer.build(model.trainable_variables)
    state = [v.numpy() for v in model.optimizer.variables]
    return model, model.get_weights(), state


def small_model(number=0, name=None):
    """The same model with its first values: its programs are compiled once."""
    model, weights, state = compiled(number, name == "SwapEMAWeights")
    model.set_weights(weights)
    model.optimizer.set_weights(state)
    keras.utils.set_random_seed(0)
    return model


def fit(model, *used, **settings):
    settings = {"epochs": EPOCHS, "batch_size": 4, "verbose": 0, **settings}
    return model.fit(X, Y, callbacks=list(used), **settings)


class Recorder(callbacks.Callback):
    """Notes the name of each hook that is called, and the sizes of its logs."""

    def __init__(self):
        super().__init__()
        self.called = []

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end"):

            def hook(*args, **kwargs):
                self.called.append(name)
                return value(*args, **kwargs)

            return hook
        return value


def test_table_covers_every_callback():
    classes = {n for n in callbacks.__all__ if inspect.isclass(getattr(callbacks, n))}
    assert classes == {*ROWS}


@_each
def test_copies_and_pickles(name):
    callback = make(name)
    for again in (copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):
        assert type(again) is type(callback) and again is not callback
        assert {*vars(again)} == {*vars(callback)}
        fit(small_model(0, name), again, epochs=1)


@_each
def test_does_not_change_what_is_learned(name):
    if name == "LearningRateFinder":
        return  # it trains with rates of its own; the model is as before at the end
    model = small_model(0, name)
    expected, weights = fit(model).history, model.get_weights()
    found = fit(small_model(0, name), make(name)).history
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values)
    for x, y in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


@_each
def test_serves_two_fits_and_two_models(name):
    callback, first, second = make(name), small_model(0, name), small_model(1, name)
    fit(first, callback)
    seen = []
    attributes = ROWS[name][1]
    note = callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.extend(
            np.size(getattr(callback, a)) and np.sum(getattr(callback, a))
            for a in attributes
        )
    )
    fit(first, callback, note)
    assert not any(seen)
    fit(second, callback)
    assert callback.model is second


@_each
def test_in_evaluate_and_predict(name, capsys):
    model, callback = small_model(0, name), make(name)
    alone = model.evaluate(X, Y, verbose=0), model.predict(X, verbose=0)
    loss = model.evaluate(X, Y, verbose=0, callbacks=[callback])
    y = model.predict(X, verbose=0, callbacks=[callback])
    np.testing.assert_array_equal(loss, alone[0])
    np.testing.assert_array_equal(y, alone[1])
    assert capsys.readouterr().out == "" or name == "Profiler"  # it prints a table


def batches(mode, count):
    return [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"] * count


def test_order_of_hooks_in_fit():
    recorder = Recorder()
    fit(small_model(), recorder, validation_data=(X, Y))
    validation = ["on_test_begin", *batches("test", BATCHES), "on_test_end"]
    epoch = [
        "on_epoch_begin",
        *batches("train", BATCHES),
        *validation,
        "on_epoch_end",
    ]
    assert recorder.called == ["on_train_begin", *epoch * EPOCHS, "on_train_end"]


@pytest.mark.parametrize("mode", ["test", "predict"])
def test_order_of_hooks_in_evaluate_and_predict(mode):
    model, recorder = small_model(), Recorder()
    settings = {"batch_size": 4, "verbose": 0, "callbacks": [recorder]}
    if mode == "test":
        model.evaluate(X, Y, **settings)
    else:
        model.predict(X, **settings)
    inner = batches(mode, BATCHES)
    assert recorder.called == [f"on_{mode}_begin", *inner, f"on_{mode}_end"]


def test_callbacks_are_called_in_their_order():
    called = []
    hooks = [
        callbacks.LambdaCallback(on_epoch_end=lambda *_, i=i: called.append(i))
        for i in range(3)
    ]
    fit(small_model(), *hooks, epochs=2)
    assert called == [0, 1, 2, 0, 1, 2]


HOOKS = [name for name in vars(callbacks.Callback) if name.startswith("on_")]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_optional(name):
    """A callback with this hook alone is called by it, and misses no other."""
    called = []
    hook = {name: lambda self, *args, **kwargs: called.append(kwargs.get("logs", args))}
    callback = type("One", (callbacks.Callback,), hook)()
    model = small_model()
    fit(model, callback, epochs=1, validation_data=(X, Y))
    model.predict(X, verbose=0, callbacks=[callback])
    assert called


@_each
def test_hooks_take_no_logs(name):
    """Users call hooks by themselves, without `logs`."""
    callback = make(name)
    callback.set_params({"epochs": 1, "steps": 1, "verbose": 0})
    callback.set_model(small_model(0, name))
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for mode in ("train", "test", "predict"):
        getattr(callback, f"on_{mode}_batch_begin")(0)
        getattr(callback, f"on_{mode}_batch_end")(0)
    if name not in ("EarlyStopping", "ReduceLROnPlateau"):  # they warn of the metric
        callback.on_epoch_end(0)
    callback.on_train_end()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: callbacks.CallbackList([callbacks.History]), "is not a callback"),
        (lambda: callbacks.ModelCheckpoint("x.txt"), "must end in '.keras'"),
        (
            lambda: callbacks.ModelCheckpoint("x.keras", save_freq=1.5),
            "Unrecognized save_freq",
        ),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), "a factor below 1"),
        (
            lambda: fit(
                small_model(), callbacks.LearningRateScheduler(lambda epoch: "fast")
            ),
            "to return a float",
        ),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises((TypeError, ValueError), match=match):
        make()
