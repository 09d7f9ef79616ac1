"""A small stand-in for `tensorflow`, for scripts that use it beside Keras.

It has what short Keras scripts use of TensorFlow: tensors are JAX arrays, text is in
arrays of NumPy, functions are those of `minikeras.ops`, `tf.data.Dataset` is
`minikeras.data.Dataset`. Tapes, sessions and graphs are not here.
"""

import types as _types

import jax as _jax
import numpy as _np

from minikeras import data as _data
from minikeras.core.dtypes import is_text as _is_text
from minikeras.data.dataset.iterator import as_data_array as _as_data_array
from minikeras.legacy.tensorflow_strings import FUNCTIONS as _STRING_FUNCTIONS

__version__ = "2.16.0"

LACKING = (
    "TensorFlow is not installed, and this stand-in has only what short Keras scripts "
    "use. Use keras.ops or jax instead, or install TensorFlow."
)

_DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32
    float64 complex64 bfloat16"""

# Functions that minikeras.ops has under the same name.
_SAME = """abs add ceil clip concatenate cos cumsum divide einsum
    equal exp eye floor greater greater_equal less less_equal log log1p
    logical_and logical_not logical_or matmul maximum minimum multiply not_equal one_hot
    ones ones_like power repeat round sigmoid sign sin sqrt square stack subtract
    tan tanh tile transpose where zeros zeros_like"""

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
string = "string"


def _as_text(value):
    """The value as an array of text, or None if it is none."""
    array = value if isinstance(value, _np.ndarray) else None
    if array is None and not hasattr(value, "dtype"):
        array = _np.asarray(value)
    if array is None or not _is_text(array):
        return None
    return _as_data_array(array.astype(object))


def constant(value, dtype=None, shape=None):
    """A tensor of the value, which is repeated or reshaped to fill `shape`."""
    array = _as_text(value)
    if array is None:
        array = _jax.numpy.asarray(value, dtype)
    if shape is None:
        return array
    if array.size == 1:
        return array.ravel()[_np.zeros(shape, int)]
    return array.reshape(shape)


convert_to_tensor = constant


def expand_dims(input, axis):
    """The tensor with an axis of size 1 more."""
    text = _as_text(input)
    if text is None:
        return _from_ops("expand_dims")(input, axis)
    return _np.expand_dims(text, axis)


def reshape(tensor, shape):
    """The tensor in another shape."""
    text = _as_text(tensor)
    return _from_ops("reshape")(tensor, shape) if text is None else text.reshape(shape)


def squeeze(input, axis=None):
    """The tensor without axes of size 1."""
    text = _as_text(input)
    return _from_ops("squeeze")(input, axis) if text is None else text.squeeze(axis)


class TensorSpec:
    """Shape and dtype of a tensor."""

    def __init__(self, shape, dtype="float32", name=None):
        self.shape, self.dtype, self.name = shape, dtype, name


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


class _Options:
    """`tf.data.Options`: takes any setting; they tune TensorFlow's own engine."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = _Options()
        return self.__dict__[name]


_EXPERIMENTAL = _types.SimpleNamespace(
    AUTOTUNE=_data.AUTOTUNE, cardinality=lambda dataset: dataset.cardinality()
)
NAMESPACES = {
    "data": _Namespace(
        "data",
        AUTOTUNE=_data.AUTOTUNE,
        Dataset=_data.Dataset,
        Options=_Options,
        experimental=_EXPERIMENTAL,
    ),
    "strings": _Namespace("strings", **_STRING_FUNCTIONS),
    "config": _Namespace("config", list_physical_devices=_list_devices),
    "linalg": _Namespace("linalg", ("matmul", "norm", "einsum", "eye", "tensordot")),
    "math": _Namespace("math", _MATH, argmax=argmax, argmin=argmin),
    "nn": _Namespace("nn", _NN.split()),
    "random": _Namespace(
        "random", set_seed=_set_seed, normal=_normal, uniform=_uniform
    ),
}
_own = {n: v for n, v in dict(globals()).items() if callable(v) and n[0] != "_"}
__all__ = sorted({*_own, *_MATH, *_DTYPES.split(), "Variable", "string"})


def __getattr__(name):
    if name in _DTYPES.split():
        return _jax.numpy.dtype(name)
    if name in _MATH:
        return _from_ops(name)
    if name == "Variable":
        from minikeras.core.variable import Variable

        return Variable
    raise AttributeError(name)
