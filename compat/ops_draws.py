"""How to draw a call of each function of `keras.ops`: {name: draw -> (args, kwargs)}.

Arrays are numpy's and stand for inputs: they become KerasTensors when shapes are
compared. Image functions, adaptive pools, CTC and `rearrange` have their own tables
(`test_image_parity.py`).
"""

import math

import jax.numpy as jnp
import numpy as np

from compat import draw

DRAWS = {}
FLOATS = ("float32", "float32", "float32", "bfloat16", "float16")
INTS = ("int32", "int32", "uint8", "int8")
NUMBERS = (*FLOATS, "int32", "uint8")
ANY = (*NUMBERS, "bool")


def drawn(name, seed):
    """(args, kwargs) of a call of the function `name`."""
    d = Draw(name, seed)
    return d.choice(*DRAWS[name])(d)


def spoiled(name, seed):
    """As `drawn`, with one argument wrong; None: there is none to spoil."""
    args, kwargs = drawn(name, seed)
    d, args = Draw("spoiled", name, seed), list(args)
    arrays = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]
    texts = [key for key, value in kwargs.items() if isinstance(value, str)]
    ways = ["axis"] * ("axis" in kwargs) + ["text"] * bool(texts)
    ways += ["rank", "float", "no array"] * bool(arrays) + ["size"] * bool(arrays[1:])
    if not ways:
        return None
    way = d.choice(*ways)
    if way in ("axis", "text"):
        kwargs = {**kwargs, **({"axis": 9} if way == "axis" else {texts[0]: "no"})}
        return args, kwargs
    place = arrays[0] if way in ("rank", "no array") else arrays[-1]
    x = args[place]
    args[place] = {
        "rank": np.ones(d.choice((), (1,) * 9), x.dtype),
        "float": x.astype("float32") + 0.5,
        "no array": "text",
        "size": np.ones((7, *x.shape[1:]), x.dtype),
    }[way]
    return args, kwargs


def draws(names):
    """Decorator: the function draws calls of each of `names`."""

    def enter(function):
        for name in names.split():
            DRAWS.setdefault(name, []).append(function)
        return function

    return enter


class Draw(draw.Draw):
    """Random choices, of arrays of all dtypes too."""

    def size(self, low, high):
        """low … high."""
        return int(self.rng.integers(low, high + 1))

    def any_shape(self, low=0, high=3):
        """Sizes 1 to 5; now and then an axis of none."""
        shape = list(self.shape(low, high))
        if shape and self.chance(0.04):
            shape[self.size(0, len(shape) - 1)] = 0
        return tuple(shape)

    def array(self, shape, dtypes=FLOATS, low=-3.0, high=3.0):
        """Numbers in [low, high) of one of the dtypes."""
        dtype = self.choice(*dtypes)
        if dtype == "bool":
            return self.bools(shape)
        if "int" in dtype:
            low = max(0 if dtype.startswith("u") else -9, low)
            return self.ints(shape, int(low), max(int(high) + 1, int(low) + 2), dtype)
        return self.uniform(shape, low, high, dtype)

    def axis(self, rank):
        """An axis, counted from either end."""
        return self.size(-rank, rank - 1)

    def axes(self, rank):
        """None, one axis or several."""
        if not rank or self.chance(0.3):
            return None
        if self.chance():
            return self.axis(rank)
        chosen = self.rng.permutation(rank)[: self.size(1, rank)]
        return tuple(int(a) for a in chosen)

    def pair(self, dtypes, low=-3.0, high=3.0):
        """Two arrays that broadcast, or an array and a number, in either order."""
        shape = self.any_shape()
        first = self.array(shape, dtypes, low, high)
        if self.chance(0.2):
            number = self.choice(2, 1.5) if "float" in first.dtype.name else 2
            return self.choice((first, number), (number, first))
        other = self.broadcastable(shape) if self.chance() else shape
        second = self.array(other, dtypes, low, high)
        return self.choice((first, second), (second, first))


# -- elementwise --------------------------------------------------------------------


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


