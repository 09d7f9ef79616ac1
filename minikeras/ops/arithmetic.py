"""Functions of two operands that broadcast: each row is a function and its formula."""

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand
from minikeras.ops.op_makers import binary
from minikeras.ops.sparse import pair, quotient, union

__all__ = [
    "add", "arctan2", "divide", "divide_no_nan", "floor_divide", "fmax", "fmin", "fmod",
    "gcd", "heaviside", "hypot", "lcm", "ldexp", "logaddexp", "logaddexp2", "maximum",
    "minimum", "mod", "multiply", "nextafter", "power", "subtract", "true_divide",
]  # fmt: skip

# What the docstrings say of operands that are not just any numbers.
_REAL = ("real array or number.", "real array or number.")
_INTS = ("integer array or int.", "integer array or int.")

add = binary(jnp.add, "x1 + x2.", "[1, 2], [[3], [5]] -> [[4, 5], [6, 7]]", sparse=pair)
# `operand=as_array`: in these ops a Python number has the dtype of an array of it, as
# in Keras. In the others it does not widen the other operand.
arctan2 = binary(
    jnp.arctan2,
    "Angle of the point (x2, x1), in [-π, π] radians.",
    "[0, 1], [1, 0] -> [0.0, 1.570...]",
    operands=("array of ordinates.", "array of abscissas."),
    operand=as_array,
)
divide = binary(
    jnp.divide,
    "x1 / x2, floats also for integers.",
    "[1, 6], 4 -> [0.25, 1.5]",
    "divide",
    sparse=quotient,
)
floor_divide = binary(
    jnp.floor_divide, "⌊x1 / x2⌋.", "[7, -7], 2 -> [3, -4]", operands=_REAL
)
fmax = binary(
    jnp.fmax,
    "Element-wise maximum; where one operand is NaN, the other.",
    "[1.0, float('nan')], [3.0, 2.0] -> [3.0, 2.0]",
    operands=_REAL,
)
fmin = binary(
    jnp.fmin,
    "Element-wise minimum; where one operand is NaN, the other.",
    "[1.0, float('nan')], [3.0, 2.0] -> [1.0, 2.0]",
    operands=_REAL,
)
fmod = binary(
    jnp.fmod,
    "Remainder of x1 / x2 with the sign of x1.",
    "[7, -7], 3 -> [1, -1]",
    operands=_REAL,
)
gcd = binary(
    jnp.gcd, "Greatest common divisor.", "[12, 7], 8 -> [4, 1]", operands=_INTS
)
heaviside = binary(
    jnp.heaviside,
    "0 where x1 < 0, x2 where x1 is 0, 1 where x1 > 0.",
    "[-2.0, 0.0, 3.0], 0.5 -> [0.0, 0.5, 1.0]",
    operands=_REAL,
)
hypot = binary(
    jnp.hypot,
    "√(x1² + x2²), without overflow.",
    "[3, 8], [4, 15] -> [5.0, 17.0]",
    operands=_REAL,
)
lcm = binary(jnp.lcm, "Least common multiple.", "[4, 3], 6 -> [12, 6]", operands=_INTS)
ldexp = binary(
    jnp.ldexp,
    "x1 · 2^x2.",
    "[1.5, -1.0], [2, 3] -> [6.0, -8.0]",
    operands=("real array or number.", "array of integer exponents."),
)
logaddexp = binary(
    jnp.logaddexp,
    "log(eˣ¹ + eˣ²), without overflow.",
    "[0, 1000], [0, 0] -> [0.693..., 1000.0]",
    "logaddexp",
    operands=_REAL,
    operand=as_array,
)
logaddexp2 = binary(
    jnp.logaddexp2,
    "log₂(2ˣ¹ + 2ˣ²), without overflow.",
    "[1, 1000], [1, 0] -> [2.0, 1000.0]",
    "logaddexp2",
    operands=_REAL,
    operand=as_array,
)
maximum = binary(
    jnp.maximum,
    "Element-wise maximum; NaN where one operand is NaN.",
    "[1, 5], [4, 2] -> [4, 5]",
    operands=_REAL,
    sparse=union,
)
minimum = binary(
    jnp.minimum,
    "Element-wise minimum; NaN where one operand is NaN.",
    "[1, 5], [4, 2] -> [1, 2]",
    operands=_REAL,
    sparse=union,
)
mod = binary(
    jnp.mod,
    "Remainder of x1 / x2 with the sign of x2.",
    "[7, -7], 3 -> [1, 2]",
    "mod",
    operands=_REAL,
)
multiply = binary(
    jnp.multiply, "x1 · x2.", "[1, 2], [[3], [5]] -> [[3, 6], [5, 10]]", sparse=pair
)
nextafter = binary(
    jnp.nextafter,
    "The float that follows x1 in the direction of x2.",
    "[1.0], [2.0] -> [1.000000119...]",
    operands=_REAL,
)
power = binary(jnp.power, "x1 to the power x2.", "[2, 3], [3, 2] -> [8, 9]", "power")
subtract = binary(
    jnp.subtract, "x1 - x2.", "[1, 2], [[3], [5]] -> [[-2, -1], [-4, -3]]", sparse=pair
)
true_divide = binary(
    jnp.true_divide,
    "x1 / x2, floats also for integers.",
    "[1, 6], 4 -> [0.25, 1.5]",
    "true_divide",
    sparse=quotient,
)


@op
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0.

    Args:
        x1: array or number.
        x2: array or number.

    Returns:
        Array of the shape to which the operands broadcast.

    >>> divide_no_nan([1.0, 2.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    x1, x2 = as_operand(x1), as_operand(x2)
    zero = jnp.equal(x2, 0)
    # The divisor is replaced before the division: the gradient of the unused branch of
    # `where` would be 0 · ∞ = NaN.
    return jnp.where(zero, 0, jnp.divide(x1, jnp.where(zero, 1, x2)))
