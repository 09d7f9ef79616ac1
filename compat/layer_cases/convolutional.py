"""Draws of convolutions."""

import math

from compat.layer_cases.drawing import ACTIVATIONS, Case, draws, image, weights

FORMATS = (None, "channels_last", "channels_first")


def window(d, rank, options=(1, 2, 3)):
    """One number, or one for each axis."""
    if d.chance():
        return d.choice(*options)
    return tuple(d.choice(*options) for _ in range(rank))


def steps(d, rank, both=False):
    """`strides` or `dilation_rate` (or both), or neither."""
    names = [("strides",), ("dilation_rate",), ()]
    chosen = d.choice(*names, *[("strides", "dilation_rate")] * both)
    return {name: window(d, rank, (1, 2, 3)[: 4 - rank]) for name in chosen}


def settings(d, rank, paddings=(), both=False):
    """Arguments that all convolutions have."""
    return {
        "kernel_size": window(d, rank),
        **steps(d, rank, both),
        **d.options(
            {
                "padding": ("valid", "same", "SAME", *paddings),
                "data_format": FORMATS,
                "activation": ACTIVATIONS,
                "use_bias": (True, False),
                "activity_regularizer": ("l2",),
            }
        ),
    }


def images(d, rank, kwargs, channels=(1, 2, 3, 4)):
    """Inputs with sizes that all drawn windows fit into."""
    low, high = {1: (7, 12), 2: (7, 9), 3: (5, 7)}[rank]
    return image(d, rank, kwargs.get("data_format"), channels, low, high)


def case(kwargs, x, n_kernel, strided=True):
    """A `Case` with as many terms as a kernel has entries."""
    rank = x.ndim - 2
    first = kwargs.get("data_format") == "channels_first"
    space = tuple(range(2, rank + 2) if first else range(1, rank + 1))
    size = kwargs["kernel_size"]
    entries = size**rank if isinstance(size, int) else math.prod(size)
    return Case(kwargs, x, free=(0, *space), terms=entries * n_kernel)


@draws("Conv1D Conv2D Conv3D")
def conv(d, name):
    rank = int(name[4])
    kwargs = settings(d, rank, ("causal",) if rank == 1 else ())
    kwargs |= {"filters": d.choice(1, 2, 3), **weights(d, "kernel", "bias")}
    groups = d.choice(1, 1, 2)
    if groups > 1:
        kwargs |= {"groups": groups, "filters": d.choice(2, 4)}
    if kwargs.get("kernel_constraint") is None:
        kwargs |= d.options({"lora_rank": (1, 2)})
    x = images(d, rank, kwargs, (2, 4) if groups > 1 else (1, 2, 3))
    return case(kwargs, x, 4)


@draws("Conv1DTranspose Conv2DTranspose Conv3DTranspose")
def conv_transpose(d, name):
    rank = int(name[4])
    kwargs = settings(d, rank)
    kwargs |= {"filters": d.choice(1, 2, 3), **weights(d, "kernel", "bias")}
    if d.chance():
        strides = kwargs.get("strides", 1)
        each = (strides,) * rank if isinstance(strides, int) else strides
        padding = tuple(int(d.rng.integers(0, s)) for s in each)
        kwargs["output_padding"] = d.choice(padding, min(padding))
    x = image(d, rank, kwargs.get("data_format"), (1, 2, 3), 1, 5)
    return case(kwargs, x, 3)


def depthwise_weights(d, *names):
    """Settings of weights; a constraint would be of no use to tests of one step."""
    return {
        **weights(d, *names),
        **d.options({"depth_multiplier": (1, 2, 3)}),
    }


@draws("DepthwiseConv1D DepthwiseConv2D")
def depthwise_conv(d, name):
    rank = int(name[-2])
    kwargs = settings(d, rank, both=True)
    kwargs |= depthwise_weights(d, "depthwise", "bias")
    return case(kwargs, images(d, rank, kwargs), 1)


@draws("SeparableConv1D SeparableConv2D")
def separable_conv(d, name):
    rank = int(name[-2])
    kwargs = {"filters": d.choice(1, 2, 3), **settings(d, rank, both=True)}
    kwargs |= depthwise_weights(d, "depthwise", "pointwise", "bias")
    return case(kwargs, images(d, rank, kwargs), 12)
