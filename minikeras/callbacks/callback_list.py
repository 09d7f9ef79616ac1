"""CallbackList: calls the hooks of several callbacks, if they override them."""

import jax

from minikeras.callbacks.backup_and_restore import BackupAndRestore
from minikeras.callbacks.callback import Callback
from minikeras.callbacks.history import History
from minikeras.callbacks.progbar_logger import ProgbarLogger

_MODES = ("train", "test", "predict")
_EDGES = ("begin", "end")
_BATCH_HOOKS = [f"on_{mode}_batch_{edge}" for mode in _MODES for edge in _EDGES]
# The train hooks of the base class call the hooks of these names.
_OLD_NAMES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}


class CallbackList(Callback):
    """Calls every hook of its callbacks, in order.

    Callbacks may be any objects with the hooks: they need not subclass `Callback`.

    Args:
        callbacks: a callback, or a (nested) list of them; None: none.
        add_history: True adds a `History` unless there is one.
        add_progbar: True adds a `ProgbarLogger` unless there is one.
        model: the model that is trained, evaluated or used; None if it is set later.
        **params: entries of the dict `params` that callbacks receive.

    Raises:
        TypeError: something in `callbacks` is no callback.

    >>> callbacks = CallbackList([History()], add_progbar=True)
    >>> len(callbacks.callbacks)
    2
    """

    def __init__(
        self, callbacks=None, add_history=False, add_progbar=False, model=None, **params
    ):
        super().__init__()
        is_leaf = lambda node: not isinstance(node, (list, tuple))  # noqa: E731
        self.callbacks = jax.tree_util.tree_leaves(callbacks, is_leaf=is_leaf)
        self.callbacks = [c for c in self.callbacks if c is not None]
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise TypeError(
                    f"callbacks: {callback!r} is not a callback. Pass objects, such as "
                    "keras.callbacks.EarlyStopping()."
                )
        self.backup = self._mk_find(BackupAndRestore, False)
        self._mk_history = self._mk_find(History, add_history)
        self._mk_progbar = self._mk_find(ProgbarLogger, add_progbar)
        self._mk_hooks = None
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _mk_find(self, kind, add):
        """The first callback of this class; if there is none, a new one if `add`."""
        found = next((c for c in self.callbacks if isinstance(c, kind)), None)
        if found is None and add:
            found = kind()
            self.callbacks.append(found)
        return found

    def append(self, callback):
        """Append a callback.

        Args:
            callback: object with the hooks of a callback.
        """
        self.callbacks.append(callback)
        self._mk_hooks = None

    def set_params(self, params):
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model):
        super().set_model(model)
        if self._mk_history is not None:
            model.history = self._mk_history
        for callback in self.callbacks:
            callback.set_model(model)

    @property
    def needs_train_batch_hooks(self):
        """True if the batch hooks must be called for every batch of `fit`.

        If False, calling `on_train_batch_end` at times, and after the last batch, is
        enough.
        """
        return self._mk_needs("train")

    @property
    def needs_test_batch_hooks(self):
        """True if the batch hooks must be called for every batch of `evaluate`."""
        return self._mk_needs("test")

    @property
    def needs_predict_batch_hooks(self):
        """True if the batch hooks must be called for every batch of `predict`."""
        return self._mk_needs("predict")

    def _mk_needs(self, mode):
        """True if a callback uses a batch hook of the mode, and cannot skip batches."""
        return any(
            not getattr(callback, "_mk_batches_may_be_skipped", False)
            for edge in _EDGES
            for callback, _ in self._mk_batch_hooks()[f"on_{mode}_batch_{edge}"]
        )

    def _mk_batch_hooks(self):
        """{name of a batch hook: [(callback, hook)]}, of callbacks that use the hook.

        Computed once in each `fit`, not in each batch.
        """
        if self._mk_hooks is None:
            self._mk_hooks = {
                name: [
                    (c, getattr(c, name)) for c in self.callbacks if _uses_hook(c, name)
                ]
                for name in _BATCH_HOOKS
            }
        return self._mk_hooks

    def _mk_call_batch(self, name, batch, logs):
        for _, hook in self._mk_batch_hooks()[name]:
            hook(batch, {} if logs is None else logs)

    def _mk_call(self, name, *args, logs):
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(*args, logs)

    def on_batch_begin(self, batch, logs=None):
        self._mk_call("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch, logs=None):
        self._mk_call("on_batch_end", batch, logs=logs)

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_call("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch, logs=None):
        self._mk_call("on_epoch_end", epoch, logs=logs)

    def on_train_batch_begin(self, batch, logs=None):
        self._mk_call_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self._mk_call_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        self._mk_call_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        self._mk_call_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch, logs=None):
        self._mk_call_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        self._mk_call_batch("on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs=None):
        self._mk_hooks = None
        self._mk_call("on_train_begin", logs=logs)

    def on_train_end(self, logs=None):
        self._mk_call("on_train_end", logs=logs)

    def on_test_begin(self, logs=None):
        self._mk_call("on_test_begin", logs=logs)

    def on_test_end(self, logs=None):
        self._mk_call("on_test_end", logs=logs)

    def on_predict_begin(self, logs=None):
        self._mk_call("on_predict_begin", logs=logs)

    def on_predict_end(self, logs=None):
        self._mk_call("on_predict_end", logs=logs)


def _uses_hook(callback, name):
    """True unless calling this batch hook of the callback would do nothing."""
    hook = getattr(callback, name)
    function = getattr(hook, "__func__", hook)
    if function is getattr(callback, "_mk_unused_hooks", {}).get(name):
        return False
    if function is not getattr(Callback, name):
        return True
    return name in _OLD_NAMES and _overrides_old_name(callback, _OLD_NAMES[name])


def _overrides_old_name(callback, name):
    hook = getattr(callback, name)
    return getattr(hook, "__func__", hook) is not getattr(Callback, name)
