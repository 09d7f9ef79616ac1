"""Sample weights from class weights."""

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from minikeras.settings import floatx


def add_class_weights(batch: Any, class_weight: Mapping | None) -> Any:
    """Add the weights of the classes to a batch `(x, y)`.

    A batch without `y`, or a `class_weight` of None, gives the batch itself.
    """
    if class_weight is None or not isinstance(batch, tuple) or len(batch) < 2:
        return batch
    x, y, *weights = batch
    if any(weight is not None for weight in weights):
        raise ValueError(
            "You cannot pass `class_weight` for data that yields sample weights: "
            "multiply the weights where the batches are made."
        )
    return x, y, class_weight_to_sample_weights(y, class_weight)


def check_class_weight(class_weight: Any) -> None:
    """Raise TypeError unless it is {class number: weight}.

    Another key, such as the string "1", would match no class, without notice.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            "`class_weight` must be a dict from class number to weight, such as "
            f"{{0: 1.0, 1: 5.0}}; got {class_weight!r} "
            f"({type(class_weight).__name__}). Compute the weights and name the "
            "classes: dict(enumerate(weights))."
        )
    for label, weight in class_weight.items():
        # Floats such as 1.0 are allowed: a dict finds them under the key 1.
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


def class_weight_to_sample_weights(y: Any, class_weight: Mapping) -> np.ndarray:
    """class_weight[y]: the weights of samples from the weights of classes.

    Args:
        y: (n,) or (n, 1) class numbers, rounded to integers; or (n, classes) scores,
            of which the largest gives the class.
        class_weight: {class number: weight}; other classes have the weight 1.

    Returns:
        (n,) weights, in `floatx()`.

    Raises:
        TypeError: `class_weight` has another form.
        ValueError: `y` has another shape.

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
    classes, index = np.unique(np.rint(y).astype("int64"), return_inverse=True)
    weights = [class_weight.get(int(label), 1.0) for label in classes]
    return np.asarray(weights, dtype=floatx())[index.reshape(-1)]
