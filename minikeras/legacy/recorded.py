"""Functions of old Keras that have no op of their own, in graphs of KerasTensors."""

import functools
from collections.abc import Callable
from typing import Any

from minikeras.core import naming
from minikeras.core.symbolic import Operation, any_symbolic


class Recorded(Operation):
    """A call of a function as a node of a graph.

    Args:
        function: pure function of arrays.
    """

    def __init__(self, function: Callable):
        super().__init__(naming.auto_name(function.__name__))
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function on arrays.

        Args:
            *args, **kwargs: its arguments.
        """
        return self.function(*args, **kwargs)


def recorded(function: Callable) -> Callable:
    """Make a function of arrays take KerasTensors too: then its call is recorded.

    Args:
        function: pure function of arrays.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        if any_symbolic(args, kwargs):
            return Recorded(function)(*args, **kwargs)
        return function(*args, **kwargs)

    return call
