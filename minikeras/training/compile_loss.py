"""The loss of a compiled model: one loss function an output, their weighted sum."""

import inspect

import jax.numpy as jnp

from minikeras import losses
from minikeras.core.functional import Frame
from minikeras.losses.loss import Loss
from minikeras.metrics.reduction import Mean
from minikeras.training import outputs


class CompileLoss:
    """`total = sum_i weight_i * loss_i(y_i, y_pred_i)`.

    Args:
        loss: None, name, function or `Loss`; a list or dict of them.
        loss_weights: None, number, or list / dict of numbers.
        output_names: names of the model's outputs, if it has some.
    """

    def __init__(self, loss, loss_weights=None, output_names=None):
        self.loss, self.loss_weights = loss, loss_weights
        self.output_names = output_names
        self.entries = None  # [(name, loss function, weight, tracker or None)]
        _check_loss(loss)
        if loss_weights is not None and not isinstance(
            loss_weights, (float, int, list, tuple, dict)
        ):
            raise ValueError(
                "loss_weights: expected a number, or a list or dict of numbers, got "
                f"{loss_weights!r}."
            )

    @property
    def built(self):
        """Is it settled which loss belongs to which output?"""
        return self.entries is not None

    @property
    def metrics(self):
        """The trackers of the single losses, when there are several."""
        return [e[3] for e in self.entries or () if e is not None and e[3] is not None]

    def build(self, y, y_pred):
        """Settle which loss belongs to which output; shapes are enough."""
        names = outputs.output_names(y_pred, self.output_names)
        found = outputs.align(self.loss, y_pred, names, "loss", _is_loss)
        weights = [None] * len(names)
        if self.loss_weights is not None:
            weights = self._weights(y_pred, names)
        targets = outputs.align_arrays(y, y_pred, names, "y")
        leaves = outputs.output_leaves(y_pred)
        several = sum(x is not None for x in found) > 1
        self.entries = []
        for i, loss in enumerate(found):
            if loss is None:
                self.entries.append(None)
                continue
            function = resolve_loss(loss, targets[i], leaves[i])
            name = names[i] or _loss_name(loss)
            self.entries.append(
                (name, function, weights[i], _tracker(name) if several else None)
            )

    def _weights(self, y_pred, names):
        if isinstance(self.loss_weights, (float, int)) or len(names) == 1:
            flat = self.loss_weights
            if isinstance(flat, dict):
                flat = list(flat.values())
            return [flat[0] if isinstance(flat, (list, tuple)) else flat] * len(names)
        return outputs.align(
            self.loss_weights,
            y_pred,
            names,
            "loss_weights",
            lambda x: x is None or isinstance(x, (float, int)),
        )

    def __call__(self, y, y_pred, sample_weight=None):
        """The total loss, a scalar; updates the trackers. None without losses."""
        if self.entries is None:
            self.build(y, y_pred)
        names = outputs.output_names(y_pred, self.output_names)
        leaves = outputs.output_leaves(y_pred)
        targets = outputs.align_arrays(y, y_pred, names, "y")
        weights = outputs.align_arrays(sample_weight, y_pred, names, "sample_weight")
        total = None
        for entry, target, leaf, sample in zip(
            self.entries, targets, leaves, weights, strict=True
        ):
            if entry is None:
                continue
            name, function, weight, tracker = entry
            if target is None:
                raise ValueError(
                    f"The loss of output {name!r} needs targets, but y has none for "
                    "it. Pass y, or compile with loss=None for that output."
                )
            value = function(target, leaf, sample)
            if tracker is not None:
                tracker.update_state(value, sample_weight=_batch_size(target))
            if weight is not None:
                value = value * weight
            total = value if total is None else total + value
        return total


def _batch_size(target):
    return jnp.asarray(target).shape[0] if target.ndim else 1


def _tracker(name):
    with Frame(path=("compile_loss",)):
        return Mean(name=f"{name}_loss")


def _is_loss(x):
    return x is None or isinstance(x, (str, Loss)) or callable(x) or _is_config(x)


def _is_config(x):
    return isinstance(x, dict) and "class_name" in x


def _check_loss(loss):
    for x in outputs._flatten(loss, _is_loss) if _is_nest(loss) else [loss]:
        if not _is_loss(x):
            raise ValueError(
                f"loss: expected a name, a function or a Loss object, got {x!r}."
            )
        if isinstance(x, str) and x not in _BY_SHAPE:
            losses.get(x)  # an unknown name fails at compile, not in the first step


def _is_nest(x):
    return isinstance(x, (list, tuple, dict)) and not _is_config(x)


def _loss_name(loss):
    if isinstance(loss, str):
        return loss
    return getattr(loss, "name", None) or getattr(loss, "__name__", "loss")


_BY_SHAPE = ("crossentropy", "ce")


def resolve_loss(loss, y, y_pred):
    """Name, function or object -> `f(y, y_pred, sample_weight)` giving a scalar."""
    if isinstance(loss, str) and loss in _BY_SHAPE:
        loss = crossentropy_by_shape(y, y_pred)
    loss = losses.get(loss)
    if isinstance(loss, Loss):
        return loss
    if inspect.isfunction(loss) or callable(loss):
        return losses.LossFunctionWrapper(
            loss, name=getattr(loss, "__name__", type(loss).__name__)
        )
    raise ValueError(f"loss: expected a callable, got {loss!r}.")


def shape_kind(y, y_pred) -> str:
    """"binary", "sparse" (integer labels) or "categorical", from the shapes."""
    if y_pred.shape[-1] == 1:
        return "binary"
    rows, columns = len(y.shape), len(y_pred.shape)
    if rows < columns or y.shape[-1] == 1:
        return "sparse"
    return "categorical"


def crossentropy_by_shape(y, y_pred) -> str:
    """The crossentropy that fits the shapes."""
    kind = shape_kind(y, y_pred)
    prefix = "sparse_categorical" if kind == "sparse" else kind
    return f"{prefix}_crossentropy"
