import pytest

from minikeras.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgbarLogger,
    TerminateOnNaN,
)
from tests.callbacks.stubs import Model

HOOKS = [name for name in dir(Callback) if name.startswith("on_")]


class Recorder(Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _recording(name):
    def hook(self, *args, **kwargs):
        self.calls.append((name, *args, *kwargs.values()))

    return hook


for _name in HOOKS:
    setattr(Recorder, _name, _recording(_name))


class Duck:
    """Has the hooks but not the base class."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("on_"):
            return lambda *args: self.calls.append(name)
        raise AttributeError(name)

    def set_model(self, model):
        self.model = model

    def set_params(self, params):
        self.params = params


def test_every_hook_is_passed_on_in_order():
    recorder, duck = Recorder(), Duck()
    callbacks = CallbackList([recorder, [duck]])
    for name in HOOKS:
        args = (3,) if "batch" in name or "epoch" in name else ()
        getattr(callbacks, name)(*args)
        assert recorder.calls[-1] == (name, *args, {})
        assert duck.calls[-1] == name
    callbacks.on_epoch_end(1, {"loss": 2.0})
    assert recorder.calls[-1] == ("on_epoch_end", 1, {"loss": 2.0})


def test_model_and_params_reach_every_callback():
    recorder, model = Recorder(), Model()
    callbacks = CallbackList(
        recorder, add_history=True, add_progbar=True, model=model, epochs=2, steps=5
    )
    kinds = [type(c) for c in callbacks.callbacks]
    assert kinds == [Recorder, History, ProgbarLogger]
    assert recorder.model is model and callbacks.model is model
    assert recorder.params == {"epochs": 2, "steps": 5}
    assert model.history is callbacks.callbacks[1]


def test_existing_history_and_progbar_are_kept():
    own = [ProgbarLogger(), History()]
    assert CallbackList(own, add_history=True, add_progbar=True).callbacks == own


def test_old_batch_hooks():
    class Old(Callback):
        seen = ()

        def on_batch_end(self, batch, logs=None):
            self.seen += (batch,)

    old = Old()
    callbacks = CallbackList([old])
    callbacks.on_train_batch_begin(4, {})
    callbacks.on_train_batch_end(5, {})
    callbacks.on_test_batch_end(6, {})
    assert old.seen == (5,)


class CustomCheckpoint(ModelCheckpoint):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)


@pytest.mark.parametrize(
    ("callback", "needs"),
    [
        (lambda: None, (False, False, False)),
        (Callback, (False, False, False)),
        (History, (False, False, False)),
        (EarlyStopping, (False, False, False)),
        (ProgbarLogger, (False, False, False)),
        (lambda: ModelCheckpoint("a.keras"), (False, False, False)),
        (lambda: ModelCheckpoint("a.keras", save_freq=3), (True, False, False)),
        (lambda: CustomCheckpoint("a.keras"), (True, False, False)),
        (TerminateOnNaN, (True, False, False)),
        (lambda: LambdaCallback(on_epoch_end=print), (False, False, False)),
        (lambda: LambdaCallback(on_train_batch_end=print), (True, False, False)),
        (lambda: LambdaCallback(on_batch_begin=print), (True, False, False)),
        (lambda: LambdaCallback(on_test_batch_begin=print), (False, True, False)),
        (lambda: LambdaCallback(on_predict_batch_end=print), (False, False, True)),
        (Recorder, (True, True, True)),
        (Duck, (True, True, True)),
    ],
)
def test_who_needs_batch_hooks(callback, needs):
    callbacks = CallbackList([callback()], add_history=True, add_progbar=True)
    found = (
        callbacks.needs_train_batch_hooks,
        callbacks.needs_test_batch_hooks,
        callbacks.needs_predict_batch_hooks,
    )
    assert found == needs


def test_append_and_late_hooks():
    callbacks = CallbackList()
    assert not callbacks.needs_train_batch_hooks
    callbacks.append(TerminateOnNaN())
    assert callbacks.needs_train_batch_hooks
    late = Callback()
    callbacks = CallbackList([late])
    assert not callbacks.needs_train_batch_hooks
    late.on_train_batch_end = lambda batch, logs: None
    callbacks.on_train_begin()
    assert callbacks.needs_train_batch_hooks


def test_subclass_with_another_metaclass():
    class Meta(type):
        pass

    class Other(Callback, metaclass=Meta):
        pass

    CallbackList([Other()]).on_train_begin()


def test_history():
    history, model = History(), Model()
    history.set_model(model)
    history.on_train_begin()
    history.on_epoch_end(3, {"loss": 1.0})
    history.on_epoch_end(4, {"loss": 0.5, "val_loss": 2.0})
    assert history.epoch == [3, 4] and model.history is history
    assert history.history == {"loss": [1.0, 0.5], "val_loss": [2.0]}
