"""Conv1D: a convolution over the steps of sequences."""

import jax.numpy as jnp

from minikeras.layers.convolutional.base_conv import BaseConv


def pad_past(x, steps, axis=1):
    """Put zeros before the first step, so that no output sees later inputs."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (steps, 0)
    return jnp.pad(x, widths)


class Conv1D(BaseConv):
    """Convolution over (batch, steps, channels).

    Args: see `BaseConv`; `padding="causal"` pads the past only.

    >>> Conv1D(4, 3, padding="causal")(jnp.ones((2, 10, 5))).shape
    (2, 10, 4)
    """

    rank = 1
    _mk_paddings = ("causal",)

    def _mk_convolve(self, inputs, kernel, padding):
        if padding == "causal":
            past = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = pad_past(inputs, past, self._mk_space[0])
            padding = "valid"
        return super()._mk_convolve(inputs, kernel, padding)
