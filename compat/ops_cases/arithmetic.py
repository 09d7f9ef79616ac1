"""Calls of products, layers' arithmetic, Fourier transforms and control flow."""

import jax.numpy as jnp
import numpy as np

from compat.ops_cases.drawing import FLOATS, NUMBERS, draws


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
