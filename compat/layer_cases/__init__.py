"""How to draw a layer of each class: its arguments, its inputs, its call."""

# The modules fill the table.
from compat.layer_cases import (
    activations,
    attention,
    convolutional,
    core,
    jax_functions,
    merging,
    normalization,
    pooling,
    recurrent,
    regularization,
    reshaping,
)
from compat.layer_cases.drawing import DRAWS, Case, generated

__all__ = [
    "Case",
    "DRAWS",
    "activations",
    "attention",
    "convolutional",
    "core",
    "generated",
    "jax_functions",
    "merging",
    "normalization",
    "pooling",
    "recurrent",
    "regularization",
    "reshaping",
]
