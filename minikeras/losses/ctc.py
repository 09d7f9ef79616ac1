"""Connectionist temporal classification: label sequences without alignment."""

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.ops.ctc import ctc_loss


@loss_function
def ctc(y_true, y_pred):
    """-log p(labels), summed over all alignments of labels and frames.

    Args:
        y_true: (n, labels) integer labels in [1, classes); 0 pads.
        y_pred: (n, frames, classes) scores (logits); class 0 is the blank.

    Returns:
        (n,) losses, as `ops.ctc_loss` gives them.

    Raises:
        ValueError: the ranks are not 2 and 3.
    """
    y_true, y_pred = convert_to_tensor(y_true, "int32"), convert_to_tensor(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise ValueError(
            "ctc: expected y_true of shape (batch, labels) and y_pred of shape (batch, "
            f"frames, classes), got {y_true.shape} and {y_pred.shape}."
        )
    # Padding is what comes after as many labels as are not 0.
    lengths = jnp.sum(y_true != 0, axis=1)
    return ctc_loss(y_true, y_pred, lengths, jnp.full(len(y_pred), y_pred.shape[1]))


class CTC(LossFunctionWrapper):
    """Loss of `ctc`."""

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(ctc, reduction, name, dtype)
