"""`fit`, `evaluate`, `predict`: epochs and callbacks around the compiled steps."""

import contextlib
import functools
from collections.abc import Callable, Container
from typing import Any

import jax
import jax.numpy as jnp

from minikeras import settings
from minikeras.callbacks import CallbackList
from minikeras.core import host_calls
from minikeras.core.bridge import Frame, current, isolated
from minikeras.core.dtypes import is_text
from minikeras.data import unpack_x_y_sample_weight
from minikeras.data.batches import described
from minikeras.layers.building import build_lock
from minikeras.training.feed.base import BatchFeed
from minikeras.training.feed.dispatch import BatchSlice
from minikeras.training.interrupts import Interrupts
from minikeras.training.layer_norms import make_look
from minikeras.training.lease import ReadLease, StateLease, evaluation_lease
from minikeras.training.logs import LazyLogs, to_python
from minikeras.training.nan_tracing import NanTracer
from minikeras.training.predictions import Predictions, concatenated, on_host
from minikeras.training.program import program_of
from minikeras.training.protocol import TrainableModel
from minikeras.training.run_state import run_state
from minikeras.training.state import Start, variables_of, weights_of


class EpochRunner:
    """Runs one compiled step over a feed, epoch after epoch, on leased state.

    Args:
        model: the model.
        lease: has the arrays.
        feed: gives the dispatches.
        name: of the step: `"train_step"`, `"test_step"` or `"predict_step"`.
        callbacks: their batch hooks see each execution of `steps_per_execution` steps.
    """

    def __init__(
        self,
        model: TrainableModel,
        lease: ReadLease,
        feed: BatchFeed,
        name: str,
        callbacks: CallbackList,
    ):
        self.model, self.lease, self.feed, self.name = model, lease, feed, name
        self.callbacks = callbacks
        mode = name.removesuffix("_step")
        # None where no callback overrides the hook: a step of a small model takes 0.03
        # ms, and a hook that does nothing would add to that.
        self.on_begin = _batch_hook(callbacks, f"on_{mode}_batch_begin")
        self.on_end = _batch_hook(callbacks, f"on_{mode}_batch_end")
        self.steps_per_execution = model.steps_per_execution
        self._has_batch_hooks = getattr(callbacks, f"needs_{mode}_batch_hooks", True)
        self._first_batch_text = None  # in words, for errors
        # A callback that is to explain a NaN sets the first.
        self.explains, self.tracer = False, None
        self.last_dispatch: Any = None
        self._look: Any = None
        # A callback that looks into steps gets the runner.
        for callback in getattr(callbacks, "callbacks", ()):
            if hasattr(callback, "_mk_watch"):
                callback._mk_watch(self)

    def run(
        self,
        outputs: Predictions | None = None,
        given: int = 0,
        after_execution: Callable[[int], None] | None = None,
    ) -> bool:
        """Run one epoch; returns False if the feed had no batch.

        Args:
            outputs: `Predictions` for the results of the steps; None discards them.
            given: how many batches of the epoch have been run before.
            after_execution: function that is called with the number of batches so far,
                when the hooks have been.
        """
        lease, size = self.lease, self.steps_per_execution
        # Asked for in each epoch: a callback may have frozen layers since the last.
        program = program_of(self.model, lease.variables, self.name)
        if self.feed.adapter.takes_text:
            self.feed.on_host = host_calls.preparation(program, lease.sections())
        keeps_outputs = outputs is not None
        steps_per_dispatch = program.steps_per_dispatch(
            lease.sections(), self.feed, size, self._has_batch_hooks, keeps_outputs
        )
        done, results = given, []
        dispatches = self.feed.dispatches(steps_per_dispatch, given)
        for dispatch in self._with_begin_hooks(dispatches, given):
            self.last_dispatch = dispatch
            try:
                if self.tracer is not None:
                    self.tracer.before(program, dispatch, done)
                lease.run(*program.call_for(dispatch))
            except Exception as error:
                error.add_note(self._position(done, dispatch.batch))
                raise
            # The state is whole here. A Ctrl-C that waited may raise now.
            if lease.interrupts.waiting:
                lease.interrupts.deliver()
            done += dispatch.steps
            stacked = None if dispatch.max_steps is None else dispatch.steps
            result = lease.logs, stacked
            if outputs is not None:
                outputs.add(*result)
            if self.on_end:
                # The arrays stay on the device: nothing here waits for the step.
                results.append(result)
                if done % size == 0:
                    self.on_end(done - 1, self._batch_logs(results))
                    results = []
            if getattr(self.model, _STOP_ATTRIBUTES[self.name]):
                break
            if after_execution is not None and done % size == 0:
                after_execution(done)
        if self.on_end and done % size:
            # Keras numbers an execution by its last batch, also where it is cut short.
            last = done + size - done % size - 1
            self.on_end(last, self._batch_logs(results))
        return done > 0

    def look(self) -> Any:
        """Gradients, weights and silent units on the last batch; see `make_look`."""
        variables = self.lease.variables  # others, when a callback has frozen layers
        if self._look is None or self._look[0] is not variables:
            self._look = variables, make_look(self.model, variables)
        return self._look[1](self.lease.sections(), self.last_dispatch.batch)

    def _with_begin_hooks(self, dispatches, number):
        """Yield the dispatches; call the begin hook before the first of an execution.

        The hook comes before the batch is fetched, as in Keras. Where nobody knows
        whether there is a batch, it comes after: at the end of a source of unknown
        length, or of one that fills epochs of another number of steps.
        """
        feed, on_begin = self.feed, self.on_begin
        is_certain = (feed.steps is None) == (feed.adapter.num_batches is not None)
        total = feed.num_batches if is_certain else None
        while True:
            due = number % self.steps_per_execution == 0
            early = total is not None and number < total
            if on_begin is not None and due and early:
                on_begin(number)
            if (dispatch := next(dispatches, None)) is None:
                return
            if on_begin is not None and due and not early:
                on_begin(number)
            # In words, because the note of an error would otherwise keep the first
            # batch in memory for the whole epoch.
            if self._first_batch_text is None and feed.num_batches != 1:
                self._first_batch_text = _in_words(dispatch.batch)
            yield dispatch
            number += dispatch.steps

    def _position(self, done, batch):
        """The note of an error: the step and the batch that it was raised in."""
        return (
            f"Raised in {self.name}, on batch {done} (counted from 0), "
            f"{_in_words(batch)}; the first batch was "
            f"{self._first_batch_text or 'the same'}."
        )

    def _batch_logs(self, results):
        """Logs of an execution, which stay on the device until a callback looks."""
        if self.name == "predict_step":
            return LazyLogs(
                lambda: {"outputs": concatenated([on_host(*r) for r in results])}
            )
        return LazyLogs(lambda: to_python(results[-1][0]))


