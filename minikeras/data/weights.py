"""Sample weights from class weights."""

import numbers
from collections.abc import Mapping

import numpy as np

from minikeras.settings import floatx


def weighted(batch, class_weight):
    """A batch `(x, y)` with the weights of its classes; without any, as it is."""
    if class_weight is None or not isinstance(batch, tuple) or len(batch) < 2:
        return batch
    x, y, *weights = batch
    if any(weight is not None for weight in weights):
        raise ValueError(
            "You cannot pass `class_weight` for data that yields sample weights: "
            "multiply the weights where the batches are made."
        )
    return x, y, class_weight_to_sample_weights(y, class_weight)


def check_class_weight(class_weight):
    """TypeError unless it is {class number: weight}.

    Anything else would weigh nothing in silence: the key "1" is no class.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            "`class_weight` must be a dict from class number to weight, such as "
            f"{{0: 1.0, 1: 5.0}}; got {class_weight!r} "
            f"({type(class_weight).__name__}). Compute the weights and name the "
            "classes: dict(enumerate(weights))."
        )
    for label, weight in class_weight.items():
        # 1.0 is the key 1 to a dict.
        if not isinstance(label, numbers.Real) or label != int(label):
            raise TypeError(
                "`class_weight`: the keys must be class numbers (ints), got "
                f"{label!r} ({type(label).__name__}) in {class_weight!r}."
            )
        if isinstance(weight, str) or not hasattr(weight, "__float__"):
            raise TypeError(
                f"`class_weight`: the weight of class {label} must be a number, got "
                f"{weight!r} ({type(weight).__name__})."
            )


def class_weight_to_sample_weights(y, class_weight):
    """One weight a sample from one weight a class: `w[i] = class_weight[y[i]]`.

    Args:
        y: class numbers of shape (n,) or (n, 1), rounded to the nearest integer, or
            one row of class scores a sample, shape (n, classes), of which the
            largest counts.
        class_weight: dict from class number to weight; other classes weigh 1.

    Returns:
        Weights of dtype `floatx()`, shape (n,).

    >>> class_weight_to_sample_weights(np.array([0, 2, 1]), {2: 0.5}).tolist()
    [1.0, 0.5, 1.0]
    """
    check_class_weight(class_weight)
    y = np.asarray(y)
    if y.ndim > 2 or y.ndim == 0:
        raise ValueError(
            "`class_weight` needs targets of shape (samples,), (samples, 1) or "
            f"(samples, classes); got {y.shape}. Pass `sample_weight` instead."
        )
    if y.ndim == 2:
        y = y[:, 0] if y.shape[1] == 1 else np.argmax(y, axis=-1)
    classes, where = np.unique(np.rint(y).astype("int64"), return_inverse=True)
    weights = [class_weight.get(int(label), 1.0) for label in classes]
    return np.asarray(weights, dtype=floatx())[where.reshape(-1)]
