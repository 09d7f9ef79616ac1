"""Functions of one array, entry by entry: each row is a function and its formula."""

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_float, as_operand
from minikeras.ops.op_makers import unary
from minikeras.ops.sparse import on_entries

__all__ = [
    "abs", "absolute", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctanh", "cbrt", "ceil", "clip", "conj", "conjugate", "cos", "cosh", "deg2rad",
    "exp", "exp2", "expm1", "fabs", "floor", "i0", "imag", "log", "log10", "log1p",
    "log2", "nan_to_num", "negative", "rad2deg", "real", "reciprocal", "round", "sign",
    "signbit", "sin", "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
]  # fmt: skip

_SAME = "array of the shape and dtype of `x`."
_COMPLEX = "real or complex array of any shape."
_PARTS = "float array of the shape of `x`."

# A row names the op where the function of JAX has another name, and the class in files
# where `str.title` would differ from Keras: Deg2Rad and Log1P are Deg2rad and Log1p.
absolute = unary(
    jnp.absolute, "|x|.", "[-2, 3] -> [2, 3]", "absolute", sparse=on_entries
)
angle = unary(
    jnp.angle,
    "Argument of a complex number, in [-π, π] radians.",
    "[1 + 0j, 2j] -> [0.0, 1.570...]",
    x=_COMPLEX,
    returns=_PARTS,
)
arccos = unary(
    jnp.arccos,
    "Inverse cosine in [0, π] radians.",
    "[1, 0] -> [0.0, 1.570...]",
    x="array of numbers in [-1, 1]; others give NaN.",
)
arccosh = unary(
    jnp.arccosh,
    "Inverse hyperbolic cosine log(x + √(x² - 1)).",
    "[1, 2] -> [0.0, 1.316...]",
    x="array of numbers >= 1; others give NaN.",
)
arcsin = unary(
    jnp.arcsin,
    "Inverse sine in [-π/2, π/2] radians.",
    "[0, 1] -> [0.0, 1.570...]",
    x="array of numbers in [-1, 1]; others give NaN.",
    sparse=on_entries,
)
arcsinh = unary(
    jnp.arcsinh,
    "Inverse hyperbolic sine log(x + √(x² + 1)).",
    "[0, 1] -> [0.0, 0.881...]",
    sparse=on_entries,
)
arctan = unary(
    jnp.arctan,
    "Inverse tangent in (-π/2, π/2) radians.",
    "[0, 1] -> [0.0, 0.785...]",
    sparse=on_entries,
)
arctanh = unary(
    jnp.arctanh,
    "Inverse hyperbolic tangent ½ log((1 + x) / (1 - x)).",
    "[0, 0.5] -> [0.0, 0.549...]",
    x="array of numbers in (-1, 1); others give NaN or ±∞.",
    sparse=on_entries,
)
cbrt = unary(jnp.cbrt, "Real cube root ∛x.", "[8.0, -1.0] -> [2.0, -1.0]")
conjugate = unary(
    jnp.conjugate,
    "Complex conjugate.",
    "[1 + 2j, 3] -> [(1-2j), (3-0j)]",
    "conjugate",
    x=_COMPLEX,
    returns=_SAME,
    sparse=on_entries,
)
cos = unary(
    jnp.cos, "Cosine.", "[0, 1] -> [1.0, 0.540...]", x="array of angles in radians."
)
cosh = unary(jnp.cosh, "Hyperbolic cosine ½(eˣ + e⁻ˣ).", "[0, 1] -> [1.0, 1.543...]")
deg2rad = unary(
    jnp.deg2rad,
    "Convert degrees to radians, πx / 180.",
    "[0, 180] -> [0.0, 3.141...]",
    x="array of angles in degrees.",
    class_name="Deg2rad",
)
exp = unary(jnp.exp, "eˣ.", "[0, 1] -> [1.0, 2.718...]")
exp2 = unary(jnp.exp2, "2ˣ.", "[-1, 3] -> [0.5, 8.0]")
expm1 = unary(
    jnp.expm1, "eˣ - 1, exact near 0.", "[0, 1] -> [0.0, 1.718...]", sparse=on_entries
)
fabs = unary(
    jnp.fabs, "|x| as a float.", "[-2, 3] -> [2.0, 3.0]", x="array of real numbers."
)
i0 = unary(
    jnp.i0,
    "Modified Bessel function of the first kind, order 0.",
    "[1, 2] -> [1.266..., 2.279...]",
    "i0",
    x="array of real numbers.",
)
imag = unary(
    jnp.imag,
    "Imaginary part, 0 for real numbers.",
    "[1 + 2j, 3] -> [2.0, 0.0]",
    x=_COMPLEX,
    returns=_PARTS,
    sparse=on_entries,
)
log = unary(
    jnp.log,
    "Natural logarithm.",
    "[1, 2] -> [0.0, 0.693...]",
    x="array of numbers > 0; 0 gives -∞.",
)
log10 = unary(
    jnp.log10,
    "Logarithm to base 10.",
    "[1, 2] -> [0.0, 0.301...]",
    x="array of numbers > 0; 0 gives -∞.",
)
log1p = unary(
    jnp.log1p,
    "log(1 + x), exact near 0.",
    "[0, 1] -> [0.0, 0.693...]",
    x="array of numbers > -1.",
    class_name="Log1p",
    sparse=on_entries,
)
log2 = unary(
    jnp.log2,
    "Logarithm to base 2.",
    "[1, 8] -> [0.0, 3.0]",
    x="array of numbers > 0; 0 gives -∞.",
)
negative = unary(
    jnp.negative, "-x.", "[2, -3] -> [-2, 3]", returns=_SAME, sparse=on_entries
)
rad2deg = unary(
    jnp.rad2deg,
    "Convert radians to degrees, 180x / π.",
    "[0, 1] -> [0.0, 57.295...]",
    x="array of angles in radians.",
    class_name="Rad2deg",
)
real = unary(
    jnp.real,
    "Real part.",
    "[1 + 2j, 3] -> [1.0, 3.0]",
    x=_COMPLEX,
    returns=_PARTS,
    sparse=on_entries,
)
reciprocal = unary(
    jnp.reciprocal,
    "1 / x.",
    "[2.0, -4.0] -> [0.5, -0.25]",
    x="array of numbers that are not 0.",
)
sign = unary(
    jnp.sign,
    "Sign of x: -1, 0 or 1.",
    "[-2.5, 0.0, 3.0] -> [-1.0, 0.0, 1.0]",
    returns=_SAME,
    sparse=on_entries,
)
signbit = unary(
    jnp.signbit,
    "True where the sign bit is set, as in -0.0.",
    "[-1.0, -0.0, 2.0] -> [True, True, False]",
    returns="bools of the shape of `x`.",
    sparse=on_entries,
)
sin = unary(
    jnp.sin,
    "Sine.",
    "[0, 1] -> [0.0, 0.841...]",
    x="array of angles in radians.",
    sparse=on_entries,
)
sinc = unary(jnp.sinc, "sin(πx) / (πx), 1 at 0.", "[0, 0.5] -> [1.0, 0.636...]")
sinh = unary(
    jnp.sinh,
    "Hyperbolic sine ½(eˣ - e⁻ˣ).",
    "[0, 1] -> [0.0, 1.175...]",
    sparse=on_entries,
)
sqrt = unary(
    jnp.sqrt,
    "Square root √x.",
    "[4, 2] -> [2.0, 1.414...]",
    x="array of numbers >= 0; others give NaN.",
    sparse=on_entries,
)
square = unary(jnp.square, "x².", "[-3, 2] -> [9, 4]", returns=_SAME, sparse=on_entries)
tan = unary(
    jnp.tan,
    "Tangent.",
    "[0, 1] -> [0.0, 1.557...]",
    x="array of angles in radians.",
    sparse=on_entries,
)
tanh = unary(
    jnp.tanh,
    "Hyperbolic tangent (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).",
    "[0, 1] -> [0.0, 0.761...]",
    sparse=on_entries,
)
trunc = unary(jnp.trunc, "The nearest integer towards 0.", "[-2.7, 1.5] -> [-2.0, 1.0]")

