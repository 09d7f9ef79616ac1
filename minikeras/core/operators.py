"""Python's operators of Variables and KerasTensors, for type checkers and editors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class Operators:
        """Declares the operators that `Variable` and `KerasTensor` install in loops.

        A type checker cannot see those. Without a declaration, `v + 1` and
        `array + v` would be errors in a user's editor.
        """

        __add__: Callable[[Any], Any]
        __radd__: Callable[[Any], Any]
        __sub__: Callable[[Any], Any]
        __rsub__: Callable[[Any], Any]
        __mul__: Callable[[Any], Any]
        __rmul__: Callable[[Any], Any]
        __truediv__: Callable[[Any], Any]
        __rtruediv__: Callable[[Any], Any]
        __floordiv__: Callable[[Any], Any]
        __rfloordiv__: Callable[[Any], Any]
        __mod__: Callable[[Any], Any]
        __rmod__: Callable[[Any], Any]
        __pow__: Callable[[Any], Any]
        __rpow__: Callable[[Any], Any]
        __matmul__: Callable[[Any], Any]
        __rmatmul__: Callable[[Any], Any]
        __and__: Callable[[Any], Any]
        __rand__: Callable[[Any], Any]
        __or__: Callable[[Any], Any]
        __ror__: Callable[[Any], Any]
        __xor__: Callable[[Any], Any]
        __rxor__: Callable[[Any], Any]
        __lt__: Callable[[Any], Any]
        __le__: Callable[[Any], Any]
        __gt__: Callable[[Any], Any]
        __ge__: Callable[[Any], Any]
        __neg__: Callable[[], Any]
        __abs__: Callable[[], Any]
        __invert__: Callable[[], Any]
else:
    Operators = object
