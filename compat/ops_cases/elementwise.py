"""Calls of elementwise functions and reductions."""

import numpy as np

from compat.ops_cases.drawing import ANY, FLOATS, INTS, NUMBERS, draws


def unary(names, dtypes=ANY, low=-3.0, high=3.0):
    draws(names)(lambda d: ((d.array(d.any_shape(), dtypes, low, high),), {}))


unary("""abs absolute angle arcsinh arctan cbrt ceil conj conjugate copy cos cosh
    deg2rad exp exp2 expm1 fabs floor i0 imag isfinite isinf isnan isneginf isposinf
    isreal negative ones_like zeros_like rad2deg real reciprocal sign signbit sin sinc
    sinh square tan tanh trunc logical_not empty_like ravel size shape ndim dtype
    is_tensor convert_to_numpy convert_to_tensor array""")
unary(
    "log_sigmoid relu relu6 sigmoid silu softplus softsign swish hard_sigmoid", FLOATS
)
unary(
    "hard_silu hard_swish hard_tanh selu sparse_plus sparse_sigmoid tanh_shrink", FLOATS
)
unary("erf erfc stop_gradient view_as_real", FLOATS)
unary("erfinv arctanh arcsin arccos", FLOATS, -0.95, 0.95)
unary("rsqrt", FLOATS, 0.1)
unary("log log10 log1p log2 sqrt", ANY, 0.1)
unary("arccosh", NUMBERS, 1.0, 5.0)
unary("bitwise_invert bitwise_not", ("int32", "uint8", "bool"))


def with_options(names, dtypes=FLOATS, **table):
    """One array and options out of a table."""
    draws(names)(lambda d: ((d.array(d.any_shape(), dtypes),), d.options(table)))


with_options("celu elu", alpha=(0.3, 1.0, 2.0))
with_options("gelu", approximate=(True, False))
with_options("hard_shrink soft_shrink", threshold=(0.1, 1.0))
with_options("leaky_relu", negative_slope=(0.0, 0.4))
with_options("squareplus", b=(1, 3.0))
with_options("round", NUMBERS, decimals=(0, 1, 2, -1))
with_options("nan_to_num", ANY, nan=(0.0, 2.0), posinf=(None, 9.0))


@draws("threshold")
def threshold(d):
    return (d.array(d.any_shape()), d.choice(0.1, -1.0), d.choice(0.0, 5.0)), {}


@draws("clip")
def clip(d):
    return (d.array(d.any_shape(), ANY), *d.choice((-1, 1), (0, 2.5), (1, 1))), {}


@draws("view")
def view(d):
    dtype = d.choice("float32", "int32", "uint8", "float16")
    return (d.array((*d.shape(0, 2), 4), ("float32", "int32")), dtype), {}


@draws("view_as_complex")
def view_as_complex(d):
    return (d.array((*d.shape(1, 2), 2), ("float32",)),), {}


@draws("cast saturate_cast")
def cast(d):
    dtype = d.choice("float32", "bfloat16", "int32", "uint8", "bool", "float16", "int8")
    return (d.array(d.any_shape(), ANY, 0.0, 300.0), dtype), {}


def binary(names, dtypes=ANY, low=-3.0, high=3.0):
    draws(names)(lambda d: (d.pair(dtypes, low, high), {}))


binary("""add multiply maximum minimum equal greater greater_equal less less_equal
    not_equal logical_and logical_or logical_xor""")
binary("subtract divide true_divide divide_no_nan arctan2 fmax fmin hypot", NUMBERS)
binary("heaviside logaddexp logaddexp2 nextafter isclose allclose", FLOATS)
binary("fmod mod floor_divide", NUMBERS, 1.0, 5.0)
binary("power", ("float32", "bfloat16", "int32"), 0.5, 3.0)
binary("bitwise_and bitwise_or bitwise_xor", ("int32", "uint8"))
binary("gcd lcm", INTS, 0, 9)
binary("left_shift right_shift bitwise_left_shift bitwise_right_shift", INTS, 0, 4)
binary("append kron outer", NUMBERS)


@draws("ldexp")
def ldexp(d):
    shape = d.any_shape()
    return (d.array(shape, ("float32",)), d.ints(shape, -3, 4)), {}


@draws("polar")
def polar(d):
    shape = d.any_shape()
    return (d.array(shape, ("float32",), 0.0), d.array(shape, ("float32",))), {}


@draws("where")
def where(d):
    shape = d.any_shape()
    x1, x2 = d.pair(ANY)
    condition = d.bools(np.broadcast_shapes(np.shape(x1), np.shape(x2)))
    return d.choice(((condition, x1, x2), {}), ((d.bools(shape),), {}))


