"""Bindings of a `StatelessScope`: Variables made inside get their values at its end."""

from typing import Any

from minikeras.core.bridge import Bindings, current


class StatelessBindings(Bindings):
    """The bindings of a `StatelessScope`.

    Args:
        values: {id of a Variable: array}, read and written inside of the scope.

    Attributes:
        uninitialized: Variables made inside, which have no value yet.
    """

    __slots__ = ("uninitialized",)

    def __init__(self, values: dict[int, Any]):
        super().__init__(values, current().bindings)
        self.uninitialized: list[Any] = []

    def initialize_variables(self) -> None:
        """Give the Variables made inside their values, or leave it to an outer scope.

        Keras initializes them at the end of the outermost scope, because only there
        assigning changes a Variable again.
        """
        outer = innermost_stateless(self.outer)
        if outer is not None:
            outer.uninitialized += self.uninitialized
            return
        for variable in self.uninitialized:
            variable._value = variable._initial_value()
            variable._initializer = None


def innermost_stateless(bindings: Bindings | None) -> StatelessBindings | None:
    """The bindings of the innermost stateless scope around, or None."""
    while bindings is not None and not isinstance(bindings, StatelessBindings):
        bindings = bindings.outer
    return bindings
