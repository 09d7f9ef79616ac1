"""The weight that the inputs of a layer are multiplied by, and layers that have one."""

import functools
import operator
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

    # `bind(function, kernel=value)` makes a function of the inputs alone. `function` is
    # linear in both, so a kernel with scales may compute with the stored weight instead
    # of the value, and scale the result.
    bind: Callable[..., Callable[..., Any]] = staticmethod(functools.partial)

    def __init__(self, variable: Any):
        self.variable = variable

    # The weight as `layer.kernel` shows it: a Variable, or an array.
    value: Any = property(operator.attrgetter("variable"))

    def to_store(self) -> np.ndarray:
        """The weight as files hold it, so that a layer with any kernel can load it."""
        return np.asarray(self.variable.value)

    def from_store(self, array: Any) -> None:
        """Assign the weight of a file."""
        self.variable.assign(array)


class KernelLayer:
    """Mix-in of layers with one large weight, read through a `Kernel`."""

    _mk_kernel_name = "kernel"  # the name of the weight in files and arguments
    _mk_kernel: Kernel | None = None

    def _mk_build_kernel(self, shape, initializer=None):
        """Create the weight.

        Args:
            shape: of the weight.
            initializer: in the place of the constructor's.
        """
        name = self._mk_kernel_name
        variable = self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer or getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
        )
        self._mk_kernel = Kernel(variable)

    def _mk_kernel_value(self):
        """What the public attribute shows; AttributeError before `build`."""
        if self._mk_kernel is None:
            name = self._mk_kernel_name
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has no {name} yet: it is not "
                "built. Call it on data, or call `build(input_shape)`."
            )
        return self._mk_kernel.value

    def _mk_bind_kernel(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function of the inputs alone of `function(inputs, kernel=…)`.

        The kernel is what the public attribute shows: a user's subclass may override
        it, or create it in a `build` of its own.
        """
        value = getattr(self, self._mk_kernel_name)
        if self._mk_kernel is None:
            return functools.partial(function, kernel=value)
        return self._mk_kernel.bind(function, kernel=value)

    def _mk_to_store(self, variable):
        is_kernel = self._mk_is_kernel(variable)
        return self._mk_kernel.to_store() if is_kernel else np.asarray(variable.value)

    def _mk_from_store(self, variable, array):
        is_kernel = self._mk_is_kernel(variable)
        assign = self._mk_kernel.from_store if is_kernel else variable.assign
        assign(array)

    def _mk_is_kernel(self, variable):
        return self._mk_kernel is not None and variable is self._mk_kernel.variable
