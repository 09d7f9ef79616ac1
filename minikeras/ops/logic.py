"""Comparisons, conditions, logic on bools and on bits."""

import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand
from minikeras.ops.op_makers import binary, unary
from minikeras.ops.sparse import on_entries

__all__ = [
    "allclose", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "equal", "greater",
    "greater_equal", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "isreal", "left_shift", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "not_equal", "right_shift", "select", "where",
]  # fmt: skip

_BOOLS = "bools of the shape to which the operands broadcast."
_BOOLS_LIKE_X = "bools of the shape of `x`."
_TRUTH = "array; numbers other than 0 are true."

equal = binary(
    jnp.equal, "x1 == x2.", "[1, 2], [1, 3] -> [True, False]", returns=_BOOLS
)
greater = binary(jnp.greater, "x1 > x2.", "[1, 5], 2 -> [False, True]", returns=_BOOLS)
greater_equal = binary(
    jnp.greater_equal, "x1 >= x2.", "[1, 2], 2 -> [False, True]", returns=_BOOLS
)
less = binary(jnp.less, "x1 < x2.", "[1, 5], 2 -> [True, False]", returns=_BOOLS)
less_equal = binary(
    jnp.less_equal, "x1 <= x2.", "[2, 5], 2 -> [True, False]", returns=_BOOLS
)
not_equal = binary(
    jnp.not_equal, "x1 != x2.", "[1, 2], [1, 3] -> [False, True]", returns=_BOOLS
)

isfinite = unary(
    jnp.isfinite,
    "True where x is neither infinite nor NaN.",
    "[1.0, float('inf')] -> [True, False]",
    returns=_BOOLS_LIKE_X,
    class_name="Isfinite",
)
isinf = unary(
    jnp.isinf,
    "True where x is +∞ or -∞.",
    "[1.0, float('-inf')] -> [False, True]",
    returns=_BOOLS_LIKE_X,
    class_name="Isinf",
    sparse=on_entries,
)
isnan = unary(
    jnp.isnan,
    "True where x is NaN.",
    "[1.0, float('nan')] -> [False, True]",
    returns=_BOOLS_LIKE_X,
    class_name="Isnan",
    sparse=on_entries,
)
isneginf = unary(
    jnp.isneginf,
    "True where x is -∞.",
    "[float('inf'), float('-inf')] -> [False, True]",
    x="array of real numbers.",
    returns=_BOOLS_LIKE_X,
    class_name="Isneginf",
)
isposinf = unary(
    jnp.isposinf,
    "True where x is +∞.",
    "[float('inf'), float('-inf')] -> [True, False]",
    x="array of real numbers.",
    returns=_BOOLS_LIKE_X,
    class_name="Isposinf",
)
isreal = unary(
    jnp.isreal,
    "True where the imaginary part is 0.",
    "[1 + 2j, 3] -> [False, True]",
    returns=_BOOLS_LIKE_X,
    class_name="Isreal",
)

logical_and = binary(
    jnp.logical_and,
    "True where both are true.",
    "[True, True], [True, False] -> [True, False]",
    operands=(_TRUTH, _TRUTH),
    returns=_BOOLS,
)
logical_not = unary(
    jnp.logical_not,
    "True where x is false.",
    "[0, 3] -> [True, False]",
    x=_TRUTH,
    returns=_BOOLS_LIKE_X,
)
logical_or = binary(
    jnp.logical_or,
    "True where at least one is true.",
    "[True, False], [False, False] -> [True, False]",
    operands=(_TRUTH, _TRUTH),
    returns=_BOOLS,
)
logical_xor = binary(
    jnp.logical_xor,
    "True where exactly one is true.",
    "[True, True], [True, False] -> [False, True]",
    operands=(_TRUTH, _TRUTH),
    returns=_BOOLS,
)

