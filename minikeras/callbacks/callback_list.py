"""Many callbacks called as one, at no cost for the hooks nobody uses."""

import jax

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.history import History
from minikeras.callbacks.progbar_logger import ProgbarLogger

_MODES = ("train", "test", "predict")
_EDGES = ("begin", "end")
_BATCH_HOOKS = [f"on_{mode}_batch_{edge}" for mode in _MODES for edge in _EDGES]
# The older names reach a callback through the base class's train hooks.
_OLD_NAMES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}


class CallbackList(Callback):
    """A container that passes every hook on to its callbacks, in order.

    Callbacks are duck-typed: any object with the hooks will do.

    Args:
        callbacks: a callback, or a (nested) list of them.
        add_history: add a `History` unless there is one.
        add_progbar: add a `ProgbarLogger` unless there is one.
        model: the model at work.
        **params: what callbacks find in `params`.

    Attributes:
        needs_train_batch_hooks: whether `on_train_batch_begin` and
            `on_train_batch_end` must be called for every single batch. If not, call
            `on_train_batch_end` at leisure (for the progress bar), and once after the
            last batch.
        needs_test_batch_hooks: the same for `evaluate`.
        needs_predict_batch_hooks: the same for `predict`.
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
        self._mk_history = self._mk_find(History, add_history)
        self._mk_progbar = self._mk_find(ProgbarLogger, add_progbar)
        self._mk_hooks = None
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _mk_find(self, kind, add):
        found = next((c for c in self.callbacks if isinstance(c, kind)), None)
        if found is None and add:
            found = kind()
            self.callbacks.append(found)
        return found

    def append(self, callback):
        """Add a callback at the end."""
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
        return self._mk_needs("train")

    @property
    def needs_test_batch_hooks(self):
        return self._mk_needs("test")

    @property
    def needs_predict_batch_hooks(self):
        return self._mk_needs("predict")

    def _mk_needs(self, mode):
        return any(
            not getattr(callback, "_mk_batches_may_be_skipped", False)
            for edge in _EDGES
            for callback, _ in self._mk_batch_hooks()[f"on_{mode}_batch_{edge}"]
        )

    def _mk_batch_hooks(self):
        """For each batch hook, the callbacks that use it; found once a run."""
        if self._mk_hooks is None:
            self._mk_hooks = {
                name: [(c, getattr(c, name)) for c in self.callbacks if _uses(c, name)]
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


def _uses(callback, name):
    """Whether calling this batch hook of `callback` can do anything."""
    hook = getattr(callback, name)
    function = getattr(hook, "__func__", hook)
    if function is getattr(callback, "_mk_idle_hooks", {}).get(name):
        return False
    if function is not getattr(Callback, name):
        return True
    return name in _OLD_NAMES and _uses_old_name(callback, _OLD_NAMES[name])


def _uses_old_name(callback, name):
    hook = getattr(callback, name)
    return getattr(hook, "__func__", hook) is not getattr(Callback, name)
