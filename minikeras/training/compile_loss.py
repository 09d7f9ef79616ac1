"""The loss of a compiled model: a weighted sum with one loss for each output."""

import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from minikeras import losses
from minikeras.core.bridge import Frame
from minikeras.core.members import all_or_nothing
from minikeras.core.serialization import is_config
from minikeras.losses.loss import Loss
from minikeras.metrics.reduction import Mean
from minikeras.training import alignment


class Entry(NamedTuple):
    """One loss of a model.

    Attributes:
        name: label of the output, for logs and errors; "" where it has none.
        path: path of its output, or of its nest of outputs, in the model's outputs.
        function: `f(y, y_pred, sample_weight)` that returns a scalar.
        weight: its weight in the total; None for 1.
        tracker: average of its values for the logs; None if the model has one loss.
    """

    name: str
    path: tuple
    function: Any
    weight: float | None
    tracker: Mean | None

    @property
    def title(self):
        """The loss in the words of an error."""
        return f"The loss of output {self.name!r}" if self.name else "The loss"


class CompileLoss:
    """The weighted sum of a model's losses.

    total = Σ_i weight_i loss_i(y_i, y_pred_i) over the outputs i

    Args:
        loss: None, name, function or `Loss`; a list or dict of them. A list where the
            outputs have no list holds several losses of one output, or of one nest of
            outputs.
        loss_weights: number, or list or dict of numbers; None weights all by 1.
        output_names: list of the names of the model's outputs; None if the model has no
            names for them.

    Attributes:
        entries: list of the `Entry`s; None until the losses are assigned to outputs.
        functions: {id of a loss as it was given: function}, without the losses that
            depend on the shapes.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any = None,
        output_names: Sequence[str] | None = None,
    ):
        self.loss, self.loss_weights = loss, loss_weights
        self.output_names = output_names
        self.entries: list[Entry] | None = None
        _check_weights(loss_weights)
        # An unknown name fails here, not in the first step. The names whose loss
        # depends on the shapes are resolved in `build`.
        self.functions = [
            (x, resolve_loss(x))
            for x in alignment.flatten(loss, _is_loss)
            if x is not None and x not in _NAMES_RESOLVED_BY_SHAPE
        ]

    @property
    def built(self) -> bool:
        """Whether the losses are assigned to the outputs."""
        return self.entries is not None

    @property
    def metrics(self) -> list[Mean]:
        """List of the averages of the losses; empty if there is one loss."""
        return [e.tracker for e in self.entries or () if e.tracker is not None]

    @property
    def variables(self) -> list:
        """List of the Variables of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    @all_or_nothing
    def build(self, y: Any, y_pred: Any) -> None:
        """Assign the losses to the outputs.

        Args:
            y, y_pred: targets and outputs, nests of arrays or of things with a shape.
        """
        # Nearly all models have one output and one loss.
        if hasattr(y_pred, "shape") and _is_loss(self.loss):
            function, weight = self._function(self.loss, y, y_pred), self.loss_weights
            if weight is not None:
                weight = alignment.one_number(weight)
            name = next(iter(self.output_names or ()), "")
            self.entries = [Entry(name, (), function, weight, None)]
            return
        names = alignment.output_names(y_pred, self.output_names)
        targets = alignment.conform(y, y_pred, names, "y")
        loss = self.loss
        if _is_loss(loss):
            loss = [loss] * len(names)
        labels = alignment.labels(y_pred, self.output_names)
        found = list(
            alignment.match_losses(
                loss, self.loss_weights, y_pred, (), labels, _is_loss
            )
        )
        if hasattr(y, "shape") and len(found) > 1:
            raise ValueError(
                f"y: the model has {len(found)} losses, but one array of targets of "
                f"shape {tuple(y.shape)} was given. Give one for each output."
            )
        self.entries = []
        for path, one, weight in found:
            target = alignment.pick(targets, path)
            output = alignment.pick(y_pred, path)
            name = alignment.label_at(labels, path) or _loss_name(one)
            tracker = _tracker(name) if len(found) > 1 else None
            function = self._function(one, target, output)
            self.entries.append(Entry(name, path, function, weight, tracker))

    def _function(self, loss, y, y_pred):
        """Return the function of a loss; shapes decide which one "crossentropy" is."""
        if isinstance(loss, str) and loss in _NAMES_RESOLVED_BY_SHAPE:
            return resolve_loss(crossentropy_by_shape(y, y_pred))
        return next(function for x, function in self.functions if x is loss)

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Compute the total loss and update the averages of the single ones.

        Args:
            y, y_pred: targets and outputs.
            sample_weight: None, or weights as the outputs' nest, a list or a dict.

        Returns:
            A scalar; None without losses.
        """
        if self.entries is None:
            self.build(y, y_pred)
        targets, weights = y, sample_weight
        if not all(hasattr(x, "shape") for x in (y, y_pred)):
            names = alignment.output_names(y_pred, self.output_names)
            targets = alignment.conform(y, y_pred, names, "y")
            weights = alignment.conform(sample_weight, y_pred, names, "sample_weight")
        total = None
        for entry in self.entries or ():
            parts = (targets, y_pred, weights)
            if entry.path:
                parts = tuple(alignment.pick(part, entry.path) for part in parts)
            target, output, weight = parts
            leaves = jax.tree_util.tree_leaves(target)
            if not leaves:
                raise ValueError(
                    f"{entry.title} needs targets, but y has none "
                    "for it. Pass y, or compile with loss=None for that output."
                )
            weight = next(iter(jax.tree_util.tree_leaves(weight)), None)
            try:
                value = entry.function(target, output, weight)
            except (TypeError, ValueError) as error:
                raise alignment.with_pair(error, entry.title, target, output)  # noqa: B904
            if entry.tracker is not None:
                # Weighted by the batch size: the last batch of an epoch may be smaller.
                batch_size = leaves[0].shape[0] if leaves[0].ndim else 1
                entry.tracker.update_state(value, sample_weight=batch_size)
            if entry.weight is not None:
                value = value * entry.weight
            total = value if total is None else total + value
        return total


def _check_weights(loss_weights):
    """Raise ValueError unless `loss_weights` are None, numbers, or nests of numbers."""
    if loss_weights is None:
        return
    # In `compile("sgd", "mse", ["mae"])` the third argument, meant as metrics, is this.
    leaves = jax.tree_util.tree_leaves(loss_weights)
    if any(isinstance(x, (str, type)) or not _is_weight(x) for x in leaves):
        raise ValueError(
            "loss_weights: expected a number, or a list or dict of numbers, got "
            f"{loss_weights!r}. Metrics are the fourth argument of compile(): write "
            "compile(optimizer, loss, metrics=[...])."
        )


def _is_weight(x):
    return isinstance(x, numbers.Real) or hasattr(x, "dtype") and not callable(x)


def _tracker(name):
    """Make the average of a loss, with the paths of Variables that Keras gives it."""
    with Frame(path=("compile_loss",)):
        return Mean(name=f"{name}_loss")


def _is_loss(x):
    return x is None or isinstance(x, (str, Loss)) or callable(x) or is_config(x)


def _loss_name(loss):
    if isinstance(loss, str):
        return loss
    return getattr(loss, "name", None) or getattr(loss, "__name__", "loss")


# Names whose loss depends on the shapes of targets and outputs.
_NAMES_RESOLVED_BY_SHAPE = ("crossentropy", "ce")


def resolve_loss(loss: Any) -> Any:
    """Turn a name, function or object into `f(y, y_pred, sample_weight)` -> scalar."""
    loss = losses.get(loss)
    if isinstance(loss, Loss):
        return loss
    name = getattr(loss, "__name__", type(loss).__name__)
    return losses.LossFunctionWrapper(loss, name=name)


def shape_kind(y: Any, y_pred: Any) -> str:
    """Return "binary", "sparse" (integer labels) or "categorical" for the shapes."""
    # Keras's rules: the values are not known while a step is traced.
    if y_pred.shape[-1] == 1:
        return "binary"
    rows, columns = len(y.shape), len(y_pred.shape)
    if rows < columns or y.shape[-1] == 1:
        return "sparse"
    return "categorical"


def crossentropy_by_shape(y: Any, y_pred: Any) -> str:
    """Return the name of the crossentropy that fits the shapes."""
    kind = shape_kind(y, y_pred)
    prefix = "sparse_categorical" if kind == "sparse" else kind
    return f"{prefix}_crossentropy"