_XY = {
    "parameters": ("x", "y"),
    "operands": ("array of integers or bools.", "array of integers or bools."),
}
_SHIFT = {
    "parameters": ("x", "y"),
    "operands": ("array of integers.", "numbers of bits, >= 0."),
}
bitwise_and = binary(
    jnp.bitwise_and, "The bits that are set in both.", "[6, 5], 3 -> [2, 1]", **_XY
)
bitwise_or = binary(
    jnp.bitwise_or,
    "The bits that are set in at least one.",
    "[6, 5], 3 -> [7, 7]",
    **_XY,
)
bitwise_xor = binary(
    jnp.bitwise_xor,
    "The bits that are set in exactly one.",
    "[6, 5], 3 -> [5, 6]",
    **_XY,
)
bitwise_invert = unary(
    jnp.bitwise_not,
    "Every bit inverted: -x - 1 for signed integers.",
    "[0, 5] -> [-1, -6]",
    "bitwise_invert",
    x=_XY["operands"][0],
)
bitwise_not = unary(
    jnp.bitwise_not,
    "Every bit inverted: -x - 1 for signed integers.",
    "[0, 5] -> [-1, -6]",
    "bitwise_not",
    x=_XY["operands"][0],
)
left_shift = binary(
    jnp.left_shift, "x · 2^y.", "[1, 3], 2 -> [4, 12]", "left_shift", **_SHIFT
)
right_shift = binary(
    jnp.right_shift, "⌊x / 2^y⌋.", "[8, -3], 1 -> [4, -2]", "right_shift", **_SHIFT
)
bitwise_left_shift = binary(
    jnp.left_shift, "x · 2^y.", "[1, 3], 2 -> [4, 12]", "bitwise_left_shift", **_SHIFT
)
bitwise_right_shift = binary(
    jnp.right_shift,
    "⌊x / 2^y⌋.",
    "[8, -3], 1 -> [4, -2]",
    "bitwise_right_shift",
    **_SHIFT,
)


@op(tensors=("x1", "x2", "rtol", "atol"))
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|x1 - x2| <= atol + rtol |x2|, entry by entry.

    Args:
        x1: array or number.
        x2: array or number, the reference.
        rtol: relative tolerance, >= 0.
        atol: absolute tolerance, >= 0.
        equal_nan: count two NaN as close.

    Returns:
        Bools of the shape to which the operands broadcast.

    >>> isclose([1.0, 2.0], [1.000001, 2.1]).tolist()
    [True, False]
    """
    return jnp.isclose(as_operand(x1), as_operand(x2), rtol, atol, equal_nan)


@op(name="AllClose")
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """True if |x1 - x2| <= atol + rtol |x2| for all entries.

    Args:
        x1: array or number.
        x2: array or number, the reference.
        rtol: relative tolerance, >= 0.
        atol: absolute tolerance, >= 0.
        equal_nan: count two NaN as close.

    Returns:
        Scalar bool.

    >>> bool(allclose([1.0, 2.0], [1.0, 2.1], atol=0.2))
    True
    """
    return jnp.allclose(as_operand(x1), as_operand(x2), rtol, atol, equal_nan)


def _where_spec(trace, condition, x1=None, x2=None):
    """Unknown sizes for indices: the number of true entries depends on the values."""
    if x1 is None and x2 is None:
        return tuple(KerasTensor((None,), "int32") for _ in condition.shape)
    return trace(condition, x1, x2)


@op(tensors=("condition", "x1", "x2"), spec=_where_spec)
def where(condition, x1=None, x2=None):
    """x1 where the condition holds, else x2.

    Args:
        condition: array of bools; numbers other than 0 are true.
        x1: array or number that broadcasts with `condition`, or None.
        x2: array or number that broadcasts with `condition`, or None.

    Returns:
        Array of the shape to which the three broadcast. Without `x1` and `x2`, a tuple
        of index arrays, one for each axis: the places where `condition` is true.

    Raises:
        ValueError: only one of `x1` and `x2` is given.

    >>> where([True, False], 1.0, [5.0, 6.0]).tolist()
    [1.0, 6.0]
    """
    condition = as_array(condition)
    if x1 is None and x2 is None:
        return jnp.where(condition)
    # Keras's words; JAX's speak of x and y.
    if x1 is None or x2 is None:
        raise ValueError(
            "where: `x1` and `x2` either both should be `None` or both be given, got "
            f"x1={x1!r} and x2={x2!r}."
        )
    return jnp.where(condition, as_operand(x1), as_operand(x2))


@op(tensors=("condlist", "choicelist", "default"))
def select(condlist, choicelist, default=0):
    """The choice that belongs to the first true condition, entry by entry.

    Args:
        condlist: list of bool arrays.
        choicelist: list of arrays, as many, that broadcast with the conditions.
        default: array or number for entries where no condition is true.

    Returns:
        Array of the shape to which conditions and choices broadcast.

    >>> x = jnp.arange(4)
    >>> select([x < 1, x > 2], [x + 10, x * 10], default=-1).tolist()
    [10, -1, -1, 30]
    """
    return jnp.select(
        [as_array(x) for x in condlist],
        [as_array(x) for x in choicelist],
        as_operand(default),
    )
