"""The LSTM of cuDNN: all steps in one kernel, on NVIDIA GPUs."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.late_import import late_import


def pack_lstm(kernel, recurrent_kernel, bias):
    """Keras's weights -> the one vector that cuDNN takes.

    Args:
        kernel: (n_in, 4 · units), the gates in the order input, forget, candidate,
            output, as cuDNN has them.
        recurrent_kernel: (units, 4 · units).
        bias: (4 · units,) or None.

    Returns:
        (4 · units · (n_in + units + 2),): both kernels with one row for each unit of a
        gate, then the biases of inputs and of states, the second of which is 0.
    """
    if bias is None:
        bias = jnp.zeros(kernel.shape[1:], kernel.dtype)
    parts = kernel.T, recurrent_kernel.T, bias, jnp.zeros_like(bias)
    return jnp.concatenate([part.ravel() for part in parts])


def lengths_of(mask):
    """Lengths of right-padded sequences, or None.

    None if the mask (batch, steps) has another form, a row without any step, or values
    that are not known while the program is made.
    """
    if isinstance(mask, jax.core.Tracer):
        return None
    mask = np.asarray(mask).astype(bool)
    if mask.ndim != 2 or not mask[:, 0].all() or (mask[:, 1:] > mask[:, :-1]).any():
        return None
    return mask.sum(axis=1).astype("int32")


def fused_lstm(x, h, c, weights, lengths=None):
    """All steps of an LSTM by cuDNN.

    Args:
        x: (batch, steps, n_in) float32.
        h, c: (batch, units), the states.
        weights: of `pack_lstm`.
        lengths: (batch,) int32 >= 1, numbers of steps that count, from the first one;
            None: all.

    Returns:
        (outputs (batch, steps, units), zeros after the lengths; h, c after them).
    """
    rnn = late_import("jax.experimental.rnn")
    if lengths is None:
        lengths = jnp.full(x.shape[:1], x.shape[1], "int32")
    arrays = x, h[None], c[None], weights, lengths
    sizes = x.shape[-1], h.shape[-1], 1  # of inputs, of states; number of layers
    outputs: tuple = rnn.lstm(*arrays, *sizes, dropout=0.0, bidirectional=False)
    return outputs[0], outputs[1][0], outputs[2][0]


def may_fuse(x, *others):
    """Can cuDNN take the inputs: float32, in a program that may run on a GPU?

    Where there is none the kernel is not even traced: that asks cuDNN for sizes. Nor is
    it under `vmap`, for which JAX has no rule (and no public name to know it by).
    """
    mapped = any(type(a).__name__ == "BatchTracer" for a in (x, *others))
    return (
        jax.default_backend() == "gpu"
        and x.dtype == jnp.float32
        and x.shape[1] > 0
        and not mapped
    )
