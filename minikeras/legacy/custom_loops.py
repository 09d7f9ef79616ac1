"""What training loops of one's own used of models and optimizers in Keras 2."""

import copy
from typing import Any

from minikeras import models
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.core.late_import import late_import
from minikeras.legacy.notices import notice
from minikeras.training.compile_metrics import CompileMetrics
from minikeras.training.gradient_tape import GradientTape


def compiled_loss(
    self: Any,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    regularization_losses: Any = None,
) -> Any:
    """The compiled loss of a batch, with all losses of layers; its metric is updated.

    Args:
        self: a compiled model.
        y_true, y_pred: targets and outputs.
        sample_weight: weights of the samples, or None.
        regularization_losses: ignored: the losses of layers are always added.
    """
    loss = self.compute_loss(y=y_true, y_pred=y_pred, sample_weight=sample_weight)
    self._mk_track_loss(loss, y_true)
    return loss


class CompiledMetrics:
    """`model.compiled_metrics`: the metrics given to `compile`."""

    def __init__(self, model: Any):
        found = (m for m in model.metrics if isinstance(m, CompileMetrics))
        self._metrics = next(found, None)

    @property
    def metrics(self) -> list:
        """The metrics; none before they have seen a batch."""
        return [] if self._metrics is None else self._metrics.metrics

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true, y_pred: targets and outputs.
            sample_weight: weights of the samples, or None.
        """
        if self._metrics is not None:
            self._metrics.update_state(y_true, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Forget all batches."""
        if self._metrics is not None:
            self._metrics.reset_state()

    reset_states = reset_state


def metrics_of_outputs(self: Any, metrics: Any) -> Any:
    """A list of metrics for a model of several outputs: all of them for each output.

    Args:
        self: a model.
        metrics: as `compile` takes them; a list of one for each output stays.
    """
    count = len(getattr(self, "outputs", None) or ())
    is_flat = isinstance(metrics, list) and not any(
        isinstance(m, (list, tuple, dict, type(None))) for m in metrics
    )
    if count < 2 or not is_flat or len(metrics) in (0, count):
        return metrics
    notice("compile(metrics=) of several outputs", "write a list for each output")
    return [[copy.copy(m) for m in metrics] for _ in range(count)]


def reset_states(self: Any) -> None:
    """Let the recurrent layers of a model forget their states."""
    for layer in self._mk_flatten_layers():
        if not isinstance(layer, models.Model) and hasattr(layer, "reset_states"):
            layer.reset_states()


def make_function(self: Any, force: bool = False) -> None:
    """Nothing: the first batch compiles the program, in whatever thread it is.

    Args:
        self: a model.
        force: not used.
    """


class _Step:
    """A step of an optimizer as what `K.function(updates=)` assigns to.

    Args:
        optimizer: the optimizer.
        weights: its Variables.
    """

    def __init__(self, optimizer: Any, weights: list):
        self._optimizer, self._weights = optimizer, weights

    def assign(self, gradients: list) -> None:
        """Update the weights.

        Args:
            gradients: an array for each weight, or None.
        """
        self._optimizer.apply_gradients(zip(gradients, self._weights, strict=True))


def get_updates(
    self: Any, *args: Any, loss: Any = None, params: Any = None, constraints: Any = None
) -> list:
    """A step that lowers a loss in a graph, as updates for `K.function`.

    Args:
        self: an optimizer.
        *args: (loss, params) of Keras 2, or (params, constraints, loss) of Keras 1.
        loss: KerasTensor.
        params: list of Variables that it depends on.
        constraints: ignored: Variables have constraints of their own.
    """
    for x in args:
        if is_keras_tensor(x):
            loss = x
        elif isinstance(x, (list, tuple)) and x:
            params = list(x)
    return [(_Step(self, params), late_import(_GRAPH).gradients(loss, params))]


_GRAPH = "minikeras.legacy.backend"  # which most scripts do without


def minimize(
    self: Any, loss: Any, var_list: Any = None, tape: Any = None, **ignored: Any
) -> Any:
    """Update Variables by the gradients of a loss.

    Args:
        self: an optimizer.
        loss: function without arguments; or, with `tape`, an array.
        var_list: the Variables, or a function that returns them; None takes all
            trainable ones that the function reads.
        tape: the `GradientTape` that has recorded `loss`.
        **ignored: `grad_loss`, `name`.

    Raises:
        ValueError: `loss` is an array, and there is no tape.
    """
    if callable(loss):
        with GradientTape() as tape:
            loss = loss()
    elif tape is None:
        raise ValueError(
            "minimize: a loss that is an array needs the `tape` that has recorded it. "
            "Give a function without arguments instead."
        )
    weights = var_list() if callable(var_list) else var_list
    weights = list(tape.watched_variables() if weights is None else weights)
    gradients = tape.gradient(loss, weights)
    self.apply_gradients(zip(gradients, weights, strict=True))
    return self.iterations