@draws("append")
def append(d):
    if d.chance():
        return d.pair(NUMBERS), {}
    shape, other = joined(d, axis := d.size(0, 1), 2)
    return (d.array(shape), d.array(other)), {"axis": axis}


def joined(d, axis, rank=None):
    """Two shapes that differ on one axis."""
    shape = list(d.shape(axis + 1, 3) if rank is None else d.shape(rank, rank))
    other = list(shape)
    other[axis] = d.size(1, 4)
    return tuple(shape), tuple(other)


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


# -- reductions ---------------------------------------------------------------------


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


# -- shapes -------------------------------------------------------------------------


@draws("fliplr flipud")
def flip_two(d):
    return (d.array(d.any_shape(2), ANY),), {}


@draws("broadcast_to")
def broadcast_to(d):
    shape = d.any_shape()
    return (d.array(d.broadcastable(shape), ANY), shape), {}


@draws("concatenate stack hstack vstack dstack")
def join(d):
    shape = d.any_shape(1)
    return ([d.array(shape, NUMBERS) for _ in range(d.size(1, 3))],), {}


@draws("concatenate")
def concatenate(d):
    shape, other = joined(d, axis := d.size(0, 2))
    return ([d.array(shape, NUMBERS), d.array(other, NUMBERS)],), {"axis": axis}


@draws("stack")
def stack(d):
    shape = d.any_shape()
    xs = [d.array(shape, NUMBERS) for _ in range(d.size(1, 3))]
    return (xs,), {"axis": d.axis(len(shape) + 1)}


@draws("split array_split")
def split(d):
    axis = d.size(0, 2)
    shape = [d.size(1, 5) for _ in range(3)]
    count = d.size(1, 3)
    shape[axis] = count * d.size(1, 3)
    where = d.choice(count, [1, 2] if shape[axis] > 2 else [1])
    return (d.array(tuple(shape), ANY), where), {"axis": axis}


@draws("hsplit vsplit dsplit")
def split_axis(d):
    return (d.array((2, 4, 6), ANY), d.choice(2, 1, [1], [0, 1])), {}


@draws("expand_dims")
def expand_dims(d):
    x = d.array(d.any_shape(), ANY)
    return (x, d.choice(d.axis(x.ndim + 1), (0, x.ndim + 1))), {}


@draws("squeeze")
def squeeze(d):
    shape = list(d.shape(1))
    shape[axis := d.size(0, len(shape) - 1)] = 1
    return (d.array(tuple(shape), ANY),), {"axis": d.choice(axis, None, (axis,))}


@draws("reshape")
def reshape(d):
    shape = d.any_shape()
    sizes = [int(n) for n in d.rng.permutation(shape)]
    if sizes and 0 not in sizes and d.chance():
        sizes[d.size(0, len(sizes) - 1)] = -1
    return (d.array(shape, ANY), tuple(sizes)), {}


@draws("transpose")
def transpose(d):
    x = d.array(d.any_shape(1), ANY)
    axes = tuple(int(a) for a in d.rng.permutation(x.ndim))
    return (x,), {"axes": d.choice(None, axes)}


@draws("swapaxes moveaxis")
def two_axes(d):
    x = d.array(d.any_shape(1), ANY)
    return (x, d.axis(x.ndim), d.axis(x.ndim)), {}


@draws("pad")
def pad(d):
    x = d.array(d.shape(1, 3, (2, 3, 5)), ANY)
    width = d.choice(1, tuple((d.size(0, 1), d.size(0, 2)) for _ in x.shape))
    if d.chance():
        return (x, width), {"mode": d.choice("reflect", "symmetric", "constant")}
    return (x, width), d.options({"constant_values": (0, 1)})


@draws("repeat")
def repeat(d):
    x = d.array(d.any_shape(1), ANY)
    axis = None if d.chance() else d.axis(x.ndim)
    length = x.size if axis is None else x.shape[axis]
    counts = d.ints((length,), 0, 3)
    return (x, d.choice(2, 3, counts)), {"axis": axis}


