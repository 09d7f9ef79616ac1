"""The form of one batch, `(x, y, sample_weight)`, and operations on whole data sets."""

import math

import jax
import numpy as np

from minikeras.config import floatx


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """Shorten `(x, y, sample_weight)` to the form that `fit` hands to `train_step`.

    Args:
        x: inputs, any structure of arrays.
        y: targets, or None.
        sample_weight: weights, or None.

    Returns:
        `(x, y, sample_weight)`, `(x, y)`, or without `y` just `x`; an `x` that is
        itself a list or tuple comes back as `(x,)`.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    >>> pack_x_y_sample_weight([1, 2])
    ([1, 2],)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    if sample_weight is None:
        return (x, y)
    return (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """Lengthen one batch to `(x, y, sample_weight)`, with None for what is absent.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list counts as a
            tuple, anything else as `x`.

    Returns:
        A tuple of three.

    Raises:
        ValueError: an empty tuple or one of more than three parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return (data, None, None)
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "A batch is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got a "
            f"{type(data).__name__} of {len(data)} parts. Several inputs go together "
            "as one list, tuple or dict in the first place."
        )
    return (*data, None, None)[:3]


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


def train_validation_split(arrays, validation_split):
    """Cut the last part of every array off for validation, without shuffling.

    Args:
        arrays: tuple of structures of arrays, such as `(x, y, sample_weight)`; None
            stays None.
        validation_split: the fraction to cut off, between 0 and 1; the training part
            has `floor(samples * (1 - validation_split))` samples.

    Returns:
        `(train, validation)`, each built like `arrays`.

    Raises:
        ValueError: something cannot be cut (a generator), or a part would be empty.
    """
    from minikeras.data.arrays import as_arrays, count_samples

    arrays = tuple(
        as_arrays(part, name, hint="`validation_split` works on arrays only: ")
        for part, name in zip(arrays, ("x", "y", "sample_weight"), strict=False)
    )
    samples = count_samples(arrays)
    cut = math.floor(samples * (1.0 - validation_split))
    if not 0 < validation_split < 1 or not 0 < cut < samples:
        raise ValueError(
            f"validation_split={validation_split} of {samples} samples leaves "
            "training or validation without any. Expected a fraction between 0 and 1 "
            "that gives both at least one sample, or pass `validation_data`."
        )
    train = jax.tree_util.tree_map(lambda a: a[:cut], arrays)
    return train, jax.tree_util.tree_map(lambda a: a[cut:], arrays)
