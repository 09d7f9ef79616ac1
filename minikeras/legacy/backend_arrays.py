"""`keras.backend` of Keras 2: arrays, their shapes, sums and elementwise functions.

Functions of one line are in a table; their names and arguments are those of Keras 2.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import sparse

from minikeras import ops, random, settings
from minikeras.core.bridge import current
from minikeras.core.dtypes import standardize_dtype
from minikeras.core.keras_tensor import KerasTensor, is_keras_tensor
from minikeras.core.scopes import name_scope
from minikeras.core.variable import Variable
from minikeras.legacy.recorded import recorded


class _Shape(tuple):
    """The sizes of a KerasTensor, some of them None, which a graph can count with."""

    tensor: KerasTensor


def _shape(x):
    """The sizes; functions of this module take those of a KerasTensor as a tensor."""
    sizes = ops.shape(x)
    if not (is_keras_tensor(x) and None in sizes):
        return sizes
    sizes = _Shape(sizes)
    sizes.tensor = x
    return sizes


@recorded
def _sizes(x):
    return jnp.array(x.shape, "int32")


def _tensor(x):
    """Anything as an array, but a KerasTensor as it is."""
    if isinstance(x, _Shape):
        return _sizes(x.tensor)
    return x if is_keras_tensor(x) else ops.convert_to_tensor(x)


def _numbers(x):
    """Booleans as floats."""
    x = _tensor(x)
    is_bool = standardize_dtype(x.dtype) == "bool"
    return ops.cast(x, settings.floatx()) if is_bool else x


def _mean(x, axis=None, keepdims=False):
    """Mean over axes; that of integers is an integer, as in TensorFlow."""
    x = _numbers(x)
    found, dtype = ops.mean(x, axis, keepdims), standardize_dtype(x.dtype)
    return ops.cast(found, dtype) if "int" in dtype else found


def _clip(x, min_value, max_value):
    """Entries in [min_value, max_value]; None is no bound."""
    low = -math.inf if min_value is None else min_value
    high = math.inf if max_value is None else max_value
    return ops.clip(x, low, ops.maximum(low, high))


def _relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """min(x, max_value) from the threshold on, alpha (x - threshold) below."""
    x = _tensor(x)
    found = ops.where(x >= threshold, x, alpha * (x - threshold))
    return found if max_value is None else ops.minimum(found, max_value)


def _l2_normalize(x, axis=None):
    """x / sqrt(max(sum(x^2), 1e-12)) along an axis."""
    squares = ops.sum(ops.square(x), axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, 1e-12))


def _stop_gradient(variables):
    """The values, which count as constants for gradients; a list stays a list."""
    if isinstance(variables, (list, tuple)):
        return [ops.stop_gradient(x) for x in variables]
    return ops.stop_gradient(variables)


def _dot(x, y):
    """Products over the last axis of x and the last but one of y, as numpy.dot."""
    x, y = _tensor(x), _tensor(y)
    if x.ndim < 1 or y.ndim < 1:
        return x * y
    return ops.tensordot(x, y, axes=[[-1], [y.ndim - 2 if y.ndim > 1 else 0]])


def _batch_dot(x, y, axes=None):
    """For each sample, products over one axis of x and one of y.

    Args:
        x, y: (batch, …) arrays or KerasTensors.
        axes: the two axes, or one for both; None takes the last of x, and of y the last
            but one, or the last if it has two.
    """
    x, y = _tensor(x), _tensor(y)
    if axes is None:
        axes = (x.ndim - 1, y.ndim - (1 if y.ndim == 2 else 2))
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    if x.ndim < 2 or y.ndim < 2 or of_x % x.ndim == 0 or of_y % y.ndim == 0:
        raise ValueError(
            "K.batch_dot: expected two axes or more, the first of which is the batch "
            f"and not in `axes`, got the shapes {tuple(x.shape)} and {tuple(y.shape)} "
            f"and axes={axes!r}. Use K.dot, or K.expand_dims first."
        )
    left, right = ["b", *"ijklm"[: x.ndim - 1]], ["b", *"pqrst"[: y.ndim - 1]]
    shared = right[of_y] = left[of_x]
    kept = [c for c in (*left, *right[1:]) if c != shared]
    found = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", x, y)
    return ops.expand_dims(found, 1) if len(kept) == 1 else found


def _batch_flatten(x):
    """The entries of each sample in one axis."""
    sizes = tuple(x.shape)[1:]
    if None in sizes:
        return ops.reshape(x, (ops.shape(x)[0] or -1, -1))
    return ops.reshape(x, (-1, math.prod(sizes)))


def _slice(x, start, size):
    """A block of the array, from `start`, of `size`; -1 is all of an axis."""
    ends = [None if n == -1 else s + n for s, n in zip(start, size, strict=True)]
    return _tensor(x)[tuple(jnp.s_[a:b] for a, b in zip(start, ends, strict=True))]


def _cast_to_floatx(x):
    """The array, or what NumPy makes one of, in the default float dtype."""
    if isinstance(x, (jax.Array, KerasTensor, Variable)):
        return ops.cast(x, settings.floatx())
    return np.asarray(x, dtype=settings.floatx())


def _constant(value, dtype=None, shape=None, name=None):
    """An array of the value, in the default float dtype; it may fill a shape."""
    array = ops.convert_to_tensor(value, dtype or settings.floatx())
    if shape is None:
        return array
    fills = ops.size(array) == 1
    return ops.full(shape, array.ravel()[0]) if fills else ops.reshape(array, shape)


def _variable(value, dtype=None, name=None, constraint=None):
    """A Variable of the value, in the default float dtype."""
    made = Variable(value, dtype=dtype or settings.floatx(), name=name)
    made.constraint = constraint
    return made


def _kept(make, dtype, name):
    """A Variable of an array, or the array itself in the call of a layer."""
    dtype, frame = dtype or settings.floatx(), current()
    inside = frame.path or frame.bindings is not None
    return make(dtype) if inside else Variable(make(dtype), dtype=dtype, name=name)


def _eye(size, dtype=None, name=None):
    """A Variable with ones on the diagonal; `size` is one number or two."""
    sizes = size if isinstance(size, (list, tuple)) else (size,)
    return _kept(lambda dtype: ops.eye(*sizes, dtype=dtype), dtype, name)


def _arange(start, stop=None, step=1, dtype="int32"):
    """Numbers from `start`, or 0, up to `stop`; of a negative size none."""
    start = 0 if stop is None and start < 0 else start
    found = ops.arange(start, stop, step)
    return found if dtype == "int32" else ops.cast(found, dtype)  # floats stay floats


def _random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """Ones with the probability p, else zeros."""
    drawn = random.uniform(tuple(shape), seed=seed)
    return ops.cast(drawn <= p, dtype or settings.floatx())


@recorded
def _dropout(x, level, noise_shape=None, seed=None):
    """Entries set to 0 with the probability `level`, others scaled up."""
    return random.dropout(x, level, noise_shape, seed)


def _is_sparse(tensor):
    """Is it a sparse array or KerasTensor?"""
    known = getattr(tensor, "sparse", False) if is_keras_tensor(tensor) else False
    return known or isinstance(tensor, sparse.JAXSparse)


def _to_dense(tensor):
    """The array, not sparse any more."""
    if is_keras_tensor(tensor) or not _is_sparse(tensor):
        return tensor
    return ops.convert_to_tensor(tensor, sparse=False)


def _unary(name):
    return lambda x: getattr(ops, name)(x)


def _pairwise(name):
    return lambda x, y: getattr(ops, name)(x, y)


def _over_axes(name, prepare=lambda x: x):
    return lambda x, axis=None, keepdims=False: getattr(ops, name)(
        prepare(x), axis, keepdims
    )


def _as_bool(x):
    return ops.cast(x, "bool")


def _drawn(distribution):
    """A function that draws an array, and one that draws a Variable."""

    def variable(shape, mean, scale, dtype=None, name=None, seed=None):
        drawn = distribution(tuple(shape), mean, scale, dtype, seed)
        return Variable(drawn, dtype=dtype, name=name)

    def array(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        return distribution(tuple(shape), mean, stddev, dtype, seed)

    return array, variable


_normal, _normal_variable = _drawn(random.normal)
_, _uniform_variable = _drawn(random.uniform)
_truncated, _ = _drawn(random.truncated_normal)
_UNARY = "abs cos exp log round sigmoid sign sin softplus softsign square tanh"
_PAIRS = "equal greater greater_equal less less_equal maximum minimum not_equal"

FUNCTIONS = {
    **{name: _unary(name) for name in _UNARY.split()},
    **{name: _pairwise(name) for name in _PAIRS.split()},
    **{name: _over_axes(name) for name in "logsumexp max min prod sum".split()},
    **{name: _over_axes(name, _numbers) for name in ("std", "var")},
    **{name: _over_axes(name, _as_bool) for name in ("all", "any")},
    "arange": _arange,
    "argmax": lambda x, axis=-1: ops.argmax(x, axis),
    "argmin": lambda x, axis=-1: ops.argmin(x, axis),
    "batch_dot": _batch_dot,
    "batch_flatten": _batch_flatten,
    "cast": lambda x, dtype: ops.cast(_tensor(x), dtype),
    "cast_to_floatx": _cast_to_floatx,
    "clip": _clip,
    "concatenate": lambda tensors, axis=-1: ops.concatenate(tensors, axis),
    "constant": _constant,
    "count_params": lambda x: math.prod(x.shape),
    "cumprod": lambda x, axis=0: ops.cumprod(x, axis),
    "cumsum": lambda x, axis=0: ops.cumsum(x, axis),
    "dot": _dot,
    "dropout": _dropout,
    "dtype": lambda x: standardize_dtype(x.dtype),
    "elu": lambda x, alpha=1.0: ops.elu(x, alpha),
    "expand_dims": lambda x, axis=-1: ops.expand_dims(x, axis),
    "eye": _eye,
    "flatten": lambda x: ops.reshape(x, (-1,)),
    "gather": lambda reference, indices: ops.take(
        reference, ops.cast(indices, "int32"), axis=0
    ),
    "hard_sigmoid": lambda x: ops.clip(0.2 * _tensor(x) + 0.5, 0.0, 1.0),
    "identity": lambda x, name=None: ops.copy(x),
    "in_top_k": lambda predictions, targets, k: ops.in_top_k(targets, predictions, k),
    "int_shape": lambda x: tuple(ops.shape(x)),
    "is_sparse": _is_sparse,
    "l2_normalize": _l2_normalize,
    "mean": _mean,
    "name_scope": name_scope,
    "ndim": lambda x: len(x.shape),
    "one_hot": lambda indices, num_classes: ops.one_hot(indices, num_classes),
    "ones": lambda shape, dtype=None, name=None: _kept(
        lambda dtype: ops.ones(shape, dtype), dtype, name
    ),
    "ones_like": lambda x, dtype=None, name=None: ops.ones_like(x, dtype=dtype),
    "permute_dimensions": lambda x, pattern: ops.transpose(x, pattern),
    "pow": lambda x, a: ops.power(x, a),
    "random_bernoulli": _random_bernoulli,
    "random_binomial": _random_bernoulli,
    "random_normal": _normal,
    "random_normal_variable": _normal_variable,
    "random_uniform": lambda shape, minval=0.0, maxval=1.0, dtype=None, seed=None: (
        random.uniform(tuple(shape), minval, maxval, dtype, seed)
    ),
    "random_uniform_variable": lambda shape, low, high, dtype=None, name=None, seed=None: (  # noqa: E501
        _uniform_variable(shape, low, high, dtype, name, seed)
    ),
    "relu": _relu,
    "repeat": lambda x, n: ops.repeat(ops.expand_dims(x, 1), n, axis=1),
    "repeat_elements": lambda x, rep, axis: ops.repeat(x, rep, axis),
    "reshape": lambda x, shape: ops.reshape(x, tuple(shape)),
    "reverse": lambda x, axes: ops.flip(x, axes),
    "shape": _shape,
    "slice": _slice,
    "softmax": lambda x, axis=-1: ops.softmax(x, axis),
    "sqrt": lambda x: ops.sqrt(ops.maximum(x, 0.0)),
    "squeeze": lambda x, axis: ops.squeeze(x, axis),
    "stack": lambda x, axis=0: ops.stack(x, axis),
    "stop_gradient": _stop_gradient,
    "tile": lambda x, n: ops.tile(x, [n] if isinstance(n, int) else n),
    "to_dense": _to_dense,
    "transpose": lambda x: ops.transpose(x),
    "truncated_normal": _truncated,
    "variable": _variable,
    "zeros": lambda shape, dtype=None, name=None: _kept(
        lambda dtype: ops.zeros(shape, dtype), dtype, name
    ),
    "zeros_like": lambda x, dtype=None, name=None: ops.zeros_like(x, dtype=dtype),
}
