"""Conv1DTranspose: a transposed convolution over sequences."""

from minikeras.layers.convolutional.base_conv_transpose import BaseConvTranspose


class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution over (batch, steps, channels).

    Args: see `BaseConvTranspose`.

    >>> import numpy as np
    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 3))).shape
    (2, 10, 4)
    """

    rank = 1
