"""A small stand-in for `tensorflow`, for scripts that use it beside Keras.

It has what short Keras scripts use of TensorFlow: tensors are JAX arrays, functions
are those of `minikeras.ops`. Tapes, sessions, `tf.data` and graphs are not here.
"""

import types as _types

import jax as _jax
import numpy as _np

__version__ = "2.16.0"

LACKING = (
    "TensorFlow is not installed, and this stand-in has only what short Keras scripts "
    "use. Use keras.ops or jax instead, or install TensorFlow."
)

_DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32
    float64 complex64 bfloat16"""

# Functions that minikeras.ops has under the same name.
_SAME = """abs add ceil clip concatenate convert_to_tensor cos cumsum divide einsum
    equal exp expand_dims eye floor greater greater_equal less less_equal log log1p
    logical_and logical_not logical_or matmul maximum minimum multiply not_equal one_hot
    ones ones_like power repeat reshape round sigmoid sign sin sqrt square squeeze stack
    subtract tan tanh tile transpose where zeros zeros_like"""

# Functions that it has under another.
_RENAMED = {
    "clip_by_value": "clip",
    "concat": "concatenate",
    "gather": "take",
    "identity": "copy",
    "negative": "negative",
    "norm": "norm",
    "pow": "power",
    "range": "arange",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_logsumexp": "logsumexp",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_std": "std",
    "reduce_sum": "sum",
    "reduce_variance": "var",
    "sort": "sort",
    "tensordot": "tensordot",
}
_NN = """elu gelu leaky_relu log_softmax relu relu6 selu sigmoid silu softmax softplus
    softsign tanh"""

Tensor = _jax.Array
newaxis = None


def constant(value, dtype=None, shape=None):
    """A tensor of the value, which is repeated or reshaped to fill `shape`."""
    array = _jax.numpy.asarray(value, dtype)
    if shape is None:
        return array
    return (
        _jax.numpy.broadcast_to(array, shape)
        if array.size == 1
        else (array.reshape(shape))
    )


def cast(x, dtype):
    """`x` in another dtype."""
    return _from_ops("cast")(x, _np.dtype(dtype).name)


def argmax(input, axis=0):
    """Index of the largest value; along the first axis by default."""
    return _from_ops("argmax")(input, axis=axis)


def argmin(input, axis=0):
    """Index of the smallest value; along the first axis by default."""
    return _from_ops("argmin")(input, axis=axis)


def shape(input):
    """The shape, as an integer tensor."""
    return _jax.numpy.asarray(_np.shape(input))


def function(func=None, **kwargs):
    """The function itself: `fit` compiles by itself, and JAX has `jax.jit`."""
    return func if func is not None else (lambda inner: inner)


def is_tensor(x):
    """Whether `x` is a JAX array."""
    return isinstance(x, _jax.Array)


def executing_eagerly():
    """True: functions run as they are called."""
    return True


def _set_seed(seed):
    """Seed weights and dropout; NumPy's generator is left alone, as in TensorFlow."""
    from minikeras.utils import set_random_seed

    state = _np.random.get_state()
    set_random_seed(seed)
    _np.random.set_state(state)


def _normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None):
    from minikeras import random

    return random.normal(shape, mean, stddev, _np.dtype(dtype).name, seed)


def _uniform(shape, minval=0.0, maxval=1.0, dtype="float32", seed=None):
    from minikeras import random

    return random.uniform(shape, minval, maxval, _np.dtype(dtype).name, seed)


def _list_devices(device_type=None):
    """JAX's devices of a kind, `"CPU"`, `"GPU"` or `"TPU"`."""
    return [
        _types.SimpleNamespace(
            name=f"/physical_device:{d.platform.upper()}:{d.id}",
            device_type=d.platform.upper(),
        )
        for d in _jax.devices()
        if device_type in (None, d.platform.upper())
    ]


class _Namespace:
    """Part of the stand-in, such as `tf.nn`: own functions, then those of ops."""

    def __init__(self, name, from_ops=(), **functions):
        self.__name__ = f"tensorflow.{name}"
        self.LACKING = LACKING
        self.__doc__ = f"Stand-in for `tensorflow.{name}`."
        self.__dict__.update(functions)
        self._from_ops = from_ops
        self.__all__ = sorted({*functions, *from_ops})

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._from_ops:
            raise AttributeError(name)
        return _from_ops(name)


def _from_ops(name):
    from minikeras import ops

    return getattr(ops, _RENAMED.get(name) or name)


_MATH = (*_SAME.split(), *_RENAMED)
NAMESPACES = {
    "config": _Namespace("config", list_physical_devices=_list_devices),
    "linalg": _Namespace("linalg", ("matmul", "norm", "einsum", "eye", "tensordot")),
    "math": _Namespace("math", _MATH, argmax=argmax, argmin=argmin),
    "nn": _Namespace("nn", _NN.split()),
    "random": _Namespace(
        "random", set_seed=_set_seed, normal=_normal, uniform=_uniform
    ),
}
_own = {n: v for n, v in dict(globals()).items() if callable(v) and n[0] != "_"}
__all__ = sorted({*_own, *_MATH, *_DTYPES.split(), "Variable"})


def __getattr__(name):
    if name in _DTYPES.split():
        return _jax.numpy.dtype(name)
    if name in _MATH:
        return _from_ops(name)
    if name == "Variable":
        from minikeras.core.variable import Variable

        return Variable
    raise AttributeError(name)