@draws("roll")
def roll(d):
    x = d.array(d.any_shape(1), ANY)
    return (x, d.size(-3, 3)), {"axis": d.choice(None, d.axis(x.ndim))}


@draws("rot90")
def rot90(d):
    return (d.array(d.shape(2), ANY),), d.options(
        {"k": (0, 1, 2, -1), "axes": ((0, 1), (1, 0))}
    )


@draws("tile")
def tile(d):
    return (d.array(d.any_shape(1), ANY), d.choice(2, (2, 1), (1, 2, 2))), {}


@draws("meshgrid")
def meshgrid(d):
    xs = [d.array((d.size(1, 4),), NUMBERS) for _ in range(d.size(1, 3))]
    return tuple(xs), d.options({"indexing": ("xy", "ij")})


@draws("diag tril triu diagflat")
def diag(d):
    return (d.array(d.shape(2, 2), ANY),), d.options({"k": (0, 1, -1)})


@draws("diagonal trace")
def diagonal(d):
    x = d.array(d.shape(2), NUMBERS)
    first, second = (int(a) for a in d.rng.permutation(x.ndim)[:2])
    return (x,), {"offset": d.size(-1, 1), "axis1": first, "axis2": second}


# -- indices ------------------------------------------------------------------------


@draws("get_item")
def get_item(d):
    x = d.array((3, 4, 5), ANY)
    keys = (1, -1, ..., None, (slice(None), 2), (..., slice(0, 3, 2)), slice(1, None))
    more = ((0, ..., 1), (None, slice(None), -2), (slice(None, None, -1),))
    return (x, d.choice(*keys, *more)), {}


@draws("take")
def take(d):
    x = d.array(d.shape(1), ANY)
    axis = d.choice(None, d.axis(x.ndim))
    size = x.size if axis is None else x.shape[axis]
    return (x, d.ints(d.shape(0, 2), -size, size)), {"axis": axis}


@draws("take_along_axis")
def take_along_axis(d):
    x = d.array(d.shape(1), ANY)
    shape = list(x.shape)
    shape[axis := d.axis(x.ndim)] = d.size(1, 4)
    indices = d.ints(tuple(shape), 0, x.shape[axis])
    return (x, indices), {"axis": axis}


@draws("argpartition")
def argpartition(d):
    x = d.rng.permutation(12).astype("float32").reshape(3, 4)
    return (x, d.size(0, 2)), {"axis": d.choice(-1, 0, 1, None)}


@draws("searchsorted")
def searchsorted(d):
    values = d.array(d.shape(), ("float32",))
    return (np.sort(d.array((5,), ("float32",))), values), d.options(
        {"side": ("left", "right")}
    )


@draws("digitize")
def digitize(d):
    return (d.array(d.any_shape(), ("float32", "int32")), np.float32([-1, 0, 1.5])), {}


@draws("nonzero")
def nonzero(d):
    return (d.array(d.shape(1), ("int32", "bool"), 0, 2),), {}


@draws("unique")
def unique(d):
    x = d.ints(d.shape(1, 2), 0, 4)
    flags = ("return_index", "return_inverse", "return_counts")
    options = d.options({f: (True, False) for f in flags} | {"size": (3,)})
    return (x,), {"axis": d.choice(None, d.axis(x.ndim)), **options}


@draws("isin")
def isin(d):
    return (d.ints(d.shape(), 0, 9), d.ints((4,), 0, 9)), d.options(
        {"invert": (True, False), "assume_unique": (False,)}
    )


@draws("unravel_index")
def unravel_index(d):
    return (d.ints(d.shape(1), 0, 12), (3, 4)), {}


@draws("top_k")
def top_k(d):
    return (d.array((3, 5), NUMBERS), d.size(1, 5)), d.options({"sorted": (True,)})


@draws("in_top_k")
def in_top_k(d):
    return (d.ints((4,), 0, 5), d.array((4, 5), ("float32",)), d.size(1, 3)), {}


@draws("scatter")
def scatter(d):
    indices = d.ints((4, 2), 0, 3)
    return (indices, d.array((4, 2), ("float32", "int32")), (3, 3, 2)), {}


