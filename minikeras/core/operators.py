"""Python's operators: those of Variables; and for editors, of KerasTensors too."""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minikeras.core import registry

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


def install_operators(cls: type, operand: Callable[[Any], Any]) -> None:
    """Give a class Python's operators, each on `value`.

    Args:
        cls: the class.
        operand: function that converts the other side.
    """
    arithmetic = "add sub mul truediv floordiv mod pow matmul lshift rshift"
    binary = {x: getattr(operator, f"__{x}__") for x in arithmetic.split()}
    # Keras's `&`, `|` and `^` take the truth of the entries, of any dtype.
    binary["and"] = _op("LogicalAnd")
    binary["or"] = _op("LogicalOr")
    binary["xor"] = _op("LogicalXor")
    for name, function in binary.items():
        forward, reflected = _binary(function, operand)
        setattr(cls, f"__{name}__", forward)
        setattr(cls, f"__r{name}__", reflected)
    for name in "eq ne lt le gt ge".split():
        comparison = getattr(operator, f"__{name}__")
        setattr(cls, f"__{name}__", _binary(comparison, operand)[0])
    for name in "neg pos abs invert".split():
        unary = getattr(operator, f"__{name}__")
        setattr(cls, f"__{name}__", lambda self, f=unary: f(self.value))


def _binary(function, operand):
    def forward(self, other):
        if hasattr(other, "_keras_history"):  # a KerasTensor, which records the op
            return NotImplemented
        return function(self.value, operand(other))

    def reflected(self, other):
        return function(operand(other), self.value)

    return forward, reflected


def _op(class_name):
    return lambda a, b: registry.get_op(class_name)(a, b)
