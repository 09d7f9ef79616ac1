"""The LSTM kernel of cuDNN, which computes all steps at once on NVIDIA GPUs."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import platform
from minikeras.core.late_import import late_import


def pack_lstm_weights(kernel, recurrent_kernel, bias):
    """Concatenate Keras's weights into the one vector that cuDNN reads.

    Args:
        kernel: (n_in, 4 · units), gates in the order input, forget, candidate, output,
            which is also cuDNN's.
        recurrent_kernel: (units, 4 · units).
        bias: (4 · units,) or None.

    Returns:
        (4 · units · (n_in + units + 2),): both kernels with one row for each unit of a
        gate, then the bias of the inputs and the bias of the states, which is 0.
    """
    if bias is None:  # cuDNN has no form without biases
        bias = jnp.zeros(kernel.shape[1:], kernel.dtype)
    parts = kernel.T, recurrent_kernel.T, bias, jnp.zeros_like(bias)
    return jnp.concatenate([part.ravel() for part in parts])


def right_padded_lengths(mask):
    """Lengths of right-padded sequences, or None.

    Args:
        mask: (batch, steps), True for steps that count.

    Returns:
        (batch,) int32. None if the mask has another form, if a row has no True at its
        start, or if its values are not known while the program is traced.
    """
    if isinstance(mask, jax.core.Tracer):
        return None
    mask = np.asarray(mask).astype(bool)
    if mask.ndim != 2 or not mask[:, 0].all() or (mask[:, 1:] > mask[:, :-1]).any():
        return None
    return mask.sum(axis=1).astype("int32")


def cudnn_lstm(x, h, c, weights, lengths=None):
    """Compute all steps of an LSTM with cuDNN.

    Args:
        x: (batch, steps, n_in) float32.
        h, c: (batch, units), the states.
        weights: output of `pack_lstm_weights`.
        lengths: (batch,) int32 >= 1, how many steps of each sequence count; None: all.

    Returns:
        (outputs (batch, steps, units), zeros after the lengths; final h; final c).
    """
    rnn = late_import("jax.experimental.rnn")
    if lengths is None:
        lengths = jnp.full(x.shape[:1], x.shape[1], "int32")
    arrays = x, h[None], c[None], weights, lengths
    sizes = x.shape[-1], h.shape[-1], 1  # of inputs, of states; number of layers
    outputs: tuple = rnn.lstm(*arrays, *sizes, dropout=0.0, bidirectional=False)
    return outputs[0], outputs[1][0], outputs[2][0]


def can_use_cudnn(x, *others):
    """Can cuDNN take these arrays: float32, and a program that may run on a GPU?

    Elsewhere the kernel must not even be traced, because tracing asks cuDNN for sizes.
    It must not be traced under `vmap` either, for which JAX has no rule of this kernel.
    """
    # JAX has no public name for the tracers of `vmap`.
    mapped = any(type(a).__name__ == "BatchTracer" for a in (x, *others))
    return (
        platform.platform() == "gpu"
        and x.dtype == jnp.float32
        and x.shape[1] > 0
        and not mapped
    )