@draws("scatter_update")
def scatter_update(d):
    indices = np.int32([[0, 1], [2, 0], [1, 1]])
    x, updates = d.array((3, 2, 2), ("float32",)), d.array((3, 2), ("float32",))
    return (x, indices, updates), d.options({"reduction": ("add", "max", "mul", None)})


@draws("slice")
def slice_(d):
    return (
        d.array((4, 5), ANY),
        (d.size(0, 2), d.size(0, 2)),
        (2, d.choice(3, -1)),
    ), {}


@draws("slice_update")
def slice_update(d):
    x = d.array((4, 5), ("float32",))
    return (x, (d.size(0, 2), d.size(0, 3)), d.array((2, 2), ("float32",))), {}


@draws("segment_max segment_min segment_prod segment_sum")
def segment(d):
    data = d.array((6, *d.shape(0, 2)), ("float32", "int32"))
    ids = np.sort(d.ints((6,), 0, 4))
    return (data, ids), {"num_segments": 4, **d.options({"sorted": (True, False)})}


@draws("bincount")
def bincount(d):
    x = d.ints(d.choice((6,), (2, 4)), 0, 5)
    weights = d.choice(None, d.uniform(x.shape))
    return (x,), {"weights": weights, "minlength": d.choice(5, 8)}


@draws("histogram")
def histogram(d):
    return (d.array((9,), ("float32",)),), d.options(
        {"bins": (4, 7), "range": (None, (-1.0, 2.0))}
    )


@draws("one_hot")
def one_hot(d):
    x = d.ints(d.shape(0, 2), -1, 5)
    return (x, 5), {
        "axis": d.axis(x.ndim + 1),
        **d.options({"dtype": ("int32", "bool")}),
    }


@draws("multi_hot")
def multi_hot(d):
    x = d.ints(d.shape(1, 2), 0, 5)
    return (x, 5), d.options({"dtype": ("int32", "float32")})


# -- making arrays ------------------------------------------------------------------

DTYPES = {"dtype": ("float32", "int32", "bfloat16", None)}


@draws("empty ones zeros")
def filled(d):
    return (d.any_shape(),), d.options(DTYPES)


@draws("full")
def full(d):
    return (d.any_shape(), d.choice(1, 2.5)), d.options(DTYPES)


@draws("full_like")
def full_like(d):
    return (d.array(d.any_shape(), ANY), d.choice(1, 2.5)), d.options(DTYPES)


@draws("eye tri")
def eye(d):
    return (d.size(1, 4),), d.options({"M": (None, 3), "k": (0, 1, -1), **DTYPES})


@draws("identity")
def identity(d):
    return (d.size(1, 4),), d.options(DTYPES)


@draws("arange")
def arange(d):
    return d.choice((5,), (1, 7), (0, 5, 2), (0.0, 1.0, 0.25), (2.5,)), d.options(
        DTYPES
    )


@draws("linspace logspace geomspace")
def space(d):
    shape = d.shape(0, 2)
    start, stop = d.array(shape, ("float32",), 0.5), d.array(shape, ("float32",), 0.5)
    return (start, stop), {
        "num": d.size(1, 5),
        **d.options({"endpoint": (True, False)}),
    }


@draws("vander")
def vander(d):
    return (d.array((4,), ("float32", "int32")),), d.options(
        {"N": (3, None), "increasing": (True, False)}
    )


@draws("bartlett blackman hamming hanning")
def window(d):
    return (d.size(1, 9),), {}


@draws("kaiser")
def kaiser(d):
    return (d.size(1, 9), d.choice(0.0, 5.0)), {}


# -- products -----------------------------------------------------------------------


@draws("matmul dot")
def matmul(d):
    n, k, m = d.size(1, 5), d.size(1, 5), d.size(1, 5)
    shapes = (((n, k), (k, m)), ((k,), (k,)), ((n, k), (k,)), ((2, n, k), (k, m)))
    first, second = d.choice(*shapes)
    dtypes = ("float32", "float32", "int32", "bfloat16")
    return (d.array(first, dtypes), d.array(second, dtypes)), {}


