"""The loops: epochs, callbacks and logs around the compiled steps."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.callbacks import CallbackList
from minikeras.core.symbolic import dry_run
from minikeras.data import unpack_x_y_sample_weight
from minikeras.data.batches import described
from minikeras.training.state import Lease, variables_of, weights_of
from minikeras.training.step import Rows, program


def prepare(model, adapter):
    """Create what depends on the shape of the data: weights, metrics, slots."""
    if model.built and model._is_ready():
        return
    x, y, sample_weight = unpack_x_y_sample_weight(adapter.peek())
    prepare_batch(model, x, y, sample_weight)


def prepare_batch(model, x, y=None, sample_weight=None):
    """`prepare` from one batch."""
    if not model.built or not model._is_ready():
        specs = jax.tree_util.tree_map(_spec, (x, y, sample_weight))
        model._prepare(*specs)


def build(model, x):
    """Create the model's weights from one batch of inputs."""
    dry_run(model, jax.tree_util.tree_map(_spec, x))


def _spec(x):
    x = jnp.asarray(x) if not hasattr(x, "dtype") else x
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    return jax.ShapeDtypeStruct(x.shape, dtype)


class Pass:
    """One compiled step, run over a feed on leased state, epoch after epoch."""

    def __init__(self, model, lease, feed, name, callbacks):
        self.model, self.lease, self.feed, self.name = model, lease, feed, name
        mode = name.removesuffix("_step")
        self.begin = _listeners(callbacks, f"on_{mode}_batch_begin")
        self.end = _listeners(callbacks, f"on_{mode}_batch_end")
        self.first = None  # what the first batch looked like

    def _sources(self):
        """What the step takes for each batch of an epoch."""
        feed = self.feed
        if not feed.resident:
            for batch in feed.batches():
                self.first = self.first or described(batch)
                yield batch
            return
        arrays, rows, size = feed.arrays(), feed.adapter.num_samples, feed.batch_size
        for start in range(0, rows, size):
            yield Rows(arrays, np.int32(start), min(size, rows - start))

    def run(self, outputs=None):
        """Run one epoch; append what each step returned to `outputs`, if given.

        Returns:
            Were there any batches?
        """
        model, lease, box = self.model, self.lease, self.lease.box
        step = program(model, lease.variables, self.name)
        group = model.steps_per_execution or 1
        number = -1
        for number, source in enumerate(self._sources()):
            if self.begin and number % group == 0:
                self.begin(number)
            try:
                box[:] = map(step, (box[0][0],), (source,))
            except Exception as error:
                self._explain(error, number, source)
                raise
            if outputs is not None:
                outputs.append(lease.logs)
            if self.end and (number + 1) % group == 0:
                self.end(number, self.batch_logs())
            if getattr(model, _STOP[self.name]):
                break
        if self.end and number >= 0 and (number + 1) % group:
            self.end(number + group - 1 - number % group, self.batch_logs())
        return number >= 0

    def _explain(self, error, number, source):
        """Say which batch the step failed on."""
        note = f"Raised in {self.name}, on batch {number} (counted from 0)"
        if not self.feed.resident:
            note += f", {described(source)}; the first batch was {self.first}"
        error.add_note(f"{note}.")

    def batch_logs(self):
        """Logs of the batch just dispatched, fetched when somebody looks."""
        logs = self.lease.logs
        if self.name == "predict_step":
            return LazyLogs(lambda: {"outputs": jax.device_get(logs)})
        return LazyLogs(lambda: to_python(logs))


_STOP = {
    "train_step": "stop_training",
    "test_step": "stop_evaluating",
    "predict_step": "stop_predicting",
}


def _listeners(callbacks, name):
    """The batch hook `name`, or None when no callback listens."""
    listening = getattr(callbacks, "_batch_hooks", None)
    if listening is not None and not listening()[name]:
        return None
    return getattr(callbacks, name)


def _callback_list(model, callbacks, **options):
    if isinstance(callbacks, CallbackList):
        return callbacks
    verbose = options["verbose"]
    return CallbackList(callbacks, model=model, add_progbar=verbose != 0, **options)


