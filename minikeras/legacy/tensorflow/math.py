"""`tf.math` and `tf.linalg`, under TensorFlow's argument names."""

import collections

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import jax.scipy.special as special
import numpy as np

from minikeras.core.dtypes import is_text
from minikeras.legacy.tensorflow.dispatch import array, number, sizes, table
from minikeras.legacy.tensorflow.types import jax_dtype

_TopK = collections.namedtuple("TopKV2", "values indices")


def axes(axis):
    """An axis, or axes, as JAX takes them."""
    if axis is None or isinstance(axis, int):
        return axis
    return sizes(axis) if np.size(axis) else ()


def _reduce(function):
    return lambda input_tensor, axis=None, keepdims=False: function(
        input_tensor, axis=axes(axis), keepdims=keepdims
    )


def _total(function):
    """Sums and products keep the dtype, as in TensorFlow."""
    return lambda x, axis, keepdims: function(x, axis, keepdims=keepdims, dtype=x.dtype)


def _mean(x, axis, keepdims):
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.mean(x, axis, keepdims=keepdims)
    total = jnp.sum(x, axis, keepdims=keepdims, dtype=x.dtype)
    count = jnp.asarray(x.size // max(total.size, 1), x.dtype)
    return jax.lax.div(total, jnp.broadcast_to(count, total.shape))


def _norm2(x, axis, keepdims):
    norm = jnp.sqrt(jnp.sum(jnp.abs(x) ** 2, axis, keepdims=keepdims))
    return norm.astype(x.dtype) if jnp.issubdtype(x.dtype, jnp.integer) else norm


def _no_nan(function):
    """0 where `y` is 0; the inner `where` keeps its gradient finite."""
    return lambda x, y: jnp.where(
        jnp.equal(y, 0), 0, function(x, jnp.where(jnp.equal(y, 0), 1, y))
    )


def _arg(function):
    """The place of the extreme entry: NaN is none, as in TensorFlow."""
    least = -jnp.inf if function is jnp.argmax else jnp.inf

    def find(input, axis=None, output_type="int64"):
        if jnp.issubdtype(input.dtype, jnp.floating):
            input = jnp.where(jnp.isnan(input), least, input)
        return function(input, number(axis) or 0).astype(jax_dtype(output_type))

    return find


def _cumulative(function, start):
    def cumulate(x, axis=0, exclusive=False, reverse=False):
        axis = number(axis) % x.ndim
        x = jnp.flip(x, axis) if reverse else x
        found = function(x, axis)
        if exclusive:
            pads = [(int(d == axis), 0) for d in range(x.ndim)]
            found = jnp.pad(found, pads, constant_values=start)
            found = jax.lax.slice_in_dim(found, 0, x.shape[axis], axis=axis)
        return jnp.flip(found, axis) if reverse else found

    return cumulate


def _segments(method, unsorted=False, mean=False):
    """A reduction of rows with equal ids; 0 (of products 1) where there are none."""

    def reduce(data, segment_ids, num_segments=None):
        size = number(segment_ids[-1] + 1 if num_segments is None else num_segments)
        ids = jnp.where(segment_ids < 0, size, segment_ids)
        found = getattr(jax.ops, f"segment_{method}")(data, ids, size)
        if mean or method in ("max", "min"):
            count = jax.ops.segment_sum(jnp.ones(ids.shape, data.dtype), ids, size)
            count = count.reshape(-1, *[1] * (found.ndim - 1))
            if mean:
                is_int = found.dtype.kind in "iu" and not unsorted
                divide = jax.lax.div if is_int else jnp.true_divide
                least = jnp.maximum(count, 1)
                found = divide(found, jnp.broadcast_to(least, found.shape))
            found = jnp.where(count > 0, found, jnp.zeros((), found.dtype))
        return found

    if unsorted:
        return lambda data, segment_ids, num_segments: reduce(
            data, segment_ids, num_segments
        )
    return lambda data, segment_ids: reduce(data, segment_ids)


def _confusion(labels, predictions, num_classes=None, weights=None, dtype="int32"):
    most = lambda x: number(x.max())  # noqa: E731
    size = number(num_classes) or max(most(labels), most(predictions)) + 1
    counts = jnp.zeros((size, size), jax_dtype(dtype))
    return counts.at[labels, predictions].add(1 if weights is None else array(weights))


def _clip_by_norm(t, clip_norm, axes_=None):
    total = jnp.sum(t * t, axes(axes_), keepdims=True)
    # The root of 0 has no finite gradient.
    norm = jnp.where(total > 0, jnp.sqrt(jnp.where(total > 0, total, 1)), total)
    return t * clip_norm / jnp.maximum(norm, clip_norm)


def _global_norm(t_list):
    parts = [jnp.sum(jnp.square(array(t))) for t in t_list if t is not None]
    return jnp.sqrt(sum(parts))


def _clip_by_global_norm(t_list, clip_norm, use_norm=None):
    norm = _global_norm(t_list) if use_norm is None else array(use_norm)
    scale = clip_norm * jnp.minimum(1.0 / norm, 1.0 / clip_norm)
    scale = jnp.where(jnp.isfinite(norm), scale, jnp.nan)  # so that it is seen
    return [None if t is None else array(t) * scale for t in t_list], norm


def _sorted(function):
    return lambda values, axis=-1, direction="ASCENDING", stable=False: function(
        array(values), axis=axis, descending=_is_descending(direction)
    )


def _is_descending(direction):
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(
            'tf.sort: expected direction "ASCENDING" or "DESCENDING", '
            f"got {direction!r}."
        )
    return direction == "DESCENDING"


def _searchsorted(sorted_sequence, values, side="left", out_type="int32"):
    search = lambda s, v: jnp.searchsorted(s, v, side=side)  # noqa: E731
    for _ in range(sorted_sequence.ndim - 1):
        search = jax.vmap(search)
    return search(sorted_sequence, array(values)).astype(jax_dtype(out_type))


def _same(module, names, function):
    return {n: function(getattr(module, n)) for n in names.split()}


def _unary(function):
    return lambda x: function(x)


def _binary(function):
    return lambda x, y: function(x, y)


def _text_too(function, same):
    """Comparison of text by NumPy, of numbers by JAX."""
    return lambda x, y: (
        jnp.asarray((np.asarray(x) == np.asarray(y)) == same)
        if (is_text(x) or is_text(y))
        else function(x, y)
    )


# {TensorFlow's name: function of x}, and of (x, y)
_UNARY = {
    "acos": jnp.arccos, "acosh": jnp.arccosh, "asin": jnp.arcsin, "asinh": jnp.arcsinh,
    "atan": jnp.arctan, "atanh": jnp.arctanh, "is_finite": jnp.isfinite,
    "is_inf": jnp.isinf, "is_nan": jnp.isnan, "lgamma": special.gammaln,
    "log": jnp.log, "log_sigmoid": jax.nn.log_sigmoid, "round": jnp.round,
    "rsqrt": jax.lax.rsqrt, "sigmoid": jax.nn.sigmoid, "bessel_i0": special.i0,
}  # fmt: skip
_BINARY = {
    "divide": jnp.true_divide, "truediv": jnp.true_divide, "mod": jnp.mod,
    "floordiv": jnp.floor_divide, "floormod": jnp.mod, "pow": jnp.power,
    "squared_difference": lambda x, y: jnp.square(jnp.subtract(x, y)),
    "xlogy": special.xlogy, "igamma": special.gammainc, "zeta": special.zeta,
}  # fmt: skip
_REDUCE = {
    "reduce_mean": _mean,
    "reduce_sum": _total(jnp.sum), "reduce_prod": _total(jnp.prod),
    "reduce_logsumexp": special.logsumexp, "reduce_euclidean_norm": _norm2,
    "reduce_std": jnp.std, "reduce_variance": jnp.var, "reduce_all": jnp.all,
    "reduce_any": jnp.any, "reduce_max": jnp.max, "reduce_min": jnp.min,
}  # fmt: skip
# fmt: off
FUNCTIONS = table("math.", {
    **{name: _reduce(function) for name, function in _REDUCE.items()},
    **{name: _unary(function) for name, function in _UNARY.items()},
    **{name: _binary(function) for name, function in _BINARY.items()},
    **_same(jnp, """abs ceil conj cos cosh exp expm1 floor log1p negative reciprocal
        rint sign sin sinh sqrt square tan tanh logical_not""", _unary),
    **_same(special, "digamma erf erfc erfinv ndtri", _unary),
    "equal": _text_too(jnp.equal, True), "not_equal": _text_too(jnp.not_equal, False),
    **_same(jnp, """add greater greater_equal less less_equal logical_and
        logical_or logical_xor maximum minimum multiply subtract""", _binary),
    "add_n": lambda inputs: sum(map(array, inputs[1:]), array(inputs[0])),
    "angle": lambda input: jnp.angle(input),
    "argmax": _arg(jnp.argmax),
    "argmin": _arg(jnp.argmin),
    "argsort": _sorted(jnp.argsort),
    "atan2": lambda y, x: jnp.arctan2(y, x),
    "bincount": lambda arr, weights=None, minlength=None: jnp.bincount(
        jnp.ravel(array(arr)), array(weights), minlength=minlength or 0),
    "clip_by_global_norm": _clip_by_global_norm,
    "clip_by_norm": lambda t, clip_norm, axes=None: _clip_by_norm(t, clip_norm, axes),
    "clip_by_value": lambda t, clip_value_min, clip_value_max: jnp.clip(
        t, array(clip_value_min), array(clip_value_max)).astype(t.dtype),
    "complex": lambda real, imag: jax.lax.complex(real, imag),
    "confusion_matrix": _confusion,
    "count_nonzero": lambda input, axis=None, keepdims=None, dtype="int64": (
        jnp.count_nonzero(input, axes(axis), keepdims=bool(keepdims))),
    "cumprod": _cumulative(jnp.cumprod, 1),
    "cumsum": _cumulative(jnp.cumsum, 0),
    "divide_no_nan": _no_nan(jnp.true_divide),
    "imag": lambda input: jnp.imag(input),
    "invert_permutation": lambda x: jnp.argsort(x).astype(x.dtype),
    "l2_normalize": lambda x, axis=None, epsilon=1e-12: x * jax.lax.rsqrt(
        jnp.maximum(jnp.sum(jnp.square(x), axes(axis), keepdims=True), epsilon)),
    "log_softmax": lambda logits, axis=-1: jax.nn.log_softmax(logits, axis),
    "multiply_no_nan": _no_nan(jnp.multiply),
    "real": lambda input: jnp.real(input),
    "scalar_mul": lambda scalar, x: jnp.multiply(scalar, x),
    "searchsorted": _searchsorted,
    "segment_max": _segments("max"),
    "segment_mean": _segments("sum", mean=True),
    "segment_min": _segments("min"),
    "segment_prod": _segments("prod"),
    "segment_sum": _segments("sum"),
    "softmax": lambda logits, axis=-1: jax.nn.softmax(logits, axis),
    "softplus": lambda features: jax.nn.softplus(features),
    "softsign": lambda features: jax.nn.soft_sign(features),
    "sort": _sorted(jnp.sort),
    "top_k": lambda input, k=1, sorted=True, index_type="int32": _TopK(
        *jax.lax.top_k(input, number(k))),
    "unsorted_segment_mean": _segments("sum", unsorted=True, mean=True),
    "unsorted_segment_sum": _segments("sum", unsorted=True),
    "zero_fraction": lambda value: jnp.mean(value == 0, dtype="float32"),
}, keep_sizes="""reduce_max reduce_min reduce_prod reduce_sum add subtract multiply
    maximum minimum floordiv floormod mod divide truediv equal not_equal less greater
    less_equal greater_equal cumsum negative logical_and logical_or ceil floor""")
# fmt: on


def _t(x):
    return x.swapaxes(-1, -2)


def _matmul(
    a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False
):
    a = _t(a) if transpose_a else _t(a).conj() if adjoint_a else a
    b = _t(b) if transpose_b else _t(b).conj() if adjoint_b else b
    return jnp.matmul(a, b)


def _norm(tensor, ord="euclidean", axis=None, keepdims=False):
    axis = axes(axis)
    if ord in ("euclidean", "fro") or (ord == 2 and not isinstance(axis, tuple)):
        return _norm2(tensor, axis, keepdims)
    flat = tensor.ravel() if axis is None else tensor
    return jnp.linalg.norm(flat, ord, axis, keepdims)


def _diag(diagonal, k=0):
    diagonal, k = array(diagonal), number(k)
    index, size = jnp.arange(diagonal.shape[-1]), diagonal.shape[-1] + abs(k)
    zeros = jnp.zeros((*diagonal.shape[:-1], size, size), diagonal.dtype)
    return zeros.at[..., index + max(-k, 0), index + max(k, 0)].set(diagonal)


def _band_part(input, num_lower, num_upper):
    rows, columns = (jnp.arange(size) for size in input.shape[-2:])
    below, lower, upper = rows[:, None] - columns, number(num_lower), number(num_upper)
    kept = ((lower < 0) | (below <= lower)) & ((upper < 0) | (-below <= upper))
    return jnp.where(kept, input, jnp.zeros((), input.dtype))


def _svd(tensor, full_matrices=False, compute_uv=True):
    if not compute_uv:
        return jnp.linalg.svd(tensor, compute_uv=False)
    u, s, vh = jnp.linalg.svd(tensor, full_matrices=full_matrices)
    return s, u, _t(vh).conj()  # in TensorFlow's order


def _einsum(equation, *inputs, **kwargs):
    del kwargs
    return jnp.einsum(equation, *map(array, inputs))


def _normalize(tensor, ord="euclidean", axis=None):
    norm = _norm(tensor, ord, axis, True)
    norm = norm.reshape([1] * tensor.ndim) if axis is None else norm
    return tensor / norm, norm


def _lstsq(matrix, rhs, l2_regularizer=0.0, fast=True):
    """The solution of least squares; of many, the one with the smallest norm."""
    del fast
    u, s, vh = jnp.linalg.svd(matrix, full_matrices=False)
    least = s[..., :1] * jnp.finfo(s.dtype).eps * max(matrix.shape[-2:])
    kept = s > least
    weight = jnp.where(kept, s, 0) / jnp.where(kept, s * s + array(l2_regularizer), 1)
    return _t(vh).conj() @ (weight[..., None] * (_t(u).conj() @ rhs))


# fmt: off
LINALG = table("linalg.", {
    "adjoint": lambda matrix: _t(matrix).conj(),
    "band_part": _band_part,
    "cholesky": lambda input: jnp.linalg.cholesky(input, symmetrize_input=False),
    "cross": lambda a, b: jnp.cross(a, b),
    "det": lambda input: jnp.linalg.det(input),
    "diag": _diag,
    "diag_part": lambda input, k=0: jnp.diagonal(input, number(k), -2, -1),
    "eigh": lambda tensor: tuple(jnp.linalg.eigh(tensor, symmetrize_input=False)),
    "eigvalsh": lambda tensor: jnp.linalg.eigvalsh(tensor, symmetrize_input=False),
    "einsum": _einsum,
    "expm": lambda input: jsl.expm(input),
    "global_norm": _global_norm,
    "inv": lambda input, adjoint=False: jnp.linalg.inv(
        _t(input).conj() if adjoint else input),
    "logdet": lambda matrix: jnp.linalg.slogdet(matrix)[1],
    "lstsq": _lstsq,
    "matmul": _matmul,
    "matrix_transpose": lambda a: _t(a),
    "matvec": lambda a, b: jnp.einsum("...ij,...j->...i", a, b),
    "norm": _norm,
    "normalize": _normalize,
    "pinv": lambda a, rcond=None: jnp.linalg.pinv(a, rtol=rcond),
    "qr": lambda input, full_matrices=False: tuple(
        jnp.linalg.qr(input, "complete" if full_matrices else "reduced")),
    "slogdet": lambda input: tuple(jnp.linalg.slogdet(input)),
    "solve": lambda matrix, rhs, adjoint=False: jnp.linalg.solve(
        _t(matrix).conj() if adjoint else matrix, rhs),
    "svd": _svd,
    "tensordot": lambda a, b, axes: jnp.tensordot(a, b, axes),
    "trace": lambda x: jnp.trace(x, axis1=-2, axis2=-1),
    "triangular_solve": lambda matrix, rhs, lower=True, adjoint=False: (
        jsl.solve_triangular(matrix, rhs, trans=2 * adjoint, lower=lower)),
})
# fmt: on
