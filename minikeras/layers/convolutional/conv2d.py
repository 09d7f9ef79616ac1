"""Conv2D: a convolution over images."""

from minikeras.layers.convolutional.base_conv import BaseConv


class Conv2D(BaseConv):
    """Convolution over (batch, rows, columns, channels).

    Args: see `BaseConv`.

    >>> import numpy as np
    >>> Conv2D(4, 3, activation="relu")(np.ones((2, 8, 8, 3))).shape
    (2, 6, 6, 4)
    """

    rank = 2
