"""Intersection over union of predicted and true regions, from a confusion matrix."""

import functools
import warnings

import jax
import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import align_to_samples, broadcast_weights
from minikeras.metrics.metric import Metric
from minikeras.ops import divide_no_nan
from minikeras.settings import epsilon, floatx


@functools.partial(jax.jit, static_argnames=("num_classes", "dtype"), inline=True)
def confusion_matrix(y_true, y_pred, num_classes, weights=None, dtype="int32"):
    """(n,) labels twice -> (classes, classes) sums of weights, rows true.

    Labels outside [0, num_classes) are left out.

    >>> confusion_matrix(jnp.array([0, 1, 1]), jnp.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    if weights is None:
        weights = jnp.ones(y_true.shape, dtype)
    inside = (y_true >= 0) & (y_true < num_classes)
    inside &= (y_pred >= 0) & (y_pred < num_classes)
    row = jnp.where(inside, y_true, num_classes)
    matrix = jnp.zeros((num_classes, num_classes), dtype)
    return matrix.at[row, y_pred].add(weights.astype(dtype), mode="drop")


@functools.partial(jax.jit, static_argnames=("class_ids", "dtype"), inline=True)
def mean_iou(matrix, class_ids, dtype):
    """Mean of TP / (TP + FP + FN) of the classes that occur."""
    right = jnp.diagonal(matrix)
    either = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - right
    right, either = (x[jnp.asarray(class_ids)].astype(dtype) for x in (right, either))
    occurring = jnp.sum(either != 0).astype(dtype)
    return divide_no_nan(jnp.sum(right / (either + epsilon())), occurring)


def _without_ones(shape):
    return [n for n in shape if n != 1]


class _IoUBase(Metric):
    """Base: the confusion matrix of everything seen."""

    _mk_direction = "up"

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes, self.ignore_class = num_classes, ignore_class
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            *((num_classes, num_classes), "zeros", self.dtype),
            name="total_confusion_matrix",
        )

    def _mk_labels(self, y, sparse):
        y = convert_to_tensor(y)
        return y if sparse else jnp.argmax(y, axis=self.axis)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels, or of scores where they are not sparse."""
        y_true = self._mk_labels(y_true, self.sparse_y_true).astype("int32")
        y_pred = self._mk_labels(y_pred, self.sparse_y_pred).astype("int32")
        if _without_ones(y_true.shape) != _without_ones(y_pred.shape):
            raise ValueError(
                f"{type(self).__name__}: expected as many labels in y_true as in "
                f"y_pred, got labels of the shapes {y_true.shape} and {y_pred.shape}."
            )
        y_pred = y_pred.reshape(y_true.shape)  # (n,) labels beside an output of (n, 1)
        weights = jnp.ones((), self.dtype)
        if sample_weight is not None:
            given = convert_to_tensor(sample_weight)
            if jnp.issubdtype(given.dtype, jnp.floating) and "int" in self.dtype:
                warnings.warn(
                    f"{self.name}: sample weights are float, counts are {self.dtype}: "
                    "casting drops fractions. Make the metric with dtype='float32' to "
                    "keep them.",
                    stacklevel=2,
                )
            weights = given.astype(self.dtype)
        if weights.size == y_true.size:
            weights = weights.reshape(y_true.shape)
        weights = align_to_samples(weights, y_true)
        weights = broadcast_weights(weights, y_true).reshape(-1)
        y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        if self.ignore_class is not None:
            kept = y_true != self.ignore_class
            y_true = jnp.where(kept, y_true, 0)
            weights = jnp.where(kept, weights, 0)
        self.total_cm.assign_add(
            confusion_matrix(y_true, y_pred, self.num_classes, weights, self.dtype)
        )


class IoU(_IoUBase):
    """Mean over `target_class_ids` of TP / (TP + FP + FN).

    Args:
        num_classes: labels lie in [0, num_classes).
        target_class_ids: classes that count.
        name: unique by default.
        dtype: of the counts, int32 by default; sample weights are cast to it.
        ignore_class: entries with this label do not count.
        sparse_y_true, sparse_y_pred: integer labels? Else scores along `axis`.
        axis: axis of the classes.

    Raises:
        ValueError: a target class that is not in [0, num_classes).
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(
            *(num_classes, name, dtype, ignore_class),
            *(sparse_y_true, sparse_y_pred, axis),
        )
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.target_class_ids = list(target_class_ids)

    def result(self):
        """The mean so far."""
        return mean_iou(self.total_cm.value, tuple(self.target_class_ids), floatx())

    _mk_config_names = (
        *("num_classes", "target_class_ids", "ignore_class"),
        *("sparse_y_true", "sparse_y_pred", "axis"),
    )

    def get_config(self):
        """The constructor's arguments."""
        own = {name: getattr(self, name) for name in self._mk_config_names}
        return {**super().get_config(), **own}


class BinaryIoU(IoU):
    """`IoU` of scores: class 1 where a score is at least `threshold`."""

    _mk_config_names = ("target_class_ids", "threshold")

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels 0 or 1 and scores."""
        y_pred = convert_to_tensor(y_pred)
        found = y_pred >= jnp.asarray(self.threshold, y_pred.dtype)
        super().update_state(y_true, found, sample_weight)


class MeanIoU(IoU):
    """`IoU` of all classes."""

    _mk_config_names = (
        *("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"),
    )

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(
            *(num_classes, range(num_classes), name, dtype, ignore_class),
            *(sparse_y_true, sparse_y_pred, axis),
        )


class OneHotIoU(IoU):
    """`IoU` of one-hot labels."""

    _mk_config_names = (
        *("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis"),
    )

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(
            *(num_classes, target_class_ids, name, dtype, ignore_class),
            *(False, sparse_y_pred, axis),
        )


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels."""

    _mk_config_names = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(
            num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis
        )