_STOP_ATTRIBUTES = {
    "train_step": "stop_training",
    "test_step": "stop_evaluating",
    "predict_step": "stop_predicting",
}


def _in_words(batch):
    return "rows of arrays" if isinstance(batch, BatchSlice) else described(batch)


def _batch_hook(callbacks, name):
    """The batch hook `name`, or None when no callback listens."""
    listening = getattr(callbacks, "_mk_batch_hooks", None)
    if listening is not None and not listening()[name]:
        return None
    return getattr(callbacks, name)


def dry_run(fn: Callable[..., Any], *args: Any) -> None:
    """Trace `fn` for the weights that it creates; state that it writes is dropped.

    Args:
        fn: any code in Keras style.
        *args: trees of arrays, the arguments of `fn`; only their shapes and dtypes
            count, but for text.
    """
    with isolated():
        if any(map(is_text, jax.tree_util.tree_leaves(args))):
            host_calls.record(lambda args: fn(*args), batch=args)
        else:
            jax.eval_shape(fn, *jax.tree_util.tree_map(_spec, args))


def prepare(model: TrainableModel, adapter: Any) -> None:
    """Create weights, metrics and optimizer slots from the shapes of a first batch.

    The first batch is fetched only where Keras fetches it: that may draw the order of
    the data from numpy's generator.
    """
    known = model.built and model._mk_has_seen_batch()
    prepare_batch(model, None if known else adapter.peek())


def prepare_batch(model: TrainableModel, batch: Any) -> None:
    """Create weights, metrics and optimizer slots from the shapes of a batch.

    Args:
        model: the model.
        batch: x, (x, y) or (x, y, sample_weight); not looked at if it is known.
    """
    if model._mk_is_prepared():
        return
    # Only one thread builds at a time: the user's code assigns tracers to attributes
    # meanwhile, which a second thread would take for arrays.
    with build_lock:
        if model.built and model._mk_has_seen_batch():
            model._mk_build_optimizer()
        else:
            model._mk_prepare(batch)


def build(model: TrainableModel, x: Any) -> None:
    """Create the model's weights from one batch of inputs, if it has none."""
    if not model.built:
        with build_lock:
            if not model.built:  # another thread may have built it meanwhile
                dry_run(model, x)


def _spec(x):
    x = jnp.asarray(x) if not hasattr(x, "dtype") else x
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    return jax.ShapeDtypeStruct(x.shape, dtype)


@contextlib.contextmanager
def _unrecorded():
    """Out of sight of a `GradientTape` around, which sees no compiled programs."""
    if not current().recordings:
        yield
    else:
        with jax.core.eval_context(), Frame(on_read=None, recordings=()):
            yield