@draws("inner vdot")
def inner(d):
    shape = d.shape(1, 2)
    return (d.array(shape), d.array(shape)), {}


@draws("tensordot")
def tensordot(d):
    axes = d.choice(1, 2, ((1, 2), (0, 1)), 0)
    return (d.array((2, 3, 4)), d.array({1: (4, 3)}.get(axes, (3, 4)))), {"axes": axes}


@draws("einsum")
def einsum(d):
    a, b = d.array((2, 3), ("float32", "int32")), d.array((3, 4), ("float32", "int32"))
    return (d.choice("ij,jk->ik", "ij,jk", "ij,jk->k", "ij,jk->ijk"), a, b), {}


@draws("cross")
def cross(d):
    shape = (*d.shape(0, 2), d.choice(2, 3))
    return (d.array(shape, ("float32",)), d.array(shape, ("float32",))), {}


@draws("correlate")
def correlate(d):
    x, y = d.array((d.size(4, 7),), FLOATS), d.array((3,), FLOATS)
    return (x, y), d.options({"mode": ("valid", "same", "full")})


@draws("corrcoef")
def corrcoef(d):
    return (d.array((3, 5), ("float32",)),), {}


@draws("diff")
def diff(d):
    x = d.array(d.shape(1, 3, (3, 4)), NUMBERS)
    return (x,), {"n": d.size(0, 2), "axis": d.axis(x.ndim)}


@draws("cdist")
def cdist(d):
    return (d.array((3, 4), ("float32",)), d.array((2, 4), ("float32",))), {}


def square(d, batch=None):
    n = d.size(1, 4)
    shape = (*(d.shape(0, 1) if batch is None else batch), n, n)
    return d.uniform(shape, -1) + 3 * np.eye(n, dtype="float32")


def spread(d):
    x = square(d)
    return (x @ np.swapaxes(x, -1, -2)).astype("float32")


@draws("det inv slogdet eigh")
def of_square(d):
    x = square(d)
    return (x + np.swapaxes(x, -1, -2),), {}


@draws("eig lu_factor qr svd pinv matrix_rank")
def decomposition(d):
    return (square(d),), {}


@draws("qr")
def qr(d):
    return (d.array((*d.shape(0, 1), 4, 3), ("float32",)),), d.options(
        {"mode": ("reduced", "complete")}
    )


@draws("svd")
def svd(d):
    return (d.array((3, 2), ("float32",)),), {"compute_uv": False}


@draws("cholesky logdet")
def positive(d):
    return (spread(d),), {}


@draws("cholesky_inverse")
def one_factor(d):
    upper = d.chance()
    x = square(d, ())
    return (np.triu(x) if upper else np.tril(x),), {"upper": upper}


@draws("solve")
def solve(d):
    a = square(d, ())
    return (a, d.array((len(a), *d.choice((), (2,))), ("float32",))), {}


@draws("solve_triangular")
def solve_triangular(d):
    a = np.triu(square(d, ()))
    lower = d.chance()
    b = d.array((len(a), 2), ("float32",))
    return (a.T.copy() if lower else a, b), {"lower": lower}


@draws("lstsq")
def lstsq(d):
    return (square(d, ()), d.uniform((1,))), {}


@draws("lstsq")
def lstsq_tall(d):
    return (d.array((5, 3), ("float32",)), d.array((5, 2), ("float32",))), {}


# -- layers' arithmetic -------------------------------------------------------------


def spatial(d, rank, channels=3):
    """A batch of images of `rank` axes."""
    sizes = tuple(d.size(5, 7) for _ in range(rank))
    return d.array((2, *sizes, channels), ("float32", "float32", "bfloat16"))


def window_options(d, rank):
    return {
        "strides": d.choice(1, 2, (2, 1, 2)[:rank]),
        "padding": d.choice("valid", "same"),
    }


@draws("max_pool average_pool")
def pool(d):
    rank = d.size(1, 3)
    return (spatial(d, rank), d.choice(2, (2, 3, 2)[:rank])), window_options(d, rank)