# The other names that NumPy has for them. `abs` is no longer Python's in this file.
abs = absolute
conj = conjugate


# `jnp.ceil` and `jnp.floor` return integers for integers, Keras returns floats.
ceil = unary(
    lambda x: jnp.ceil(as_float(x, dtypes.floatx())),
    "⌈x⌉, the least integer >= x.",
    "[-1.5, 2.1] -> [-1.0, 3.0]",
    "ceil",
    returns=_PARTS,
    sparse=on_entries,
)
floor = unary(
    lambda x: jnp.floor(as_float(x, dtypes.floatx())),
    "⌊x⌋, the greatest integer <= x.",
    "[-1.5, 2.1] -> [-2.0, 2.0]",
    "floor",
    returns=_PARTS,
    sparse=on_entries,
)


@op
def clip(x, x_min, x_max):
    """min(max(x, x_min), x_max).

    Args:
        x: array of any shape; bools become int32.
        x_min: lower bound, number or array that broadcasts with `x`.
        x_max: upper bound, number or array that broadcasts with `x`.

    Returns:
        Array of the shape of `x`.

    >>> clip([-1.0, 0.5, 9.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    x = as_array(x)
    # Keras clips bools as int32.
    x = x.astype("int32") if x.dtype == bool else x
    return jnp.clip(x, as_operand(x_min), as_operand(x_max))


@op
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """`x` with finite numbers in place of NaN and ±∞.

    Args:
        x: array of any shape.
        nan: number in place of NaN.
        posinf: number in place of +∞; the greatest one of the dtype by default.
        neginf: number in place of -∞; the least one of the dtype by default.

    Returns:
        Array of the shape and dtype of `x`.

    >>> nan_to_num([float("nan"), 2.0, float("inf")], nan=-1.0, posinf=9.0).tolist()
    [-1.0, 2.0, 9.0]
    """
    return jnp.nan_to_num(as_array(x), nan=nan, posinf=posinf, neginf=neginf)


@op
@on_entries
def round(x, decimals=0):
    """The nearest number with `decimals` decimals; of two equally near, the even one.

    Args:
        x: array of any shape.
        decimals: int; -1 rounds to tens, -2 to hundreds.

    Returns:
        Array of the shape and dtype of `x`.

    >>> round([0.5, 1.5, -2.7]).tolist()
    [0.0, 2.0, -3.0]
    >>> round([123, 155], -1).tolist()
    [120, 160]
    """
    x = as_array(x)
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        # `jnp.round` refuses integers with negative decimals.
        return _round_whole(x, 10**-decimals)
    return jnp.round(x, decimals)


def _round_whole(x, unit):
    """Integers rounded to multiples of `unit`; of two equally near, to the even one."""
    lower = x // unit
    twice = 2 * (x - lower * unit)
    up = (twice > unit) | ((twice == unit) & (lower % 2 == 1))
    return (lower + up) * unit