def fit(model, feed, validation, callbacks, epochs, initial_epoch, verbose):
    """Train for some epochs; `Trainer.fit` says what the arguments mean.

    Args:
        feed: the training `Feed`.
        validation: None, or (the validation `Feed`, the epochs that end with it).
        epochs, initial_epoch: number of the last epoch + 1, and of the first.

    Returns:
        The `History` callback.
    """
    prepare(model, feed.adapter)
    callbacks = _callback_list(
        model,
        callbacks,
        add_history=True,
        verbose=verbose,
        epochs=epochs,
        steps=feed.num_batches,
    )
    model.stop_training = False
    val_feed = validation[0] if validation else feed
    with feed, val_feed, Lease(variables_of(model)) as lease:
        training = Pass(model, lease, feed, "train_step", callbacks)
        evaluation = None
        callbacks.on_train_begin()
        logs = {}
        for epoch in range(initial_epoch, epochs):
            _follow_trainable(model, lease)
            model.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            feed.adapter.on_epoch_begin()
            if not training.run():
                model.stop_training = True  # an epoch of nothing has no logs to record
                break
            feed.adapter.on_epoch_end()
            logs = to_python(lease.logs)
            if validation and epoch + 1 in validation[1]:
                if evaluation is None:
                    evaluation = Pass(model, lease, val_feed, "test_step", callbacks)
                val_logs = _test_epoch(evaluation, callbacks)
                logs |= {f"val_{key}": value for key, value in val_logs.items()}
                logs = dict(sorted(logs.items()))
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if model.optimizer is not None and epochs > 0:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        callbacks.on_train_end(logs)
    return model.history


def _follow_trainable(model, lease):
    """A callback may have frozen or thawed layers since the last epoch."""
    now = {id(v) for v in model.trainable_variables}
    if now != {id(v) for v in lease.variables.params.values()}:
        lease.renew(variables_of(model))


def _test_epoch(evaluation, callbacks):
    model, adapter = evaluation.model, evaluation.feed.adapter
    model.stop_evaluating = False
    callbacks.on_test_begin()
    model.reset_metrics()
    adapter.on_epoch_begin()
    logs = to_python(evaluation.lease.logs) if evaluation.run() else {}
    adapter.on_epoch_end()
    callbacks.on_test_end(logs)
    return logs


def evaluate(model, feed, callbacks, verbose):
    """Loss and metrics over a feed, as a dict; see `Trainer.evaluate`."""
    prepare(model, feed.adapter)
    callbacks = _callback_list(
        model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches
    )
    with feed, Lease(variables_of(model)) as lease:
        return _test_epoch(Pass(model, lease, feed, "test_step", callbacks), callbacks)


def predict(model, feed, callbacks, verbose):
    """Outputs over a feed, in numpy; see `Trainer.predict`."""
    if not model.built:
        x, _, _ = unpack_x_y_sample_weight(feed.adapter.peek())
        build(model, x)
    callbacks = _callback_list(
        model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches
    )
    model.stop_predicting = False
    outputs: list = []
    with feed, Lease(weights_of(model)) as lease:
        callbacks.on_predict_begin()
        feed.adapter.on_epoch_begin()
        Pass(model, lease, feed, "predict_step", callbacks).run(outputs)
        feed.adapter.on_epoch_end()
        callbacks.on_predict_end()
    if not outputs:
        raise ValueError("predict: the data held no batch.")
    host = jax.device_get(outputs)
    return jax.tree_util.tree_map(lambda *parts: np.concatenate(parts), *host)


def one_step(model, name, batch):
    """Run a step on one batch; returns its logs or outputs."""
    variables = variables_of(model)
    with Lease(variables) as lease:
        step = program(model, variables, name)
        lease.box[:] = map(step, (lease.box[0][0],), (batch,))
        return lease.logs


# -- logs ---------------------------------------------------------------------------


def to_python(logs) -> dict:
    """{name: float, int or array on the host}, sorted by name."""
    host = jax.device_get(dict(logs))
    return {key: _number(host[key]) for key in sorted(host)}


def _number(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    return value


class LazyLogs(dict):
    """A dict that computes its content on first use.

    A callback that does not look costs nothing: no transfer, no wait for the device.
    """

    def __init__(self, fetch):
        super().__init__()
        self._fetch = fetch

    def _load(self):
        if self._fetch is not None:
            fetch, self._fetch = self._fetch, None
            super().update(fetch())
        return self

    def __reduce__(self):
        return dict, (dict(self._load().items()),)


def _loading(name):
    method = getattr(dict, name)

    def call(self, *args, **kwargs):
        return method(self._load(), *args, **kwargs)

    call.__name__ = name
    return call


for _name in (
    *("__getitem__", "__setitem__", "__delitem__", "__contains__", "__iter__"),
    *("__len__", "__eq__", "__ne__", "__repr__", "__or__", "__ror__", "__ior__"),
    *("get", "items", "keys", "values", "pop", "popitem", "update", "setdefault"),
    *("copy", "clear", "__reversed__"),
):
    setattr(LazyLogs, _name, _loading(_name))
