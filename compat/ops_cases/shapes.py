"""Calls that move, pick and make entries."""

import numpy as np

from compat.ops_cases.drawing import ANY, NUMBERS, draws


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
