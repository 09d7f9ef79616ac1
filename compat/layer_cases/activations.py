"""Draws of activations."""

from compat.layer_cases.drawing import (
    CONSTRAINTS,
    INITIALIZERS,
    REGULARIZERS,
    Case,
    draws,
)

NAMES = (
    *("elu", "gelu", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "tanh"),
    *("softplus", "softsign", "exponential", "hard_sigmoid", "hard_silu", "mish"),
    *("leaky_relu", "linear", "log_softmax", "celu", "tanh_shrink"),
    *("hard_tanh", "log_sigmoid", "soft_shrink", "sparsemax", "squareplus", None),
)


def inputs(d):
    """Floats of rank 2 to 4; the last axis even, for gated units."""
    return d.normal((*d.shape(1, 3), d.choice(2, 4)))


@draws("Activation")
def activation(d, name):
    x = inputs(d)
    mask = d.bools(x.shape[:-1]) if d.chance(0.3) else None
    return Case({"activation": d.choice(*NAMES)}, x, mask=mask, terms=4)


@draws("ReLU")
def relu(d, name):
    options = {
        "max_value": (0.5, 6, None),
        "negative_slope": (0.1, 1, 0.0),
        "threshold": (0.3, 1.0, 0),
    }
    return Case(d.options(options), inputs(d))


@draws("LeakyReLU")
def leaky_relu(d, name):
    return Case(d.options({"negative_slope": (0.1, 0, 2.0)}), inputs(d))


@draws("ELU")
def elu(d, name):
    return Case(d.options({"alpha": (0.5, 1, 2.0)}), inputs(d))


@draws("PReLU")
def prelu(d, name):
    x = inputs(d)
    options = {
        "alpha_initializer": (*INITIALIZERS, "ones"),
        "alpha_regularizer": REGULARIZERS,
        "alpha_constraint": CONSTRAINTS,
    }
    axes = range(1, x.ndim)
    shared = [[a] for a in axes] + [list(axes)]
    kwargs = d.options(options | {"shared_axes": (*shared, *axes, None)})
    return Case(kwargs, x)


@draws("Softmax")
def softmax(d, name):
    x = inputs(d)
    axes = (*range(1, x.ndim), -1, tuple(range(1, x.ndim)), [-1])
    kwargs = d.options({"axis": axes})
    mask = d.bools(x.shape, 0.7) if d.chance(0.4) else None
    return Case(kwargs, x, mask=mask, terms=4)