def _callback_list(model: TrainableModel, callbacks, **options):
    """The callbacks as a `CallbackList`, with a progress bar if `verbose`."""
    # As in Keras, a user's own CallbackList is used as it is: without a progress bar.
    if isinstance(callbacks, CallbackList):
        return callbacks
    verbose = options["verbose"]
    return CallbackList(callbacks, model=model, add_progbar=verbose != 0, **options)


def fit(
    model: TrainableModel,
    feed: BatchFeed,
    validation: tuple[BatchFeed, Container[int]] | None,
    callbacks: Any,
    epochs: int,
    initial_epoch: int,
    verbose: Any,
) -> Any:
    """Train a model for some epochs.

    Args:
        model: the model.
        feed: the training data.
        validation: None, or (the validation data, numbers of the epochs, from 1, after
            which the model is evaluated on it).
        callbacks: list of callbacks, a `CallbackList`, or None.
        epochs, initial_epoch: number of the last epoch + 1, and of the first.
        verbose: 0: no progress bar; other values as in `Model.fit`.

    Returns:
        The `History` callback.
    """
    val_feed = validation[0] if validation else feed
    with _unrecorded(), Interrupts() as interrupts, feed, val_feed:
        prepare(model, feed.adapter)
        options = {"verbose": verbose, "epochs": epochs, "steps": feed.num_batches}
        options |= {"add_history": True, "batch_size": feed.batch_size}
        callbacks = _callback_list(model, callbacks, **options)
        model.stop_training = False
        feeds = {"training": feed} | ({"validation": val_feed} if validation else {})
        is_kept = getattr(callbacks, "backup", None) is not None
        nothing = contextlib.nullcontext()
        with (
            StateLease(variables_of(model), interrupts) as lease,
            run_state(model, lease, feeds, callbacks) if is_kept else nothing as run,
        ):
            training = EpochRunner(model, lease, feed, "train_step", callbacks)
            # It runs on the same lease: the weights stay on the device, and nothing is
            # handed back and forth between an epoch and its validation.
            evaluation = EpochRunner(model, lease, val_feed, "test_step", callbacks)
            start = _begin_training(training, run, initial_epoch)
            logs = start.logs
            for epoch in start.epochs(epochs):
                if not training.run(**_begin_epoch(epoch, training, run, start)):
                    model.stop_training = True  # no batch: there are no logs to record
                    break
                validates = validation and epoch + 1 in validation[1]
                logs = _end_epoch(epoch, training, evaluation if validates else None)
                is_last = model.stop_training or epoch + 1 == epochs
                if run is not None:
                    run.save_epoch(epoch + 1, logs, is_last)
                if is_last:
                    break
            if model.optimizer is not None and epochs > 0:
                model.optimizer.finalize_variable_values(model.trainable_variables)
            callbacks.on_train_end(logs)
            if run is not None:
                run.finish()
    return model.history


def validation_epochs(freq: Any, epochs: int) -> Container[int]:
    """The epochs, counted from 1, after which `validation_freq` has `fit` validate."""
    if isinstance(freq, int) and freq > 0:
        return range(freq, epochs + 1, freq)
    if isinstance(freq, (list, tuple, set)):
        return set(freq)
    raise ValueError(
        f"validation_freq: expected an int > 0 or a list of epochs, got {freq!r}."
    )


def _begin_training(training, run, initial_epoch):
    """Call `on_train_begin`; returns the `Start`, which the state of a run decides."""
    raises = settings.is_nan_tracing_enabled()
    if raises or training.explains:
        training.tracer = NanTracer(training.lease, raises)
    if run is not None:
        return run.begin(initial_epoch)
    training.callbacks.on_train_begin()
    return Start(initial_epoch)


def _begin_epoch(epoch, training, run, start):
    """Reset the metrics and call the hooks of an epoch's begin, in Keras's order.

    Returns arguments of `EpochRunner.run`: where the epoch goes on, and what saves it.
    """
    _renew_lease_if_needed(training.model, training.lease)
    training.model.reset_metrics()
    training.callbacks.on_epoch_begin(epoch)
    training.feed.adapter.on_epoch_begin()
    if training.tracer is not None:
        training.tracer.epoch = epoch
    if run is None:
        return {}
    given = start.batches if epoch == start.epoch else 0
    if given:
        run.restore()  # the hooks of the begin were called again
    save = functools.partial(run.save_if_due, epoch)
    return {"given": given, "after_execution": save}


