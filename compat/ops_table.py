"""Calls of `keras.ops` that both packages must answer alike: (name, args, kwargs).

Arrays in `args` stand for inputs: they become KerasTensors when graphs are compared.
"""

import numpy as np

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def ints(high, *shape):
    return RNG.integers(0, high, size=shape).astype("int32")


X, Y = normal(3, 4), normal(3, 4)
SHARE = RNG.uniform(0.05, 0.95, size=(3, 4)).astype("float32")
ABOVE = 1 + np.abs(normal(3, 4))
CUBE = normal(2, 3, 4)
IMAGE = normal(2, 7, 6, 3)
SIGNAL = normal(2, 9, 4)
SQUARE = normal(3, 3) + 3 * np.eye(3, dtype="float32")
SPREAD = (SQUARE @ SQUARE.T).astype("float32")
BITS = ints(2, 3, 4).astype(bool)
COUNTS, OTHERS = ints(9, 3, 4), 1 + ints(9, 3, 4)
HOLES = np.where(BITS, X, np.nan).astype("float32")
PAIRS = normal(3, 2)

# Functions by the operands that they are called with.
BY_OPERANDS = {
    "X": """
        abs absolute angle arcsinh arctan cbrt ceil conj conjugate copy cos cosh
        deg2rad erf erfc exp exp2 expm1 fabs fliplr flipud floor imag isfinite
        isinf isnan isneginf isposinf isreal log_sigmoid logical_not negative
        rad2deg ravel real reciprocal relu relu6 selu sigmoid sign signbit silu
        swish sin sinc sinh softplus softsign sparse_plus sparse_sigmoid
        sparsemax square tan tanh tanh_shrink trunc hard_sigmoid hard_silu
        hard_swish hard_tanh i0 squareplus celu elu gelu glu hard_shrink
        soft_shrink leaky_relu log_softmax softmax stop_gradient nan_to_num all
        amax amin any argmax argmin argsort average count_nonzero cumprod cumsum
        diagflat diagonal diff flip logsumexp max mean median min normalize norm
        ones_like prod ptp sort std sum trace transpose tril triu unstack var
        zeros_like round empty_like view_as_real
    """,
    "SHARE": """
        arccos arcsin arctanh erfinv log log10 log1p log2 rsqrt sqrt
    """,
    "ABOVE": """
        arccosh
    """,
    "HOLES": """
        nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
        nanprod nanstd nansum nanvar nan_to_num
    """,
    "COUNTS": """
        bitwise_invert bitwise_not mean sum sqrt exp floor cumsum prod var
    """,
    "BITS": """
        sum cumsum mean all any
    """,
    "SQUARE": """
        det inv slogdet qr trace diag
    """,
    "SPREAD": """
        cholesky logdet
    """,
    "PAIRS": """
        view_as_complex
    """,
    "X Y": """
        add subtract multiply divide true_divide arctan2 equal fmax fmin greater
        greater_equal heaviside hypot less less_equal logaddexp logaddexp2
        logical_and logical_or logical_xor maximum minimum nextafter not_equal
        divide_no_nan append inner isclose kron outer vdot polar
    """,
    "X ABOVE": """
        fmod mod floor_divide
    """,
    "ABOVE X": """
        power
    """,
    "X COUNTS": """
        ldexp add multiply
    """,
    "COUNTS OTHERS": """
        bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift
        bitwise_xor gcd lcm left_shift right_shift add divide mod
    """,
    "SHARE SHARE": """
        binary_crossentropy categorical_crossentropy
    """,
    "SQUARE SQUARE": """
        dot matmul cross solve tensordot
    """,
    "SQUARE SPREAD": """
        solve lstsq
    """,
}
CALLS = [
    (name, tuple(globals()[key] for key in keys.split()), {})
    for keys, names in BY_OPERANDS.items()
    for name in names.split()
]
REDUCTIONS = "all amax any argmax argmin logsumexp max mean median min prod std sum var"
CALLS += [(n, (CUBE,), {"axis": 1, "keepdims": True}) for n in REDUCTIONS.split()]
CALLS += [
    (n, (CUBE,), {"axis": (0, -1)}) for n in "amin max mean std sum var all".split()
]

