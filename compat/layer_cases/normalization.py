"""Draws of normalization."""

from compat.layer_cases.drawing import Case, draws, image, step_mask, weights


def inputs(d, low=1, high=4):
    """Floats of rank low + 1..high + 1, away from zero mean and unit variance."""
    x = d.normal((d.choice(2, 3, 4), *d.shape(low, high, (2, 3, 4))), scale=1.5)
    return x + d.choice(0.0, 1.0)


def axes(d, rank):
    """One axis, or several, of either sign."""
    if d.chance():
        return d.choice(*range(1, rank), -1)
    first = d.choice(*range(1, rank))
    return d.choice([first], list(range(first, rank)), [-1])


@draws("BatchNormalization")
def batch_normalization(d, name):
    x = inputs(d)
    kwargs = weights(d, "beta", "gamma") | d.options(
        {
            "axis": tuple(range(1, x.ndim)) + tuple(range(1 - x.ndim, 0)),
            "momentum": (0.5, 0.9, 0.0),
            "epsilon": (1e-3, 0.1),
            "center": (True, False),
            "scale": (True, False),
            "moving_mean_initializer": ("ones", "random_normal"),
            "moving_variance_initializer": ("ones", "uniform"),
            "synchronized": (False,),
        }
    )
    if d.chance(0.4):
        kwargs |= {"renorm": True, "renorm_momentum": d.choice(0.9, 0.5)}
        clipping = {"rmax": 1.5, "rmin": 0.4, "dmax": 0.3}
        if d.chance():
            kwargs["renorm_clipping"] = clipping
    mask = None
    if x.ndim == 3 and kwargs.get("axis", -1) in (-1, 2) and d.chance(0.7):
        mask = step_mask(d, *x.shape[:2])
    call = {"training": True} if d.chance(0.3) else {}
    return Case(kwargs, x, call, mask=mask, terms=12)


@draws("LayerNormalization")
def layer_normalization(d, name):
    x = inputs(d)
    kwargs = weights(d, "beta", "gamma") | d.options(
        {"epsilon": (1e-3, 0.1), "center": (True, False), "scale": (True, False)}
    )
    if d.chance(0.7):
        kwargs["axis"] = axes(d, x.ndim)
    return Case(kwargs, x, terms=12)


@draws("GroupNormalization")
def group_normalization(d, name):
    x = inputs(d, 1, 4)
    axis = d.choice(*range(1, x.ndim), -1)
    size = x.shape[axis]
    kwargs = weights(d, "beta", "gamma") | d.options(
        {"epsilon": (1e-3, 0.1), "center": (True, False), "scale": (True, False)}
    )
    groups = d.choice(*[n for n in (1, 2, 3, 4) if size % n == 0], -1)
    return Case({"groups": groups, "axis": axis, **kwargs}, x, terms=12)


@draws("RMSNormalization")
def rms_normalization(d, name):
    """Of the last axes: whatever the axes are, Keras scales along the last."""
    x = inputs(d)
    first = d.choice(*range(1, x.ndim))
    last = d.choice(-1, x.ndim - 1, [-1], list(range(first, x.ndim)))
    kwargs = d.options({"epsilon": (1e-3, 0.1), "axis": (last, -1)})
    return Case(kwargs, x, terms=12)


@draws("UnitNormalization")
def unit_normalization(d, name):
    x = inputs(d)
    return Case(d.options({"axis": (axes(d, x.ndim), -1)}), x, terms=12)


def wrapped(d):
    """(class, arguments, inputs) of a layer with a kernel."""
    kind = d.choice("Dense", "Conv1D", "Conv2DTranspose", "DepthwiseConv2D", "Einsum")
    if kind == "Dense":
        return kind, {"units": d.choice(1, 3)}, d.normal((2, d.choice(1, 4)))
    if kind == "Einsum":
        arguments = {"equation": "abc,cd->abd", "output_shape": (3, 4)}
        return "EinsumDense", arguments, d.normal((2, 3, 2))
    rank = 1 if kind == "Conv1D" else 2
    sizes = {"kernel_size": d.choice(1, 2, 3), "padding": d.choice("valid", "same")}
    filters = {} if kind == "DepthwiseConv2D" else {"filters": d.choice(1, 3)}
    return kind, sizes | filters, image(d, rank)


@draws("SpectralNormalization")
def spectral_normalization(d, name):
    kind, arguments, x = wrapped(d)
    kwargs = d.options({"power_iterations": (1, 2, 5)})

    def make(package):
        layer = getattr(package.layers, kind)(**arguments, name="within")
        return {"layer": layer, **kwargs}

    call = {"training": True} if d.chance() else {}
    return Case(make, x, call, terms=20)
