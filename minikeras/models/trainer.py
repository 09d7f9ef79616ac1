"""Trainer: the part of a model that compiles, fits, evaluates and predicts.

The loops are in `training/loop.py`, the steps in `training/step.py`.
"""

from typing import Any

from minikeras import optimizers, settings
from minikeras.callbacks.backup_and_restore import with_backup
from minikeras.callbacks.history import History
from minikeras.callbacks.profiler import with_profiler
from minikeras.core.checks import positive_int
from minikeras.core.members import Alias, overrides
from minikeras.data import (
    count_or_none,
    get_adapter,
    train_validation_split,
    unpack_x_y_sample_weight,
)
from minikeras.layers.layer import Layer
from minikeras.metrics.reduction import Mean
from minikeras.models.compile_config import CompileConfig, has_loss, with_loss_scale
from minikeras.models.loss_and_metrics import LossAndMetrics
from minikeras.models.on_batch import OnBatch
from minikeras.models.stateless import StatelessMethods
from minikeras.training import loop
from minikeras.training.batch_size import auto_batch_size
from minikeras.training.compile_loss import CompileLoss
from minikeras.training.compile_metrics import CompileMetrics
from minikeras.training.feed import make_feed


class Trainer(CompileConfig, LossAndMetrics, StatelessMethods, OnBatch):
    """Mix-in of Model: `compile`, `fit`, `evaluate`, `predict` and their pieces."""

    _mk_untracked = frozenset(
        {
            "optimizer",
            "history",
            "loss",
            "_mk_compile_config",
            "_mk_programs",
            "_mk_step_variables",
            "_mk_unseeded_draws",
            "_mk_compile_loss",
            "_mk_compile_metrics",
            "_mk_loss_tracker",
        }
    )

    _symbolic_build = Alias("_mk_symbolic_build")
    _loss_tracker = Alias("_mk_loss_tracker")
    _compile_loss = Alias("_mk_compile_loss")
    _compile_metrics = Alias("_mk_compile_metrics")

    def _mk_lock(self, locked=True):
        """Do nothing: models may get new state at any time."""

    def __init__(self):
        self.compiled = False
        self.loss = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.steps_per_execution = 1
        self._mk_run_eagerly = False
        self._mk_jit_compile = True
        self._mk_compile_loss = self._mk_compile_metrics = self._mk_loss_tracker = None
        self._mk_compile_config = self._mk_step_variables = None
        self._mk_programs = {}

    def __getstate__(self):
        # Compiled programs cannot be pickled; the copy compiles its own.
        return {**super().__getstate__(), "_mk_programs": {}}  # pyright: ignore

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Set the optimizer, losses and metrics.

        Args:
            optimizer: name, `keras.optimizers` object, config or optax transformation.
            loss: name, function or `Loss`; a list or dict of them for several outputs;
                None if all losses come from `add_loss`.
            loss_weights: number for each loss, in a list or dict; None weights all by
                1.
            metrics: list of names, functions or `Metric` objects; list or dict of lists
                for several outputs.
            weighted_metrics: the same, for metrics that use sample and class weights.
            run_eagerly: bool, whether to run the steps without compiling them, for
                debugging.
            steps_per_execution: int >= 1, steps between two calls of the batch
                callbacks; "auto" is 1. How many steps one dispatch runs does not depend
                on it.
            jit_compile: bool, whether to compile the steps; "auto" compiles them.
            auto_scale_loss: bool, whether to wrap the optimizer in a
                `LossScaleOptimizer` if the dtype policy is `mixed_float16`.

        Raises:
            ValueError: unknown name, or arguments that do not fit together.
        """
        self._mk_compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": bool(jit_compile),
        }
        names = getattr(self, "output_names", None)
        compile_loss = (
            CompileLoss(loss, loss_weights, names) if has_loss(loss) else None
        )
        compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            compile_metrics = CompileMetrics(metrics, weighted_metrics, names)
        optimizer = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            optimizer = with_loss_scale(optimizer)
        self.optimizer = optimizer
        self.loss = loss
        self._mk_compile_loss, self._mk_compile_metrics = compile_loss, compile_metrics
        self._mk_loss_tracker = Mean(name="loss")
        if steps_per_execution == "auto":
            steps_per_execution = 1
        self.steps_per_execution = positive_int(
            steps_per_execution, "steps_per_execution"
        )
        self._mk_run_eagerly = bool(run_eagerly)
        self._mk_jit_compile = bool(jit_compile)
        self.stop_training = False
        self.compiled = True
        self._mk_programs, self._mk_step_variables = {}, None

    def _mk_compiles(self):
        return self._mk_jit_compile and not self._mk_run_eagerly

    def _mk_overrides(self, name):
        return overrides(self, name, Trainer if hasattr(Trainer, name) else Layer)

    def _mk_assert_compiled(self, method):
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before `{method}()`: the model does not "
                "know its optimizer and loss yet."
            )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | str | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        resume: Any = None,
        profile: bool | str = False,
    ) -> History:
        """Train the model.

        Args:
            x: inputs: arrays (numpy, JAX, pandas frames, scipy's sparse matrices) in
                lists or dicts; or batches, `(x, y)` or `(x, y, sample_weight)`, from
                a `PyDataset`, `tf.data.Dataset`, torch `DataLoader`, Grain loader,
                generator or any other iterable; or a source of samples of TFDS.
            y: targets, with arrays only.
            batch_size: int, samples in a step; None takes 32. "auto" takes as many as
                fit the memory: see `config.set_memory_limit`.
            epochs: int, stop before the epoch of this number, counted from 0.
            verbose: 0 silent, 1 progress bar, 2 one line an epoch, "auto".
            callbacks: list of `Callback`s, or a `CallbackList`.
            validation_split: number in [0, 1), share of the arrays, from their end, to
                evaluate on.
            validation_data: (x, y), (x, y, sample_weight), or a source of batches.
            shuffle: bool, whether to shuffle the samples before each epoch; "batch"
                shuffles inside blocks of a batch.
            class_weight: dict {class: weight}, factor of the loss of each class.
            sample_weight: array, factor of the loss of each sample.
            initial_epoch: int, number of the first epoch, counted from 0.
            steps_per_epoch: int, batches in an epoch; None takes all. Endless
                generators need it.
            validation_steps: int, batches of the validation data; None takes all.
            validation_batch_size: int, samples in a batch of the validation; None takes
                `batch_size`.
            validation_freq: int, validate after each so many epochs, or a list of the
                epochs, counted from 1, after which to validate.
            resume: path of a folder for the state of this training. The same call goes
                on from there after an interruption, and ends with the same bits; see
                `keras.callbacks.BackupAndRestore`.
            profile: bool, whether to measure some steps and print where their time
                goes; or the path of an HTML page to write it to, too. See
                `callbacks.Profiler`.

        Returns:
            A `History`: `history.history` is {name: [value of each epoch]}.
        """
        self._mk_assert_compiled("fit")
        limit = settings.max_epochs()
        epochs = epochs if limit is None else min(epochs, limit)
        steps_per_epoch = count_or_none("steps_per_epoch", steps_per_epoch)
        validation_steps = count_or_none("validation_steps", validation_steps)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split
            )
        if resume is not None:
            callbacks = with_backup(callbacks, resume)
        adapter = self._mk_adapter(
            x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight,
            name="train_step", verbose=verbose,
        )  # fmt: skip
        size: Any = adapter.batch_size if batch_size == "auto" else batch_size
        validation = None
        if validation_data is not None:
            val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
            validation_batch_size = (
                count_or_none("validation_batch_size", validation_batch_size) or size
            )
            val = self._mk_adapter(
                val_x, val_y, val_weight, validation_batch_size, validation_steps
            )
            epochs_with = loop.validation_epochs(validation_freq, epochs)
            validation = (self._mk_feed(val, validation_steps, True), epochs_with)
        return loop.fit(
            self,
            self._mk_feed(adapter, steps_per_epoch, True),
            validation,
            with_profiler(callbacks, profile) if profile else callbacks,
            epochs,
            initial_epoch,
            _verbosity(verbose),
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | str | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs,
    ) -> Any:
        """Compute loss and metrics on data.

        Args:
            x, y, sample_weight: inputs, targets and weights, or a source, as in `fit`.
            batch_size: int, samples in a step; None takes 32, "auto" as in `fit`.
            verbose: 0 silent, 1 progress bar, 2 one line, "auto".
            steps: int, number of batches; None takes all.
            callbacks: list of `Callback`s, or a `CallbackList`.
            return_dict: bool, whether to return a dict {name: value}.
            **kwargs: must be empty.

        Returns:
            The loss, [loss, metrics …], or with `return_dict` {name: value}.
        """
        self._mk_assert_compiled("evaluate")
        _reject_unknown("evaluate", kwargs)
        steps = count_or_none("steps", steps)
        adapter = self._mk_adapter(
            x, y, sample_weight, batch_size, steps, name="test_step", verbose=verbose
        )
        feed = self._mk_feed(adapter, steps)
        logs = loop.evaluate(self, feed, callbacks, _verbosity(verbose))
        return logs if return_dict else self._mk_as_list(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | str | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Compute the outputs for inputs, batch by batch, as numpy arrays.

        Args:
            x: inputs, or a source of batches, as in `fit`.
            batch_size: int, samples in a step; None takes 32, "auto" as in `fit`.
            verbose: 0 silent, 1 progress bar, 2 one line, "auto".
            steps: int, number of batches; None takes all.
            callbacks: list of `Callback`s, or a `CallbackList`.
        """
        steps = count_or_none("steps", steps)
        adapter = self._mk_adapter(
            x, None, None, batch_size, steps, name="predict_step", verbose=verbose
        )
        feed = self._mk_feed(adapter, steps)
        return loop.predict(self, feed, callbacks, _verbosity(verbose))

    def _mk_adapter(self, x, y, weight, batch_size, *more, name="", verbose=0):
        """The adapter of a source; "auto" finds the batch size of the step `name`."""
        on_host = self._mk_subtree_state().on_host
        if batch_size == "auto":
            if more[0] is not None:
                raise ValueError("batch_size='auto' excludes a number of steps.")
            adapter = get_adapter(x, y, weight, None, *more, takes_text=on_host)
            batch_size = auto_batch_size(self, name, adapter, verbose)
        return get_adapter(x, y, weight, batch_size, *more, takes_text=on_host)

    def _mk_feed(self, adapter, steps, reused=False):
        """The feed of a source; `reused` for the several epochs of `fit`."""
        chunks = self._mk_compiles() and not adapter.takes_text
        return make_feed(adapter, steps, self.steps_per_execution, chunks, reused)


def _verbosity(verbose):
    """Return `verbose` as 0, 1 or 2; "auto" is 1 where logging is interactive."""
    if verbose == "auto":
        return 1 if settings.is_interactive_logging_enabled() else 2
    if isinstance(verbose, str):
        raise ValueError(f'`verbose` must be 0, 1, 2 or "auto", got {verbose!r}.')
    return int(verbose or 0)


def _reject_unknown(method, kwargs):
    """Raise ValueError if keyword arguments are left."""
    # An argument that Keras's `fit` passes to `evaluate`; user code may pass it, too.
    kwargs.pop("_use_cached_eval_dataset", None)
    if kwargs:
        raise ValueError(f"{method}: arguments not recognized: {sorted(kwargs)}.")
