"""Crossentropies."""

import jax
import jax.numpy as jnp

from minikeras import settings
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import nn_op

__all__ = [
    "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]  # fmt: skip


def _clipped(probabilities):
    """Probabilities at least epsilon away from 0 and 1."""
    # As in Keras: log(0) = -∞ times a target of 0 would be NaN.
    epsilon = settings.epsilon()
    return jnp.clip(probabilities, epsilon, 1.0 - epsilon)


def _check(name, target, output):
    """ValueError unless both have the same shape."""
    if target.shape != output.shape:
        raise ValueError(
            f"{name}: target and output must have the same shape, got "
            f"target.shape={target.shape}, output.shape={output.shape}."
        )


@nn_op(tensors=("target", "output"))
def binary_crossentropy(target, output, from_logits=False):
    """-t log p - (1 - t) log(1 - p), entry by entry.

    Args:
        target: t, array of numbers in [0, 1].
        output: p, of the shape of `target`; or logits with p = sigmoid(output).
        from_logits: `output` holds logits.

    Returns:
        Array of the shape of `target`.

    Raises:
        ValueError: the shapes differ.

    >>> binary_crossentropy([1.0, 0.0], [0.5, 0.75]).tolist()
    [0.693..., 1.386...]
    """
    target, output = as_array(target), as_array(output)
    _check("binary_crossentropy", target, output)
    if from_logits:
        # log(sigmoid(x)) itself is -∞ below -88, where sigmoid(x) is 0 in float32.
        log_p = jax.nn.log_sigmoid(output)
        log_not_p = jax.nn.log_sigmoid(-output)
        return -1.0 * target * log_p - (1.0 - target) * log_not_p
    p = _clipped(output)
    return -(target * jnp.log(p) + (1.0 - target) * jnp.log(1.0 - p))


def _log_probabilities(output, from_logits, axis):
    """log p of logits or of probabilities, which are scaled to sum 1 first."""
    if from_logits:
        return jax.nn.log_softmax(output, axis=axis)
    return jnp.log(_clipped(output / jnp.sum(output, axis, keepdims=True)))


@nn_op(tensors=("target", "output"))
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-Σ t log p over the classes.

    Args:
        target: t, (…, classes) array of probabilities, such as one-hot vectors.
        output: p, of the shape of `target`, scaled so that it sums to 1; or logits with
            p = softmax(output).
        from_logits: `output` holds logits.
        axis: int, the axis of the classes.

    Returns:
        Array without `axis`.

    Raises:
        ValueError: the shapes differ, or there is no axis.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]]).tolist()
    [1.386...]
    """
    target, output = as_array(target), as_array(output)
    _check("categorical_crossentropy", target, output)
    if target.ndim < 1:
        raise ValueError("categorical_crossentropy: expected one axis at least.")
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis)


@nn_op(tensors=("target", "output"))
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log p of the target class.

    Args:
        target: (…) or (…, 1) class indices; one out of range gives 0.
        output: p, (…, classes) array, scaled so that it sums to 1; or logits with
            p = softmax(output).
        from_logits: `output` holds logits.
        axis: int, the axis of the classes in `output`.

    Returns:
        Array without `axis`.

    Raises:
        ValueError: the shapes do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.75, 0.25]]).tolist()
    [1.386...]
    """
    target, output = as_array(target).astype("int32"), as_array(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, -1)
    if output.ndim < 1:
        raise ValueError("sparse_categorical_crossentropy: output has no classes.")
    if not -output.ndim <= axis < output.ndim:
        raise ValueError(
            f"sparse_categorical_crossentropy: axis {axis} is out of bounds for output "
            f"of shape {output.shape}."
        )
    expected = output.shape[:axis] + output.shape[axis % output.ndim + 1 :]
    if target.shape != expected:
        raise ValueError(
            "sparse_categorical_crossentropy: target must have the shape of output "
            f"without axis {axis}, {expected}; got {target.shape}."
        )
    log_p = _log_probabilities(output, from_logits, axis)
    # One-hot times log p, as in Keras: an index out of range gives 0, where a gather
    # would not.
    # In `floatx()`, as in Keras: under `jit` XLA then computes log p of half-width
    # outputs in float32.
    hot = jax.nn.one_hot(target, output.shape[axis], axis=axis, dtype=settings.floatx())
    return -jnp.sum(hot * log_p, axis)