@draws("conv")
def conv(d):
    rank = d.size(1, 2)
    x = spatial(d, rank)
    kernel = d.array(((2, 3)[:rank]) + (d.choice(3, 1), 6), (x.dtype.name,))
    options = window_options(d, rank)
    if options["strides"] == 1:
        options["dilation_rate"] = d.choice(1, 2)
    return (x, kernel), options


@draws("depthwise_conv")
def depthwise_conv(d):
    rank = d.size(1, 2)
    x = spatial(d, rank)
    kernel = d.array((2, 3)[:rank] + (3, 2), (x.dtype.name,))
    options = window_options(d, rank)
    options["strides"] = d.choice(1, 2)
    return (x, kernel), options


@draws("separable_conv")
def separable_conv(d):
    x = spatial(d, 2)
    kernel, point = (d.array(s, (x.dtype.name,)) for s in ((2, 3, 3, 2), (1, 1, 6, 4)))
    return (x, kernel, point), {**window_options(d, 2), "strides": d.choice(1, 2)}


@draws("conv_transpose")
def conv_transpose(d):
    rank = d.size(1, 2)
    x = spatial(d, rank)
    kernel = d.array((2, 3)[:rank] + (4, 3), (x.dtype.name,))
    return (x, kernel), window_options(d, rank)


@draws("batch_normalization")
def batch_normalization(d):
    x = d.array((4, 3), ("float32",))
    vectors = d.array((3,), ("float32",)), d.uniform((3,), 0.2)
    names = {"offset": (d.uniform((3,)),), "scale": (d.uniform((3,)),)}
    return (x, *vectors, -1), d.options({**names, "epsilon": (1e-3, 0.1)})


@draws("layer_normalization")
def layer_normalization(d):
    x = d.array((2, 4, 3), ("float32", "bfloat16"))
    names = {
        "gamma": (d.uniform((3,), dtype=x.dtype.name),),
        "beta": (d.uniform((3,), dtype=x.dtype.name),),
    }
    return (x,), d.options({**names, "epsilon": (1e-3,)})


@draws("rms_normalization")
def rms_normalization(d):
    x = d.array((2, 4, 3), ("float32", "bfloat16"))
    return (x,), d.options(
        {"scale": (d.uniform((3,), dtype=x.dtype.name),), "epsilon": (1e-3,)}
    )


@draws("glu")
def glu(d):
    return (d.array((2, 4, 6)),), {"axis": d.choice(-1, 1, 0)}


@draws("dot_product_attention")
def attention(d):
    query, key, value = (d.array((2, n, 4, 3), ("float32",)) for n in (5, 6, 6))
    mask = d.bools((2, 4, 5, 6), 0.8)
    mask[..., 0] = True
    options = {"mask": (mask,), "bias": (d.uniform((2, 4, 5, 6)),), "scale": (0.3,)}
    return (query, key, value), {**d.options(options), "is_causal": d.chance(0.3)}


@draws("binary_crossentropy")
def binary_crossentropy(d):
    shape = d.shape()
    return (d.uniform(shape), d.uniform(shape, 0.05, 0.95)), d.options(
        {"from_logits": (True, False)}
    )


@draws("categorical_crossentropy")
def categorical_crossentropy(d):
    shape = d.shape(1)
    options = {"from_logits": (True, False), "axis": (-1,)}
    return (d.uniform(shape), d.uniform(shape, 0.05, 0.95)), d.options(options)


