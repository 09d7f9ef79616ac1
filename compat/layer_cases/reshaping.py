"""Draws of reshaping, cropping, padding and upsampling."""

import itertools
import math

from compat.layer_cases.convolutional import FORMATS, window
from compat.layer_cases.drawing import Case, draws, image, step_mask


def spatial(d, rank, kwargs, **sizes):
    """An image, and its axes of any size."""
    data_format = kwargs.get("data_format")
    first = 2 if data_format == "channels_first" else 1
    x = image(d, rank, data_format, **sizes)
    return x, (0, *range(first, first + rank))


@draws("Reshape")
def reshape(d, name):
    x = d.normal((d.choice(1, 2, 3), *d.shape(1, 3, (1, 2, 4))))
    size = math.prod(x.shape[1:])
    shapes = [(size,), (-1,), (1, size), (size, 1, 1), (-1, 1), x.shape[1:]]
    if size % 2 == 0:
        shapes += [(2, size // 2), (2, -1), (-1, 2)]
    return Case({"target_shape": d.choice(*shapes, list(x.shape[1:]))}, x)


@draws("Flatten")
def flatten(d, name):
    x = d.normal((d.choice(1, 2), *d.choice((), d.shape(1, 4, (1, 2, 3)))))
    kwargs = d.options({"data_format": FORMATS})
    return Case(kwargs, x)


@draws("Permute")
def permute(d, name):
    x = d.normal((2, *d.shape(1, 4, (1, 2, 3))))
    orders = list(itertools.permutations(range(1, x.ndim)))
    return Case({"dims": d.choice(*orders)}, x, free=tuple(range(x.ndim)))


@draws("RepeatVector")
def repeat_vector(d, name):
    return Case({"n": d.choice(1, 2, 5)}, d.normal(d.shape(2, 2)))


@draws("Cropping1D Cropping2D Cropping3D")
def cropping(d, name):
    rank = int(name[-2])
    pair = tuple(int(n) for n in d.rng.integers(0, 3, 2))
    pairs = tuple((d.choice(0, 1, 2), d.choice(0, 1)) for _ in range(rank))
    options = (1, 2, pair) if rank == 1 else (1, window(d, rank), pairs)
    kwargs = d.options({"cropping": options})
    if rank > 1:
        kwargs |= d.options({"data_format": FORMATS})
    x, free = spatial(d, rank, kwargs, low=6, high=8)
    return Case(kwargs, x, free=free)


@draws("ZeroPadding1D ZeroPadding2D ZeroPadding3D")
def zero_padding(d, name):
    rank = int(name[-2])
    pair = tuple(int(n) for n in d.rng.integers(0, 3, 2))
    pairs = tuple((d.choice(0, 1, 2), d.choice(0, 1)) for _ in range(rank))
    options = (0, 2, pair) if rank == 1 else (1, window(d, rank), pairs)
    kwargs = d.options({"padding": options, "data_format": FORMATS})
    x, free = spatial(d, rank, kwargs, low=1, high=4)
    return Case(kwargs, x, free=free)


@draws("UpSampling1D UpSampling2D UpSampling3D")
def up_sampling(d, name):
    rank = int(name[-2])
    size = d.choice(1, 2, 3) if rank == 1 else window(d, rank)
    kwargs = d.options({"size": (size,)})
    if rank > 1:
        kwargs |= d.options({"data_format": FORMATS})
    if rank == 2:
        ways = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        kwargs |= d.options({"interpolation": ways})
    x, free = spatial(d, rank, kwargs, low=1, high=4)
    if kwargs.get("interpolation", "nearest") != "nearest":
        free = (0,)
    return Case(kwargs, x, free=free, terms=20)


@draws("Rescaling")
def rescaling(d, name):
    x = d.normal((2, *d.shape(0, 3, (1, 3))))
    kwargs = {"scale": d.choice(0.5, 3, -1.0)}
    if x.ndim > 1 and d.chance(0.3):
        kwargs["scale"] = [float(i + 1) for i in range(x.shape[-1])]
    return Case(kwargs | d.options({"offset": (1.0, -2)}), x)


@draws("Masking")
def masking(d, name):
    x = d.ints((2, d.choice(1, 3), *d.choice((), (2,)), d.choice(1, 2)), 0, 3)
    kwargs = d.options({"mask_value": (0.0, 1, 2.0)})
    mask = step_mask(d, *x.shape[:2]) if d.chance(0.3) else None
    return Case(kwargs, x.astype("float32"), mask=mask)
