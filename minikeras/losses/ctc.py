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
        y_pred: (n, frames, classes) scores in (-∞, ∞); class 0 is the blank.

    Returns:
        (n,) losses.

    Raises:
        ValueError: `y_true` has not rank 2, or `y_pred` not rank 3.

    Source: Graves et al., Connectionist Temporal Classification, 2006.

    >>> keras.losses.ctc([[1, 0]], np.zeros((1, 2, 2))).tolist()
    [0.287682...]
    """
    y_true, y_pred = convert_to_tensor(y_true, "int32"), convert_to_tensor(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise ValueError(
            "ctc: expected y_true of shape (batch, labels) and y_pred of shape (batch, "
            f"frames, classes), got {y_true.shape} and {y_pred.shape}."
        )
    # As in Keras, the number of labels that are not 0 is taken for the length of the
    # sequence: a 0 between labels would cut off the last label.
    lengths = jnp.sum(y_true != 0, axis=1)
    return ctc_loss(y_true, y_pred, lengths, jnp.full(len(y_pred), y_pred.shape[1]))


class CTC(LossFunctionWrapper):
    """-log p(labels), summed over all alignments of labels and frames.

    Targets: (batch, labels) integers in [1, classes), 0 pads; predictions: (batch,
    frames, classes) scores in (-∞, ∞), class 0 being the blank.

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: targets or predictions have another rank.

    Source: Graves et al., Connectionist Temporal Classification, 2006.

    >>> float(keras.losses.CTC()([[1, 0]], np.zeros((1, 2, 2))))
    0.287...
    """

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(ctc, reduction, name, dtype)