@draws("select")
def select(d):
    shape = d.shape()
    conditions = [d.bools(shape), d.bools(shape)]
    choices = [d.array(shape, ("float32",)), d.array(shape, ("float32",))]
    return (conditions, choices), d.options({"default": (0, 2.5)})


def reduction(names, dtypes=ANY, low=-3.0, **table):
    @draws(names)
    def call(d):
        x = d.array(d.any_shape(1), dtypes, low)
        return (x,), {"axis": d.axes(x.ndim), **d.options(table)}


KEEP = {"keepdims": (True, False)}
reduction("all amax amin any max mean min prod std sum var", **KEEP)
reduction("median ptp", FLOATS, **KEEP)
reduction("logsumexp", FLOATS, **KEEP)
reduction("count_nonzero", ANY)
reduction("prod", NUMBERS, dtype=("float32", None), **KEEP)
reduction("max", FLOATS, initial=(None, 0.5), **KEEP)
reduction("min", FLOATS, initial=(None, -0.5), **KEEP)


def along_axis(names, dtypes=ANY, none=True, **table):
    @draws(names)
    def call(d):
        x = d.array(d.any_shape(1), dtypes)
        axis = None if none and d.chance(0.3) else d.axis(x.ndim)
        return (x,), {"axis": axis, **d.options(table)}


along_axis("argmax argmin", **KEEP)
along_axis("cumsum cumprod", dtype=(None, "float32"))
along_axis("argsort sort", NUMBERS, none=False)
along_axis("flip", ANY)
along_axis("softmax log_softmax", FLOATS, none=False)
along_axis("sparsemax", ("float32",), none=False)
along_axis("unstack", ANY, none=False)


@draws("softmax")
def softmax(d):
    x = d.array(d.shape(1))
    axis = d.axes(x.ndim)
    return (x,), {} if axis is None else {"axis": axis}


def holes(d, shape, dtype=None):
    x = d.array(shape, ("float32", "bfloat16"))
    return np.where(d.bools(shape, 0.2), np.nan, x).astype(x.dtype)


@draws("nanmax nanmean nanmin nanprod nanstd nansum nanvar nanmedian")
def nan_reduction(d):
    x = holes(d, d.shape())
    return (x,), {"axis": d.axes(x.ndim), **d.options(KEEP)}


@draws("nanargmax nanargmin nancumsum nancumprod")
def nan_along(d):
    x = holes(d, d.shape())
    return (x,), {"axis": d.axis(x.ndim)}


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantiles(names, top, nan):
    @draws(names)
    def call(d):
        x = holes(d, d.shape()) if nan else d.array(d.shape(), ("float32", "bfloat16"))
        q = d.uniform(d.choice((), (3,)), 0, top)
        options = d.options({"method": METHODS, **KEEP})
        return (x, q), {"axis": d.axes(x.ndim), **options}


quantiles("quantile", 1, False)
quantiles("nanquantile", 1, True)
quantiles("percentile", 100, False)
quantiles("nanpercentile", 100, True)


@draws("average")
def average(d):
    x = d.array(d.shape(), ("float32", "int32"))
    axis = None if d.chance() else d.axis(x.ndim)
    weights = d.uniform(x.shape, 0.1) if d.chance() else None
    return (x,), {"axis": axis, "weights": weights}


@draws("trapezoid")
def trapezoid(d):
    y = d.array(d.shape(1), ("float32",))
    x = d.uniform(y.shape) if d.chance() else None
    return (y,), {"x": x, **d.options({"dx": (1.0, 0.5)}), "axis": d.axis(y.ndim)}


@draws("moments")
def moments(d):
    x = d.array(d.shape(1))
    axes = d.axes(x.ndim)
    return (x, 0 if axes is None else axes), d.options(KEEP)


@draws("normalize")
def normalize(d):
    x = d.array(d.shape(1), ("float32",))
    return (x,), {"axis": d.axis(x.ndim), **d.options({"order": (1, 2, 3)})}


@draws("norm")
def norm(d):
    x = d.array(d.shape(2), ("float32",))
    axis = tuple(int(a) for a in d.rng.permutation(x.ndim)[:2])
    orders = {1: (None, 1, 2, np.inf, 0), 2: (None, "fro", "nuc", 1, np.inf)}
    axis = d.choice(d.axis(x.ndim), axis)
    order = d.choice(*orders[1 if isinstance(axis, int) else 2])
    return (x,), {"ord": order, "axis": axis, **d.options(KEEP)}


@draws("isclose allclose")
def close(d):
    x = d.array(d.shape(), ("float32",))
    y = x + d.choice(0, 1e-9, 1e-3) * np.float32(np.pi)
    return (x, y.astype("float32")), d.options(
        {"rtol": (1e-5, 1e-2), "atol": (1e-8, 1e-2)}
    )
