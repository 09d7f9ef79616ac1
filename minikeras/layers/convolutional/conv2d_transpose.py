"""Conv2DTranspose: a transposed convolution over images."""

from minikeras.layers.convolutional.base_conv_transpose import BaseConvTranspose


class Conv2DTranspose(BaseConvTranspose):
    """Transposed convolution over (batch, rows, columns, channels).

    Args: see `BaseConvTranspose`.

    >>> import numpy as np
    >>> Conv2DTranspose(4, 2, strides=2)(np.ones((2, 3, 5, 1))).shape
    (2, 6, 10, 4)
    """

    rank = 2
