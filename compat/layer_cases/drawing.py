"""The table {layer: how to draw one, its inputs, and how to call it}."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from compat.draw import Draw

DRAWS: dict[str, Callable] = {}  # class name -> function of a Draw and the name


@dataclasses.dataclass
class Case:
    """A layer with its inputs.

    Args:
        kwargs: of the constructor, plain values; or a function of the package that
            gives them, for layers which hold other layers.
        inputs: arrays, in the nest that the layer takes.
        call: further arguments of the call, arrays among them.
        mask: bool array, the mask that comes with the (first) input.
        free: axes, None when the symbolic shapes are compared: the batch, or also
            others that the layer does not need.
        terms: how many numbers are added up to get an output entry.
        tolerance: relative, for each term.
    """

    kwargs: Any
    inputs: Any
    call: dict = dataclasses.field(default_factory=dict)
    mask: np.ndarray | None = None
    free: tuple = (0,)
    terms: int = 1
    tolerance: float = 1e-6

    def arguments(self, package):
        """The constructor's arguments in that package."""
        return self.kwargs(package) if callable(self.kwargs) else dict(self.kwargs)


def draws(names):
    """Enter a function (Draw, name) -> Case for each of the space-separated names."""

    def enter(function):
        DRAWS.update({name: function for name in names.split()})
        return function

    return enter


def generated(name, seed):
    """The case of that name and seed."""
    return DRAWS[name](Draw("layer", name, seed), name)


INITIALIZERS = ("glorot_normal", "he_uniform", "lecun_normal", "random_normal")
REGULARIZERS = (None, "l2", {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.02}})
CONSTRAINTS = (None, "non_neg", "unit_norm")
ACTIVATIONS = (None, "tanh", "relu", "gelu", "sigmoid", "linear", "softplus")


def weights(d, *names):
    """Initializers, regularizers and constraints of about half of the weights."""
    table = {}
    for name in names:
        table[f"{name}_initializer"] = (*INITIALIZERS, "ones")
        table[f"{name}_regularizer"] = REGULARIZERS
        table[f"{name}_constraint"] = CONSTRAINTS
    return d.options(table)


def image(d, rank, data_format=None, channels=(1, 2, 3, 4), low=5, high=8):
    """Floats (batch, *space, channels), or with the channels first."""
    space = tuple(int(d.rng.integers(low, high + 1)) for _ in range(rank))
    n = d.choice(*channels)
    shape = (n, *space) if data_format == "channels_first" else (*space, n)
    return d.normal((d.choice(1, 2, 3), *shape), scale=1.0)


def step_mask(d, batch, steps):
    """(batch, steps) bools, anywhere False, the first row True."""
    mask = d.bools((batch, steps), 0.7)
    mask[0] = True
    return mask
