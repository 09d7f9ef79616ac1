"""Conv3D: a convolution over volumes."""

from minikeras.layers.convolutional.base_conv import BaseConv


class Conv3D(BaseConv):
    """Convolution over (batch, depth, rows, columns, channels).

    Args: see `BaseConv`.
    """

    rank = 3
