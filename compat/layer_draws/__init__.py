"""How to draw a layer of each class: its arguments, its inputs, its call."""

# The modules fill the table.
from compat.layer_draws import (
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
from compat.layer_draws.drawing import DRAWS, Case, drawn

__all__ = [
    "Case",
    "DRAWS",
    "activations",
    "attention",
    "convolutional",
    "core",
    "drawn",
    "jax_functions",
    "merging",
    "normalization",
    "pooling",
    "recurrent",
    "regularization",
    "reshaping",
]
