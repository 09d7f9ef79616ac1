"""The loops: epochs, callbacks and logs around the compiled steps."""

import collections

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.callbacks import CallbackList
from minikeras.core.shape_inference import dry_run
from minikeras.data import unpack_x_y_sample_weight
from minikeras.data.batches import described
from minikeras.layers.building import building
from minikeras.training.cost import steps_at_once
from minikeras.training.feed import BatchSlice
from minikeras.training.interrupts import Interrupts
from minikeras.training.logs import LazyLogs, to_python
from minikeras.training.program import program
from minikeras.training.state import StateLease, borrowed, variables_of, weights_of


def prepare(model, adapter):
    """Create what depends on the shape of the data: weights, metrics, slots.

    Looking at the first batch may draw the order of the data, so it is only looked at
    where Keras does.
    """
    known = model.built and model._mk_knows_data()
    prepare_batch(model, *(() if known else unpack_x_y_sample_weight(adapter.peek())))


def prepare_batch(model, x=None, y=None, sample_weight=None):
    """`prepare` from one batch."""
    if model._mk_is_prepared():
        return
    with building:
        if model.built and model._mk_knows_data():
            model._mk_build_optimizer()
        else:
            specs = jax.tree_util.tree_map(_spec, (x, y, sample_weight))
            model._mk_prepare(*specs)


def build(model, x):
    """Create the model's weights from one batch of inputs, if it has none."""
    if not model.built:
        with building:
            if not model.built:
                dry_run(model, jax.tree_util.tree_map(_spec, x))


def _spec(x):
    x = jnp.asarray(x) if not hasattr(x, "dtype") else x
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    return jax.ShapeDtypeStruct(x.shape, dtype)


# Steps of one dispatch at most: so long does an interrupt or the progress bar wait.
_MOST_STEPS = 256


