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
    """Sums of weights by label (rows) and predicted label (columns).

    Args:
        y_true: (n,) integer labels; entries outside [0, num_classes) do not count.
        y_pred: (n,) predicted labels; entries outside [0, num_classes) do not count.
        num_classes: number of rows and columns.
        weights: (n,) weights; None: all 1.
        dtype: name of the dtype of the sums.

    Returns:
        (num_classes, num_classes) sums.

    >>> confusion_matrix(jnp.array([0, 1, 1]), jnp.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    if weights is None:
        weights = jnp.ones(y_true.shape, dtype)
    valid = (y_true >= 0) & (y_true < num_classes)
    valid &= (y_pred >= 0) & (y_pred < num_classes)
    # mode="drop" ignores the row num_classes, but would take -1 for the last one.
    row = jnp.where(valid, y_true, num_classes)
    matrix = jnp.zeros((num_classes, num_classes), dtype)
    return matrix.at[row, y_pred].add(weights.astype(dtype), mode="drop")


@functools.partial(jax.jit, static_argnames=("class_ids", "dtype"), inline=True)
def mean_iou(matrix, class_ids, dtype):
    """Mean of TP / (TP + FP + FN) over the classes that occur."""
    overlap = jnp.diagonal(matrix)
    union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - overlap
    overlap, union = (x[jnp.asarray(class_ids)].astype(dtype) for x in (overlap, union))
    present = jnp.sum(union != 0).astype(dtype)
    return divide_no_nan(jnp.sum(overlap / (union + epsilon())), present)


def _without_ones(shape):
    """The sizes of a shape that are not 1."""
    return [n for n in shape if n != 1]


class _IoUBase(Metric):
    """Base of the IoU metrics: accumulates the confusion matrix."""

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
            (num_classes, num_classes),
            "zeros",
            self.dtype,
            name="total_confusion_matrix",
        )

    def _mk_labels(self, y, sparse):
        """Integer labels as they are; of scores, the class with the largest one."""
        y = convert_to_tensor(y)
        return y if sparse else jnp.argmax(y, axis=self.axis)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) integer labels; scores along `axis` if not
                `sparse_y_true`.
            y_pred: (batch, ...) predicted labels; scores along `axis` if not
                `sparse_y_pred`.
            sample_weight: weights that broadcast to the labels; None: all 1.

        Raises:
            ValueError: `y_true` and `y_pred` have different numbers of labels.
        """
        y_true = self._mk_labels(y_true, self.sparse_y_true).astype("int32")
        y_pred = self._mk_labels(y_pred, self.sparse_y_pred).astype("int32")
        if _without_ones(y_true.shape) != _without_ones(y_pred.shape):
            raise ValueError(
                f"{type(self).__name__}: expected as many labels in y_true as in "
                f"y_pred, got labels of the shapes {y_true.shape} and {y_pred.shape}."
            )
        # A model's output is (n, 1) where labels are (n,): same labels, other shape.
        y_pred = y_pred.reshape(y_true.shape)
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
    """Mean of TP / (TP + FP + FN) over some classes.

    Targets and predictions: (batch, ...) integer labels.

    Args:
        num_classes: labels are in [0, num_classes).
        target_class_ids: list of the classes that the mean is taken over.
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; sample weights are cast to it.
        ignore_class: entries with this label do not count; None: all count.
        sparse_y_true: bool, whether targets are integer labels, False if they are
            scores along `axis`.
        sparse_y_pred: bool, whether predictions are integer labels, False if they are
            scores along `axis`.
        axis: axis of the classes.

    Raises:
        ValueError: a target class is not below num_classes.

    >>> float(keras.metrics.IoU(2, target_class_ids=[1])([0, 0, 1, 1], [0, 1, 1, 1]))
    0.666666...
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
            num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.target_class_ids = list(target_class_ids)

    def result(self):
        """Return the mean so far."""
        return mean_iou(self.total_cm.value, tuple(self.target_class_ids), floatx())

    _mk_config_names = """num_classes target_class_ids ignore_class sparse_y_true
        sparse_y_pred axis""".split()

    def get_config(self):
        """Return the constructor's arguments."""
        own = {name: getattr(self, name) for name in self._mk_config_names}
        return {**super().get_config(), **own}


class BinaryIoU(IoU):
    """Mean of TP / (TP + FP + FN) over the classes 0 and 1 of scores.

    Targets: (batch, ...) labels 0 or 1; predictions: (batch, ...) scores.

    Args:
        target_class_ids: list of the classes, of 0 and 1, that the mean is taken over.
        threshold: scores >= it count as class 1.
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; sample weights are cast to it.

    Raises:
        ValueError: a target class is not 0 or 1.

    >>> metric = keras.metrics.BinaryIoU([1], threshold=0.4)
    >>> float(metric([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]))
    0.666666...
    """

    _mk_config_names = ("target_class_ids", "threshold")

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) labels 0 or 1.
            y_pred: (batch, ...) scores.
            sample_weight: weights that broadcast to the labels; None: all 1.
        """
        y_pred = convert_to_tensor(y_pred)
        found = y_pred >= jnp.asarray(self.threshold, y_pred.dtype)
        super().update_state(y_true, found, sample_weight)


class MeanIoU(IoU):
    """Mean of TP / (TP + FP + FN) over all classes.

    Targets and predictions: (batch, ...) integer labels.

    Args:
        num_classes: labels are in [0, num_classes).
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; sample weights are cast to it.
        ignore_class: entries with this label do not count; None: all count.
        sparse_y_true: bool, whether targets are integer labels, False if they are
            scores along `axis`.
        sparse_y_pred: bool, whether predictions are integer labels, False if they are
            scores along `axis`.
        axis: axis of the classes.

    >>> float(keras.metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 1, 1]))
    0.583333...
    """

    _mk_config_names = """num_classes ignore_class sparse_y_true sparse_y_pred
        axis""".split()

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
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """Mean of TP / (TP + FP + FN) over some classes, of one-hot labels.

    Targets: (batch, ..., classes); predictions: the same, or integer labels.

    Args:
        num_classes: labels are in [0, num_classes).
        target_class_ids: list of the classes that the mean is taken over.
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; sample weights are cast to it.
        ignore_class: entries with this label do not count; None: all count.
        sparse_y_pred: bool, whether predictions are integer labels, False if they are
            scores along `axis`.
        axis: axis of the classes.

    Raises:
        ValueError: a target class is not below num_classes.

    >>> metric = keras.metrics.OneHotIoU(2, [1])
    >>> float(metric([[1, 0], [0, 1]], [[0.3, 0.7], [0.4, 0.6]]))
    0.5
    """

    _mk_config_names = """num_classes target_class_ids ignore_class sparse_y_pred
        axis""".split()

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
            num_classes,
            target_class_ids,
            name,
            dtype,
            ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )


class OneHotMeanIoU(MeanIoU):
    """Mean of TP / (TP + FP + FN) over all classes, of one-hot labels.

    Targets: (batch, ..., classes); predictions: the same, or integer labels.

    Args:
        num_classes: labels are in [0, num_classes).
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; sample weights are cast to it.
        ignore_class: entries with this label do not count; None: all count.
        sparse_y_pred: bool, whether predictions are integer labels, False if they are
            scores along `axis`.
        axis: axis of the classes.

    >>> metric = keras.metrics.OneHotMeanIoU(2)
    >>> float(metric([[1, 0], [0, 1]], [[0.3, 0.7], [0.4, 0.6]]))
    0.25
    """

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
