"""Kernel: the weight that the inputs of a layer are multiplied by."""

import functools

import numpy as np


class Kernel:
    """A weight that is stored as it is used: one Variable of floats.

    Other kinds store it differently, such as `LoRAKernel`. A layer calls `bind` and
    need not know the kind, so a new kind is a new file and no branch in a layer.

    Args:
        variable: the Variable.
    """

    def __init__(self, variable):
        self.variable = variable

    def value(self):
        """The weight as `layer.kernel` shows it: a Variable, or an array."""
        return self.variable

    def bind(self, function):
        """`function(inputs, kernel=…)`, linear in both, as a function of the inputs."""
        return functools.partial(function, kernel=self.value())

    def to_store(self):
        """The weight as files hold it, so that a layer with any kernel can load it."""
        return np.asarray(self.variable.value)

    def from_store(self, array) -> None:
        """Take the weight of a file."""
        self.variable.assign(array)
