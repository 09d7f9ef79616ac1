"""Draws of regularization: the same random numbers in both packages."""

from compat.layer_cases.convolutional import FORMATS
from compat.layer_cases.drawing import Case, draws, image

RATES = (0.0, 0.2, 0.5, 0.9)
SEEDS = (None, 3, 123456789)


def training(d):
    """Further arguments of the call."""
    return {"training": True} if d.chance(0.7) else {}


def with_mask(d, x):
    """Now and then a mask."""
    return d.bools(x.shape[:-1]) if x.ndim > 1 and d.chance(0.3) else None


@draws("Dropout AlphaDropout")
def dropout(d, name):
    x = d.normal((2, *d.shape(1, 3)))
    kwargs = {"rate": d.choice(*RATES), **d.options({"seed": SEEDS})}
    if d.chance():
        shape = [d.choice(None, 1, n) for n in x.shape]
        kwargs["noise_shape"] = d.choice(shape, tuple(shape))
    return Case(kwargs, x, training(d), mask=with_mask(d, x))


@draws("GaussianDropout GaussianNoise")
def gaussian(d, name):
    x = d.normal((2, *d.shape(1, 3)))
    size = "rate" if name == "GaussianDropout" else "stddev"
    kwargs = {size: d.choice(*RATES), **d.options({"seed": SEEDS})}
    return Case(kwargs, x, training(d), mask=with_mask(d, x))


@draws("SpatialDropout1D SpatialDropout2D SpatialDropout3D")
def spatial_dropout(d, name):
    rank = int(name[-2])
    kwargs = {"rate": d.choice(*RATES), **d.options({"seed": SEEDS})}
    if rank > 1:
        kwargs |= d.options({"data_format": FORMATS})
    x = image(d, rank, kwargs.get("data_format"), low=1, high=4)
    return Case(kwargs, x, training(d), mask=with_mask(d, x))


@draws("ActivityRegularization")
def activity_regularization(d, name):
    x = d.normal(d.shape(1, 3))
    return Case(d.options({"l1": (0.1, 0.5), "l2": (0.2, 0.0)}), x, terms=9)