class EpochRunner:
    """One compiled step, run over a feed on leased state, epoch after epoch."""

    def __init__(self, model, lease, feed, name, callbacks):
        self.model, self.lease, self.feed, self.name = model, lease, feed, name
        self.callbacks = callbacks
        mode = name.removesuffix("_step")
        self.begin = _listeners(callbacks, f"on_{mode}_batch_begin")
        self.end = _listeners(callbacks, f"on_{mode}_batch_end")
        self.group = model.steps_per_execution
        # Callbacks see every execution; where none looks, executions go together.
        looked_at = getattr(callbacks, f"needs_{mode}_batch_hooks", True)
        self.most = self.group if looked_at else max(self.group, _MOST_STEPS)
        self.first = None  # what the first batch looked like

    def run(self, outputs=None):
        """Run one epoch; add what the steps returned to `outputs`, if given.

        Returns:
            Were there any batches?
        """
        model, group, lease = self.model, self.group, self.lease
        step = program(model, lease.variables, self.name)
        last, recent = -1, []
        stride = self._stride(step, outputs)
        for way, arguments, count in self._begun(self.feed.dispatches(stride)):
            if self.first is None and self.feed.num_batches != 1:
                self.first = _in_words(arguments[0])
            try:
                with lease.stepping:
                    run, given = getattr(step, way), zip(arguments)
                    lease.box[:] = map(run, (lease.tables(),), *given)
            except Exception as error:
                error.add_note(
                    f"Raised in {self.name}, on batch {last + 1} (counted from 0), "
                    f"{_in_words(arguments[0])}; the first batch was "
                    f"{self.first or 'the same'}."
                )
                raise
            if lease.interrupts.waiting:
                lease.interrupts.deliver()
            last += count
            returned = (lease.logs, count if way == "many" else None)
            if outputs is not None:
                outputs.add(*returned)
            if self.end:
                recent.append(returned)
                if (last + 1) % group == 0:
                    self.end(last, self.batch_logs(recent))
                    recent = []
            if getattr(model, _STOP[self.name]):
                break
        if self.end and last >= 0 and (last + 1) % group:
            self.end(last + group - 1 - last % group, self.batch_logs(recent))
        return last >= 0

    def _begun(self, dispatches):
        """The dispatches; the callbacks hear of an execution before it is fetched.

        Where nobody knows whether there is one, as at the end of a source of unknown
        length or of one that fills steps of another number, they hear of it afterwards.
        """
        feed, number, begin = self.feed, 0, self.begin
        certain = (feed.steps is None) == (feed.adapter.num_batches is not None)
        total = feed.num_batches if certain else None
        while True:
            due = number % self.group == 0
            early = total is not None and number < total
            if begin is not None and due and early:
                begin(number)
            if (dispatch := next(dispatches, None)) is None:
                return
            if begin is not None and due and not early:
                begin(number)
            yield dispatch
            number += dispatch[2]

    def _stride(self, step, outputs):
        """How many steps go in one dispatch: whole executions, 0 without a loop."""
        batch, size, at_once = self.feed.shapes, self.feed.batch_size, 0
        if batch is not None:
            if size not in step.at_once:
                jaxpr = step.trace(self.lease.box[0][0], batch).jaxpr
                keeps = outputs is not None
                step.at_once[size] = steps_at_once(jaxpr, _MOST_STEPS, keeps)
            at_once = min(step.at_once[size], self.most)
        return max(at_once // self.group * self.group, min(at_once, 1))

    def batch_logs(self, recent):
        """Logs of the execution just dispatched, fetched when somebody looks."""
        if self.name == "predict_step":
            return LazyLogs(lambda: {"outputs": joined(on_host(*r) for r in recent)})
        return LazyLogs(lambda: to_python(recent[-1][0]))


def _in_words(batch):
    return "rows of arrays" if isinstance(batch, BatchSlice) else described(batch)


class Outputs:
    """What prediction returns, brought to the host two dispatches behind the device:
    nobody waits, and the device holds little of a large prediction at a time."""

    _BEHIND = 2

    def __init__(self):
        self._pending, self._parts = collections.deque(), []

    def add(self, outputs, count):
        """Add what `on_host` takes."""
        for leaf in jax.tree_util.tree_leaves(outputs):
            if isinstance(leaf, jax.Array):
                leaf.copy_to_host_async()
        self._pending.append((outputs, count))
        while len(self._pending) > self._BEHIND:
            self._parts.append(on_host(*self._pending.popleft()))

    def all(self):
        """The outputs of all samples, as new numpy arrays; None without any."""
        parts = self._parts + [on_host(*pending) for pending in self._pending]
        return joined(parts) if parts else None


def on_host(outputs, count):
    """Outputs of one step, or the first `count` of many that are stacked, in numpy."""
    outputs = jax.tree_util.tree_map(np.asarray, outputs)
    if count is None:
        return outputs
    return jax.tree_util.tree_map(
        lambda a: a[:count].reshape(-1, *a.shape[2:]), outputs
    )


def joined(parts):
    """Outputs of several steps as one."""
    return jax.tree_util.tree_map(lambda *a: np.concatenate(a), *parts)


_STOP = {
    "train_step": "stop_training",
    "test_step": "stop_evaluating",
    "predict_step": "stop_predicting",
}


def _listeners(callbacks, name):
    """The batch hook `name`, or None when no callback listens."""
    listening = getattr(callbacks, "_mk_batch_hooks", None)
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
        feed: the training `BatchFeed`.
        validation: None, or (the validation `BatchFeed`, the epochs that end with it).
        epochs, initial_epoch: number of the last epoch + 1, and of the first.

    Returns:
        The `History` callback.
    """
    val_feed = validation[0] if validation else feed
    with Interrupts() as interrupts, feed, val_feed:
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
        with StateLease(variables_of(model), interrupts) as lease:
            training = EpochRunner(model, lease, feed, "train_step", callbacks)
            evaluation = EpochRunner(model, lease, val_feed, "test_step", callbacks)
            callbacks.on_train_begin()
            logs = {}
            for epoch in range(initial_epoch, epochs):
                validates = validation and epoch + 1 in validation[1]
                found = _epoch(epoch, training, evaluation if validates else None)
                if found is None:
                    break
                logs = found
                if model.stop_training:
                    break
            if model.optimizer is not None and epochs > 0:
                model.optimizer.finalize_variable_values(model.trainable_variables)
            callbacks.on_train_end(logs)
    return model.history


def _epoch(epoch, training, evaluation):
    """Train for one epoch, then evaluate if asked; the logs, or None without data."""
    model, lease, adapter = training.model, training.lease, training.feed.adapter
    callbacks = training.callbacks
    _follow_trainable(model, lease)
    model.reset_metrics()
    callbacks.on_epoch_begin(epoch)
    adapter.on_epoch_begin()
    if not training.run():
        model.stop_training = True  # an epoch of nothing has no logs to record
        return None
    adapter.on_epoch_end()
    logs = to_python(lease.logs)
    if evaluation is not None:
        # Keras takes an epoch of its validation data for ended before each, too.
        evaluation.feed.adapter.on_epoch_end()
        val_logs = _test_epoch(evaluation, callbacks)
        logs |= {f"val_{key}": value for key, value in val_logs.items()}
        logs = dict(sorted(logs.items()))
    callbacks.on_epoch_end(epoch, logs)
    return logs


def _follow_trainable(model, lease):
    """A callback may have frozen or thawed layers since the last epoch."""
    now = {id(v) for v in model.trainable_variables}
    if now != {id(v) for v in lease.variables.params.values()}:
        lease.renew(variables_of(model))


def _test_epoch(evaluation, callbacks):
    model, adapter = evaluation.model, evaluation.feed.adapter
    model.stop_evaluating = False
    callbacks.on_test_begin()
    evaluation.lease.begin(model.reset_metrics)
    adapter.on_epoch_begin()
    logs = to_python(evaluation.lease.logs) if evaluation.run() else {}
    adapter.on_epoch_end()
    evaluation.lease.show()
    callbacks.on_test_end(logs)
    return logs


def evaluate(model, feed, callbacks, verbose):
    """Loss and metrics over a feed, as a dict; see `Trainer.evaluate`."""
    with Interrupts() as interrupts, feed:
        prepare(model, feed.adapter)
        callbacks = _callback_list(
            model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches
        )
        watched = callbacks.needs_test_batch_hooks
        with borrowed(variables_of(model), interrupts, watched) as lease:
            evaluation = EpochRunner(model, lease, feed, "test_step", callbacks)
            return _test_epoch(evaluation, callbacks)


def predict(model, feed, callbacks, verbose):
    """Outputs over a feed, in numpy; see `Trainer.predict`."""
    outputs = Outputs()
    with Interrupts() as interrupts, feed:
        if not model.built:
            x, _, _ = unpack_x_y_sample_weight(feed.adapter.peek())
            build(model, x)
        callbacks = _callback_list(
            model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches
        )
        model.stop_predicting = False
        watched = callbacks.needs_predict_batch_hooks
        with borrowed(weights_of(model), interrupts, watched) as lease:
            callbacks.on_predict_begin()
            lease.begin()
            feed.adapter.on_epoch_begin()
            EpochRunner(model, lease, feed, "predict_step", callbacks).run(outputs)
            feed.adapter.on_epoch_end()
            lease.show()
            callbacks.on_predict_end()
    found = outputs.all()
    if found is None:
        raise ValueError("predict: the data held no batch.")
    return found


def one_step(model, name, batch):
    """Build what is missing and run a step on one batch; its logs or outputs."""
    predicts, trains = name == "predict_step", name == "train_step"
    with Interrupts() as interrupts:
        build(model, batch[0]) if predicts else prepare_batch(model, *batch)
        variables = weights_of(model) if predicts else variables_of(model)
        with (StateLease if trains else borrowed)(variables, interrupts) as lease:
            lease.begin(None if predicts else model.reset_metrics)
            step = program(model, variables, name)
            with lease.stepping:
                lease.box[:] = map(step.batch, (lease.tables(),), (batch,))
            return lease.logs
