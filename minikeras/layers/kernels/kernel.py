"""Kernel: the weight that the inputs of a layer are multiplied by."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


class Kernel:
    """A weight that is stored as it is used: one Variable of floats.

    Other kinds store it differently, such as `LoRAKernel`. A layer calls `bind` and
    need not know the kind, so a new kind is a new file and no branch in a layer.

    Args:
        variable: the Variable.
    """

    def __init__(self, variable: Any):
        self.variable = variable

    def value(self) -> Any:
        """The weight as `layer.kernel` shows it: a Variable, or an array."""
        return self.variable

    def bind(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function of the inputs alone of `function(inputs, kernel=…)`.

        Args:
            function: linear in the inputs and in the kernel. So a kernel with scales
                may compute with the stored weight, and scale the result.
        """
        return functools.partial(function, kernel=self.value())

    def to_store(self) -> np.ndarray:
        """The weight as files hold it, so that a layer with any kernel can load it."""
        return np.asarray(self.variable.value)

    def from_store(self, array: Any) -> None:
        """Assign the weight of a file."""
        self.variable.assign(array)
