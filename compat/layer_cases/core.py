"""Draws of the core layers."""

import numpy as np

from compat.layer_cases.drawing import (
    ACTIVATIONS,
    CONSTRAINTS,
    INITIALIZERS,
    REGULARIZERS,
    Case,
    draws,
    weights,
)

# equation, shape of the inputs, output_shape, letters of bias_axes
EQUATIONS = (
    ("ab,bc->ac", "ab", "c", "c"),
    ("ab,cb->ac", "ab", "c", "ac"),
    ("ab,b->a", "ab", "", "a"),
    ("abc,cd->abd", "abc", "bd", "bd"),
    ("abc,cde->abde", "abc", "bde", "bde"),
    ("BFNH,NHD->BFD", "BFNH", "FD", "FD"),
    ("abc,bd->adc", "abc", "dc", "dc"),
    ("...b,bc->...c", "abb", "c", "c"),
    ("...ab,bc->...ac", "cab", "ac", "ac"),
    ("...bc,bc->...b", "abc", "b", "b"),
    ("ab...,bc->ac...", "abdb", "c", "c"),
    ("ab...,bcd->acd...", "abc", "cd", "cd"),
)
SIZES = {"a": 2, "b": 3, "c": 4, "d": 2, "e": 3, "B": 2, "F": 3, "N": 2, "H": 4, "D": 5}


@draws("Dense")
def dense(d, name):
    x = d.normal((*d.shape(1, 3), d.choice(1, 3, 5)), scale=1.0)
    kwargs = {"units": d.choice(1, 2, 4), **weights(d, "kernel", "bias")}
    options = {"use_bias": (True, False), "activation": ACTIVATIONS}
    kwargs |= d.options({**options, "activity_regularizer": ("l2",)})
    if "kernel_constraint" not in kwargs:
        kwargs |= d.options({"lora_rank": (1, 2)})  # Keras drops `lora_alpha` here
    return Case(kwargs, x, free=tuple(range(x.ndim - 1)), terms=x.shape[-1])


@draws("EinsumDense")
def einsum_dense(d, name):
    equation, shape, sizes, axes = d.choice(*EQUATIONS)
    x = d.normal([SIZES[a] for a in shape], scale=1.0)
    kept = "" if "..." in equation else equation.split(",")[0]
    kwargs = {
        "equation": equation,
        # Sizes that the inputs have may be left to them.
        "output_shape": [
            None if a in kept and a not in axes and d.chance() else SIZES[a]
            for a in sizes
        ],
        **weights(d, "kernel", "bias"),
        **d.options({"activation": ACTIVATIONS, "activity_regularizer": ("l2",)}),
    }
    if d.chance(0.7):
        kwargs["bias_axes"] = d.choice(axes, axes[-1])
    if "kernel_constraint" not in kwargs:
        kwargs |= d.options({"lora_rank": (1, 2)})
    # The bias has the size of the batch if it varies along it.
    free = () if equation[0] in kwargs.get("bias_axes", "") else (0,)
    return Case(kwargs, x, free=free, terms=8)


def table(d):
    """Arguments of embeddings."""
    options = {
        "embeddings_initializer": (*INITIALIZERS, "uniform"),
        "embeddings_regularizer": REGULARIZERS,
        "embeddings_constraint": CONSTRAINTS,
        "mask_zero": (True, False),
    }
    kwargs = {"input_dim": 6, "output_dim": d.choice(1, 3, 4), **d.options(options)}
    if kwargs.get("embeddings_constraint") is None:
        kwargs |= d.options({"lora_rank": (1, 2)})
    return kwargs


@draws("Embedding")
def embedding(d, name):
    x = d.ints(d.shape(1, 3), -1, 6, d.choice("int32", "uint8", "float32"))
    x = np.abs(x)
    return Case(table(d), x, free=tuple(range(x.ndim)))


@draws("ReversibleEmbedding")
def reversible_embedding(d, name):
    kwargs = table(d) | d.options(
        {"tie_weights": (True, False), "logit_soft_cap": (2.0, 5, 0.5)}
    )
    if d.chance(0.4):
        return Case(kwargs, d.ints(d.shape(1, 3), 0, 6))
    x = d.normal((*d.shape(1, 2), kwargs["output_dim"]), scale=1.0)
    kwargs |= d.options({"reverse_dtype": ("float32",)})
    return Case(kwargs, x, {"reverse": True}, terms=4)


def affine(x, scale=2.0, offset=0.0):
    """What drawn Lambdas compute."""
    return scale * x + offset


def masked(x, mask=None):
    """Uses its mask."""
    return x if mask is None else x * mask[..., None]


@draws("Lambda")
def lambda_layer(d, name):
    x = d.normal((2, 3, d.choice(1, 4)))
    if d.chance(0.3):
        step_mask = d.bools((2, 3))
        return Case({"function": masked, "mask": masked}, x, mask=step_mask)
    arguments = d.options({"scale": (0.5, -1), "offset": (1.0, 2)})
    more = d.options({"output_shape": ((3, x.shape[-1]),), "arguments": (arguments,)})
    return Case({"function": affine, **more}, x)


@draws("Identity")
def identity(d, name):
    x = d.normal(d.shape(1, 3))
    if d.chance():
        return Case({}, {"a": x, "b": [d.normal((x.shape[0], 2))]})
    mask = d.bools(x.shape[:-1]) if x.ndim > 1 else None
    return Case({}, x, mask=mask)
