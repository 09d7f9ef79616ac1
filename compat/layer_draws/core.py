"""Draws of the core layers."""

from compat.layer_draws.drawing import ACTIVATIONS, Case, draws, weights


@draws("Dense")
def dense(d, name):
    x = d.normal((*d.shape(1, 3), d.choice(1, 3, 5)), scale=1.0)
    kwargs = {"units": d.choice(1, 2, 4), **weights(d, "kernel", "bias")}
    options = {"use_bias": (True, False), "activation": ACTIVATIONS}
    kwargs |= d.options({**options, "activity_regularizer": ("l2",)})
    if "kernel_constraint" not in kwargs:
        kwargs |= d.options({"lora_rank": (1, 2)})  # Keras drops `lora_alpha` here
    return Case(kwargs, x, free=tuple(range(x.ndim - 1)), terms=x.shape[-1])