@draws("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(d):
    shape = d.shape(1, 2)
    output = d.uniform((*shape, 4), 0.05, 0.95)
    return (d.ints(shape, 0, 4), output), d.options({"from_logits": (True, False)})


@draws("psnr")
def psnr(d):
    shape = d.shape()
    return (d.array(shape, ("float32",)), d.array(shape, ("float32",)), 2.0), {}


@draws("depth_to_space space_to_depth")
def blocks(d):
    return (d.array((1, 4, 6, 8)), 2), d.options({"data_format": ("channels_last",)})


@draws("unfold")
def unfold(d):
    options = {"dilation": (1, 2), "padding": (0, 1), "stride": (1, (2, 1))}
    return (d.array((1, 2, 6, 5)), d.choice(2, (2, 3))), d.options(options)


@draws("fold")
def fold(d):
    return (d.array((1, 12, 12), ("float32",)), (5, 4), (2, 3)), {
        "padding": 1,
        "stride": (2, 1),
    }


# -- Fourier ------------------------------------------------------------------------


def complex_pair(d, shape):
    return (d.array(shape, ("float32",)), d.array(shape, ("float32",)))


@draws("fft fft2 ifft2")
def fft(d):
    return (complex_pair(d, d.shape(2, 3, (3, 4, 5))),), {}


@draws("rfft")
def rfft(d):
    return (d.array((2, 6), ("float32",)), d.choice(None, 5, 8)), {}


@draws("irfft")
def irfft(d):
    return (complex_pair(d, (2, 4)), d.choice(None, 5, 8)), {}


@draws("stft")
def stft(d):
    options = {"window": ("hann", "hamming", None), "center": (True, False)}
    return (d.array((2, 20), ("float32",)), 6, 3, 8), d.options(options)


@draws("istft")
def istft(d):
    options = {"center": (True, False), "length": (None, 16)}
    return (complex_pair(d, (2, 9, 5)), 6, 3, 8), d.options(options)


@draws("extract_sequences")
def extract_sequences(d):
    return (d.array((2, 9), FLOATS), d.size(2, 4), d.size(1, 3)), {}


# -- control flow: functions among the arguments ------------------------------------


def _package_ops(x):
    """The functions below see arrays of either package: plain operators do."""
    return x * 2 + 1


@draws("map vectorized_map")
def map_(d):
    return (_package_ops, d.array(d.shape(1), ("float32", "int32"))), {}


@draws("vectorize")
def vectorize(d):
    return (_package_ops,), {}


@draws("scan")
def scan(d):
    def step(carry, x):
        return carry + x, carry * x

    return (
        step,
        d.array((3,), ("float32",)),
        d.array((4, 3), ("float32",)),
    ), d.options({"reverse": (True, False), "unroll": (1, 2)})


@draws("associative_scan")
def associative_scan(d):
    x = d.array(d.shape(1), ("float32",))
    return (lambda a, b: a + b, x), {
        "axis": d.size(0, x.ndim - 1),
        **d.options({"reverse": (True, False)}),
    }


@draws("fori_loop")
def fori_loop(d):
    return (
        0,
        d.size(0, 4),
        lambda i, x: x * 1.5 + i,
        d.array(d.shape(), ("float32",)),
    ), {}


@draws("while_loop")
def while_loop(d):
    x = d.array(d.shape(), ("float32",))
    loop = (lambda i, x: i < 4, lambda i, x: (i + 1, x * 1.5), (np.int32(0), x))
    return loop, d.options({"maximum_iterations": (None, 2)})


@draws("cond")
def cond(d):
    x = d.array(d.shape(), ("float32",))
    return (d.chance(), lambda: jnp.asarray(x) * 2, lambda: jnp.asarray(x) - 1), {}


@draws("switch")
def switch(d):
    x = d.array(d.shape(), ("float32",))
    return (
        np.int32(d.size(-1, 3)),
        [lambda x: x * 2, lambda x: x - 1, _package_ops],
        x,
    ), {}


@draws("jvp")
def jvp(d):
    x, tangent = (d.array((3,), ("float32",)) for _ in range(2))
    return (lambda x: x * x, (x,), (tangent,)), {}


@draws("custom_gradient")
def custom_gradient(d):
    return (_package_ops,), {}


@draws("isclose allclose")
def close(d):
    x = d.array(d.shape(), ("float32",))
    y = x + d.choice(0, 1e-9, 1e-3) * np.float32(math.pi)
    return (x, y.astype("float32")), d.options(
        {"rtol": (1e-5, 1e-2), "atol": (1e-8, 1e-2)}
    )