KERNEL, DEPTH = normal(3, 2, 3, 5), normal(3, 2, 3, 2)
GROUPED = normal(3, 3, 1, 6)
MEAN, VARIANCE, SCALE, OFFSET = normal(3), 1 + normal(3) ** 2, normal(3), normal(3)
HEADS = normal(2, 5, 4, 3)

CALLS += [
    ("add", (X, 2.5), {}),
    ("subtract", (1, X), {}),
    ("maximum", (X, 0), {}),
    ("power", (X, 2), {}),
    ("argmax", (CUBE,), {"axis": -1}),
    ("argpartition", (X, 2), {}),
    ("argsort", (CUBE,), {"axis": 0}),
    ("array_split", (X, 2), {"axis": 1}),
    ("average", (X,), {"axis": 0, "weights": Y}),
    ("average_pool", (IMAGE, (2, 2)), {"strides": (2, 2)}),
    ("average_pool", (IMAGE, (3, 2)), {"strides": (2, 1), "padding": "same"}),
    ("batch_normalization", (IMAGE, MEAN, VARIANCE, -1), {}),
    ("batch_normalization", (IMAGE, MEAN, VARIANCE, 3, OFFSET, SCALE, 0.1), {}),
    ("binary_crossentropy", (SHARE, X), {"from_logits": True}),
    ("broadcast_to", (X, (2, 3, 4)), {}),
    ("cast", (X, "int32"), {}),
    ("categorical_crossentropy", (SHARE, X), {"from_logits": True, "axis": 0}),
    ("cdist", (X, Y), {}),
    ("celu", (X,), {"alpha": 0.7}),
    ("cholesky_inverse", (SQUARE,), {}),
    ("clip", (X, -0.5, 0.5), {}),
    ("concatenate", ([X, Y],), {"axis": 1}),
    ("conv", (IMAGE, KERNEL), {}),
    ("conv", (IMAGE, KERNEL), {"strides": 2, "padding": "same"}),
    ("conv", (IMAGE, KERNEL), {"dilation_rate": 2}),
    ("conv", (IMAGE, GROUPED), {"padding": "same"}),
    ("conv", (SIGNAL, normal(3, 4, 2)), {"strides": 2}),
    ("conv_transpose", (IMAGE, normal(3, 2, 5, 3)), {"strides": 2}),
    ("conv_transpose", (IMAGE, normal(3, 2, 5, 3)), {"padding": "same", "strides": 3}),
    (
        "conv_transpose",
        (IMAGE, normal(3, 3, 5, 3)),
        {"padding": "same", "strides": 2, "output_padding": 1},
    ),
    (
        "conv_transpose",
        (IMAGE, normal(3, 3, 5, 3)),
        {"strides": 2, "output_padding": 1},
    ),
    ("correlate", (normal(7), normal(3)), {"mode": "same"}),
    ("corrcoef", (X,), {}),
    ("count_nonzero", (COUNTS,), {"axis": 1}),
    ("cross", (PAIRS, PAIRS[::-1].copy()), {}),
    ("cumsum", (CUBE,), {"axis": 1}),
    ("depthwise_conv", (IMAGE, DEPTH), {"padding": "same"}),
    ("diag", (X,), {"k": 1}),
    ("diagonal", (CUBE,), {"offset": 1, "axis1": 1, "axis2": 2}),
    ("diff", (X,), {"n": 2, "axis": 0}),
    ("digitize", (X, np.array([-1.0, 0.0, 1.0], "float32")), {}),
    ("divide_no_nan", (X, np.where(BITS, X, 0)), {}),
    ("dot_product_attention", (HEADS, HEADS, HEADS), {"scale": 0.3}),
    ("dot_product_attention", (HEADS, HEADS, HEADS), {"is_causal": True}),
    ("dstack", ([X, Y],), {}),
    ("einsum", ("ij,kj->ik", X, Y), {}),
    ("elu", (X,), {"alpha": 0.7}),
    ("depth_to_space", (normal(1, 2, 3, 8), 2), {}),
    ("depth_to_space", (normal(1, 8, 2, 3), 2), {"data_format": "channels_first"}),
    ("expand_dims", (X,), {"axis": 1}),
    ("expand_dims", (X,), {"axis": (0, 2)}),
    ("extract_sequences", (X, 3, 1), {}),
    ("fft", ((X, Y),), {}),
    ("fft2", ((X, Y),), {}),
    ("flip", (CUBE,), {"axis": 1}),
    ("fold", (normal(1, 12, 12), (5, 4), (2, 3)), {"padding": 1, "stride": (2, 1)}),
    ("full_like", (X, 3), {}),
    ("gelu", (X,), {"approximate": False}),
    ("get_item", (CUBE, (slice(None), 1, slice(0, 3, 2))), {}),
    ("get_item", (CUBE, (Ellipsis, None, 0)), {}),
    ("glu", (CUBE,), {"axis": 0}),
    ("hard_shrink", (X,), {"threshold": 0.2}),
    ("hstack", ([X, Y],), {}),
    ("ifft2", ((X, Y),), {}),
    ("in_top_k", (ints(4, 3), X), {"k": 2}),
    ("isin", (COUNTS, OTHERS), {}),
    ("irfft", ((X, Y),), {}),
    ("irfft", ((X, Y), 5), {}),
    ("istft", ((normal(2, 9, 5), normal(2, 9, 5)), 6, 3, 8), {}),
    ("istft", ((normal(2, 9, 5), normal(2, 9, 5)), 6, 3, 8), {"length": 20}),
    (
        "istft",
        ((normal(2, 9, 5), normal(2, 9, 5)), 6, 2, 8),
        {"window": None, "center": False},
    ),
    ("layer_normalization", (IMAGE, SCALE, OFFSET), {}),
    ("layer_normalization", (X,), {"axis": 0}),
    ("leaky_relu", (X,), {"negative_slope": 0.4}),
    ("linspace", (X, Y), {"num": 5}),
    ("log_softmax", (X,), {"axis": 0}),
    ("logspace", (X, Y), {"num": 5}),
    ("lu_factor", (SQUARE,), {}),
    ("matmul", (CUBE, normal(4, 5)), {}),
    ("matmul", (COUNTS, OTHERS.T.copy()), {}),
    ("max", (X,), {"axis": 1, "initial": 0.5}),
    ("max_pool", (IMAGE, (2, 2)), {"strides": (2, 2)}),
    ("max_pool", (IMAGE, (3, 2)), {"strides": (2, 1), "padding": "same"}),
    ("meshgrid", (normal(2), normal(3)), {}),
    ("moments", (IMAGE,), {"axes": (0, 1, 2)}),
    ("moments", (X,), {"axes": 1, "keepdims": True}),
    ("moveaxis", (CUBE, 0, -1), {}),
    ("multi_hot", (ints(5, 3, 2), 5), {}),
    ("norm", (X,), {"ord": 1, "axis": 1}),
    ("norm", (X,), {"axis": (0, 1), "keepdims": True}),
    ("normalize", (X,), {"axis": 0, "order": 1}),
    ("one_hot", (ints(4, 3), 4), {}),
    ("one_hot", (COUNTS, 4), {"axis": 0, "dtype": "int32"}),
    ("pad", (X, ((1, 0), (2, 1))), {}),
    ("pad", (X, 1), {"mode": "reflect"}),
    ("pinv", (X,), {}),
    ("psnr", (X, Y, 2.0), {}),
    ("quantile", (X, 0.3), {"axis": 1}),
    ("percentile", (X, 30.0), {"axis": 1}),
    ("repeat", (X, 2), {"axis": 1}),
    ("reshape", (CUBE, (4, -1)), {}),
    ("rfft", (X,), {}),
    ("rfft", (X, 7), {}),
    ("rms_normalization", (IMAGE, SCALE), {}),
    ("roll", (X, 2), {"axis": 1}),
    ("rot90", (X,), {}),
    ("round", (X,), {"decimals": 1}),
    ("saturate_cast", (300 * X, "uint8"), {}),
    ("scatter_update", (X, np.array([[0, 1], [2, 3]]), normal(2)), {}),
    ("searchsorted", (np.sort(normal(5)), normal(3)), {}),
    ("segment_sum", (X, np.array([0, 1, 1])), {"num_segments": 3}),
    ("segment_max", (X, np.array([0, 1, 1])), {"num_segments": 2}),
    ("select", ([BITS, X > 0], [X, Y]), {"default": 7.0}),
    ("separable_conv", (IMAGE, DEPTH, normal(1, 1, 6, 4)), {"strides": 2}),
    ("slice", (CUBE, (0, 1, 1), (2, 1, 2)), {}),
    ("slice_update", (CUBE, (0, 1, 1), normal(2, 1, 2)), {}),
    ("soft_shrink", (X,), {"threshold": 0.2}),
    ("softmax", (CUBE,), {"axis": (1, 2)}),
    ("solve_triangular", (np.triu(SQUARE), SPREAD), {}),
    ("space_to_depth", (IMAGE[:, :6], 2), {}),
    ("space_to_depth", (normal(1, 3, 4, 2), 2), {"data_format": "channels_first"}),
    ("sparse_categorical_crossentropy", (ints(4, 3), SHARE), {}),
    ("sparse_categorical_crossentropy", (ints(4, 3), X), {"from_logits": True}),
    ("sparsemax", (X,), {"axis": 0}),
    ("split", (X, 2), {"axis": 1}),
    ("split", (X, [1, 3]), {"axis": 1}),
    ("squareplus", (X,), {"b": 2}),
    ("squeeze", (normal(1, 3, 1),), {"axis": 0}),
    ("stack", ([X, Y],), {"axis": 1}),
    ("stft", (normal(2, 20), 6, 3, 8), {}),
    ("stft", (normal(20), 6, 3, 8), {"window": None, "center": False}),
    ("svd", (X,), {"compute_uv": False}),
    ("swapaxes", (CUBE, 0, 2), {}),
    ("take", (CUBE, np.array([1, 0, 1])), {"axis": 1}),
    ("take_along_axis", (X, ints(4, 3, 2)), {"axis": 1}),
    ("tensordot", (CUBE, X), {"axes": ((1, 2), (0, 1))}),
    ("threshold", (X, 0.1, 5.0), {}),
    ("tile", (X, (2, 1)), {}),
    ("top_k", (X, 2), {}),
    ("trace", (CUBE,), {"axis1": 1, "axis2": 2}),
    ("transpose", (CUBE,), {"axes": (2, 0, 1)}),
    ("trapezoid", (X,), {}),
    ("tril", (X,), {"k": 1}),
    ("unfold", (normal(1, 2, 5, 4), (2, 3)), {"padding": 1, "stride": (2, 1)}),
    ("unfold", (normal(1, 2, 5, 4), 2), {"dilation": 2}),
    ("unravel_index", (np.array([1, 5]), (2, 3)), {}),
    ("vander", (normal(3),), {"N": 4}),
    ("view", (X, "int32"), {}),
    ("vstack", ([X, Y],), {}),
    ("where", (BITS, X, Y), {}),
    ("where", (BITS, X, 0.0), {}),
]
