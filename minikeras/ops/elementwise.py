"""One number in, one number out, and pairs that broadcast.

A family of functions of one shape: each line is the function and its formula.
"""

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand, binary, unary
from minikeras.ops.sparse import on_entries, pair, quotient, union

absolute = unary(jnp.absolute, "|x|.", "absolute", sparse=on_entries)
angle = unary(jnp.angle, "Argument of a complex number, radians.")
arccos = unary(jnp.arccos, "Inverse cosine, radians.")
arccosh = unary(jnp.arccosh, "Inverse hyperbolic cosine.")
arcsin = unary(jnp.arcsin, "Inverse sine, radians.", sparse=on_entries)
arcsinh = unary(jnp.arcsinh, "Inverse hyperbolic sine.", sparse=on_entries)
arctan = unary(jnp.arctan, "Inverse tangent, radians.", sparse=on_entries)
arctanh = unary(jnp.arctanh, "Inverse hyperbolic tangent.", sparse=on_entries)
cbrt = unary(jnp.cbrt, "Cube root.")
conjugate = unary(jnp.conjugate, "Complex conjugate.", "conjugate", sparse=on_entries)
cos = unary(jnp.cos, "Cosine of radians.")
cosh = unary(jnp.cosh, "Hyperbolic cosine.")
deg2rad = unary(jnp.deg2rad, "Degrees to radians.", class_name="Deg2rad")
exp = unary(jnp.exp, "eˣ.")
exp2 = unary(jnp.exp2, "2ˣ.")
expm1 = unary(jnp.expm1, "eˣ - 1, exact near 0.", sparse=on_entries)
fabs = unary(jnp.fabs, "|x| as a float.")
i0 = unary(jnp.i0, "Modified Bessel function of the first kind, order 0.", "i0")
imag = unary(jnp.imag, "Imaginary part.", sparse=on_entries)
isfinite = unary(jnp.isfinite, "Is it neither infinite nor NaN?", class_name="Isfinite")
isinf = unary(jnp.isinf, "Is it infinite?", class_name="Isinf", sparse=on_entries)
isnan = unary(jnp.isnan, "Is it NaN?", class_name="Isnan", sparse=on_entries)
isneginf = unary(jnp.isneginf, "Is it -∞?", class_name="Isneginf")
isposinf = unary(jnp.isposinf, "Is it +∞?", class_name="Isposinf")
isreal = unary(jnp.isreal, "Is the imaginary part 0?", class_name="Isreal")
log = unary(jnp.log, "Natural logarithm.")
log10 = unary(jnp.log10, "Logarithm to base 10.")
log1p = unary(
    jnp.log1p, "log(1 + x), exact near 0.", class_name="Log1p", sparse=on_entries
)
log2 = unary(jnp.log2, "Logarithm to base 2.")
logical_not = unary(jnp.logical_not, "Not x; numbers are true unless 0.")
negative = unary(jnp.negative, "-x.", sparse=on_entries)
rad2deg = unary(jnp.rad2deg, "Radians to degrees.", class_name="Rad2deg")
real = unary(jnp.real, "Real part.", sparse=on_entries)
reciprocal = unary(jnp.reciprocal, "1 / x.")
sign = unary(jnp.sign, "-1, 0 or 1.", sparse=on_entries)
signbit = unary(jnp.signbit, "Is the sign bit set?", sparse=on_entries)
sin = unary(jnp.sin, "Sine of radians.", sparse=on_entries)
sinc = unary(jnp.sinc, "sin(πx) / (πx).")
sinh = unary(jnp.sinh, "Hyperbolic sine.", sparse=on_entries)
sqrt = unary(jnp.sqrt, "Square root.", sparse=on_entries)
square = unary(jnp.square, "x².", sparse=on_entries)
tan = unary(jnp.tan, "Tangent of radians.", sparse=on_entries)
tanh = unary(jnp.tanh, "Hyperbolic tangent.", sparse=on_entries)
trunc = unary(jnp.trunc, "The integer next to x, towards 0.")

MATH = "keras.src.ops.math"
erf = unary(jax.lax.erf, "Error function.", "erf", module=MATH)
erfc = unary(jax.lax.erfc, "1 - erf(x).", "erfc", module=MATH)
erfinv = unary(jax.lax.erf_inv, "Inverse error function.", "erfinv", module=MATH)
rsqrt = unary(jax.lax.rsqrt, "1 / √x.", "rsqrt", module=MATH)

bitwise_invert = unary(jnp.bitwise_not, "Every bit flipped.", "bitwise_invert")
bitwise_not = unary(jnp.bitwise_not, "Every bit flipped.", "bitwise_not")


def _float_of(x):
    """Integers as floats, as their rounding functions return floats."""
    x = as_array(x)
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return x
    return x.astype(dtypes.as_jax(dtypes.floatx()))


ceil = unary(
    lambda x: jnp.ceil(_float_of(x)), "Least integer >= x.", "ceil", sparse=on_entries
)
floor = unary(
    lambda x: jnp.floor(_float_of(x)),
    "Greatest integer <= x.",
    "floor",
    sparse=on_entries,
)