def _end_epoch(epoch, training, evaluation):
    """Evaluate the model if asked, call the end hook, and return the epoch's logs."""
    training.feed.adapter.on_epoch_end()
    if training.tracer is not None:
        training.tracer.check()
    # Here the loop waits for the device, for the first time in the epoch.
    logs = to_python(training.lease.logs)
    if evaluation is not None:
        # Keras tells the validation data before each epoch, too, that one has ended.
        evaluation.feed.adapter.on_epoch_end()
        val_logs = _test_epoch(evaluation, training.callbacks)
        logs |= {f"val_{key}": value for key, value in val_logs.items()}
        logs = dict(sorted(logs.items()))
    training.callbacks.on_epoch_end(epoch, logs)
    return logs


def _renew_lease_if_needed(model: TrainableModel, lease):
    """Renew the lease if a callback has frozen or unfrozen layers."""
    # Keras on JAX ignores the change until the next `compile`: its issue 22104.
    now = {id(v) for v in model.trainable_variables}
    if now != {id(v) for v in lease.variables.params.values()}:
        lease.renew(variables_of(model))


def _test_epoch(evaluation, callbacks):
    """Run an evaluation with its hooks, and return its logs."""
    model, adapter = evaluation.model, evaluation.feed.adapter
    model.stop_evaluating = False
    callbacks.on_test_begin()
    evaluation.lease.begin(model.reset_metrics)
    adapter.on_epoch_begin()
    logs = to_python(evaluation.lease.logs) if evaluation.run() else {}
    adapter.on_epoch_end()
    evaluation.lease.write_back()
    callbacks.on_test_end(logs)
    return logs


def evaluate(
    model: TrainableModel, feed: BatchFeed, callbacks: Any, verbose: Any
) -> dict[str, Any]:
    """Compute loss and metrics over a feed, as {name: number}.

    Args:
        model: the model.
        feed: the data.
        callbacks: list of callbacks, a `CallbackList`, or None.
        verbose: 0: no progress bar; other values as in `Model.evaluate`.
    """
    with _unrecorded(), Interrupts() as interrupts, feed:
        prepare(model, feed.adapter)
        callbacks = _callback_list(
            model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches,
            batch_size=feed.batch_size,
        )  # fmt: skip
        has_batch_hooks = callbacks.needs_test_batch_hooks
        with evaluation_lease(
            variables_of(model), interrupts, has_batch_hooks
        ) as lease:
            evaluation = EpochRunner(model, lease, feed, "test_step", callbacks)
            return _test_epoch(evaluation, callbacks)


def predict(
    model: TrainableModel, feed: BatchFeed, callbacks: Any, verbose: Any
) -> Any:
    """Compute the model's outputs for all samples of a feed, in numpy.

    Args:
        model: the model.
        feed: the data.
        callbacks: list of callbacks, a `CallbackList`, or None.
        verbose: 0: no progress bar; other values as in `Model.predict`.
    """
    outputs = Predictions()
    with _unrecorded(), Interrupts() as interrupts, feed:
        if not model.built:
            x, _, _ = unpack_x_y_sample_weight(feed.adapter.peek())
            build(model, x)
        callbacks = _callback_list(
            model, callbacks, verbose=verbose, epochs=1, steps=feed.num_batches,
            batch_size=feed.batch_size,
        )  # fmt: skip
        model.stop_predicting = False
        has_batch_hooks = callbacks.needs_predict_batch_hooks
        with evaluation_lease(weights_of(model), interrupts, has_batch_hooks) as lease:
            # The hook comes first: weights that it assigns are used.
            callbacks.on_predict_begin()
            lease.begin()
            feed.adapter.on_epoch_begin()
            EpochRunner(model, lease, feed, "predict_step", callbacks).run(outputs)
            feed.adapter.on_epoch_end()
            lease.write_back()
            callbacks.on_predict_end()
    found = outputs.all()
    if found is None:
        raise ValueError("predict: the data held no batch.")
    return found


def one_step(model: TrainableModel, name: str, batch: Any) -> Any:
    """Run a step on one batch; returns its logs or outputs.

    Args:
        model: the model; weights, metrics and slots that are missing are created.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
        batch: (x, y, sample_weight), the last two None where there are none.
    """
    predicts, trains = name == "predict_step", name == "train_step"
    with _unrecorded(), Interrupts() as interrupts:
        build(model, batch[0]) if predicts else prepare_batch(model, batch)
        variables = weights_of(model) if predicts else variables_of(model)
        lease_of = StateLease if trains else evaluation_lease
        with lease_of(variables, interrupts) as lease:
            lease.begin(None if predicts else model.reset_metrics)
            program = program_of(model, variables, name)
            if model._mk_subtree_state().on_host:
                batch = host_calls.prepared_batch(program, lease.sections(), batch)
            lease.run(program.run_batch, batch)
            return lease.logs