add = binary(jnp.add, "x1 + x2.", sparse=pair)
arctan2 = binary(jnp.arctan2, "Angle of the point (x2, x1), radians.", operand=as_array)
divide = binary(jnp.divide, "x1 / x2.", "divide", sparse=quotient)
equal = binary(jnp.equal, "x1 == x2.")
floor_divide = binary(jnp.floor_divide, "⌊x1 / x2⌋.")
fmax = binary(jnp.fmax, "Maximum that ignores NaN.")
fmin = binary(jnp.fmin, "Minimum that ignores NaN.")
fmod = binary(jnp.fmod, "Remainder with the sign of x1.")
gcd = binary(jnp.gcd, "Greatest common divisor.")
greater = binary(jnp.greater, "x1 > x2.")
greater_equal = binary(jnp.greater_equal, "x1 >= x2.")
heaviside = binary(jnp.heaviside, "0 below 0, 1 above, x2 at 0.")
hypot = binary(jnp.hypot, "√(x1² + x2²).")
lcm = binary(jnp.lcm, "Least common multiple.")
ldexp = binary(jnp.ldexp, "x1 · 2^x2.")
less = binary(jnp.less, "x1 < x2.")
less_equal = binary(jnp.less_equal, "x1 <= x2.")
logaddexp = binary(jnp.logaddexp, "log(eˣ¹ + eˣ²).", "logaddexp", operand=as_array)
logaddexp2 = binary(jnp.logaddexp2, "log₂(2ˣ¹ + 2ˣ²).", "logaddexp2", operand=as_array)
logical_and = binary(jnp.logical_and, "x1 and x2.")
logical_or = binary(jnp.logical_or, "x1 or x2.")
logical_xor = binary(jnp.logical_xor, "x1 or x2, not both.")
maximum = binary(jnp.maximum, "The greater of both.", sparse=union)
minimum = binary(jnp.minimum, "The smaller of both.", sparse=union)
mod = binary(jnp.mod, "Remainder with the sign of x2.", "mod")
multiply = binary(jnp.multiply, "x1 · x2.", sparse=pair)
nextafter = binary(jnp.nextafter, "The float next to x1 towards x2.")
not_equal = binary(jnp.not_equal, "x1 != x2.")
power = binary(jnp.power, "x1 to the power x2.", "power")
subtract = binary(jnp.subtract, "x1 - x2.", sparse=pair)
true_divide = binary(jnp.true_divide, "x1 / x2.", "true_divide", sparse=quotient)

_XY = ("x", "y")
bitwise_and = binary(jnp.bitwise_and, "Bits of both.", parameters=_XY)
bitwise_or = binary(jnp.bitwise_or, "Bits of either.", parameters=_XY)
bitwise_xor = binary(jnp.bitwise_xor, "Bits of one of both.", parameters=_XY)
left_shift = binary(jnp.left_shift, "x · 2^y.", "left_shift", _XY)
right_shift = binary(jnp.right_shift, "⌊x / 2^y⌋.", "right_shift", _XY)
bitwise_left_shift = binary(jnp.left_shift, "x · 2^y.", "bitwise_left_shift", _XY)
bitwise_right_shift = binary(jnp.right_shift, "⌊x / 2^y⌋.", "bitwise_right_shift", _XY)


@op
def clip(x, x_min, x_max):
    """min(max(x, x_min), x_max).

    >>> clip([-1.0, 0.5, 9.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    x = as_array(x)
    x = x.astype("int32") if x.dtype == bool else x
    return jnp.clip(x, as_operand(x_min), as_operand(x_max))


@op
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0.

    >>> divide_no_nan([1.0, 2.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    x1, x2 = as_operand(x1), as_operand(x2)
    zero = jnp.equal(x2, 0)
    # The divisor is replaced first: 0 · ∞ would make the gradient NaN.
    return jnp.where(zero, 0, jnp.divide(x1, jnp.where(zero, 1, x2)))


@op(tensors=("x1", "x2", "rtol", "atol"))
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|x1 - x2| <= atol + rtol |x2|, elementwise."""
    return jnp.isclose(as_operand(x1), as_operand(x2), rtol, atol, equal_nan)


@op
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """NaN and ±∞ replaced; ±∞ by the largest finite numbers by default."""
    return jnp.nan_to_num(as_array(x), nan=nan, posinf=posinf, neginf=neginf)


@op(tensors=("abs_", "angle"), module="keras.src.ops.nn")
def polar(abs_, angle):
    """Complex number of the given absolute value and argument."""
    abs_, angle = as_array(abs_), as_array(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op
@on_entries
def round(x, decimals=0):
    """Nearest number with `decimals` digits after the point; halves to even."""
    x = as_array(x)
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        return _round_whole(x, 10**-decimals)
    return jnp.round(x, decimals)


def _round_whole(x, unit):
    """Integers to the nearest multiple of `unit`; halves to even ones."""
    lower = x // unit
    twice = 2 * (x - lower * unit)
    up = (twice > unit) | ((twice == unit) & (lower % 2 == 1))
    return (lower + up) * unit


def _where_spec(trace, condition, x1=None, x2=None):
    """How many entries are true is not known."""
    if x1 is None and x2 is None:
        return tuple(KerasTensor((None,), "int32") for _ in condition.shape)
    return trace(condition, x1, x2)


@op(tensors=("condition", "x1", "x2"), spec=_where_spec)
def where(condition, x1=None, x2=None):
    """x1 where the condition holds, else x2; without both, as `nonzero`.

    >>> where([True, False], 1.0, [5.0, 6.0]).tolist()
    [1.0, 6.0]
    """
    condition = as_array(condition)
    if x1 is None and x2 is None:
        return jnp.where(condition)
    if x1 is None or x2 is None:
        raise ValueError(
            "where: `x1` and `x2` either both should be `None` or both be given, got "
            f"x1={x1!r} and x2={x2!r}."
        )
    return jnp.where(condition, as_operand(x1), as_operand(x2))


abs = absolute
conj = conjugate
