"""A stand-in for `tensorflow`, for scripts that use it where it is not installed.

Tensors are JAX arrays, text is in arrays of NumPy, `tf.data.Dataset` is our `Dataset`,
`tf.keras` is minikeras. Functions have TensorFlow's argument names and results; where
TensorFlow has 64 bits by default, these have 32 unless JAX is set to 64.
"""

import difflib
import importlib

from minikeras import data as _data
from minikeras.legacy.tensorflow import (
    arrays,
    compat,
    control,
    image,
    io,
    math,
    nn,
    objects,
    random,
    strings,
    types,
)
from minikeras.training.gradient_tape import GradientTape

__version__ = "2.16.0"

# What is not here, and what to use: for names that programs ask for most.
_INSTEAD = {
    "Graph": "Functions run as they are called; keras.Model has a graph.",
    "RaggedTensor": "Pad to one length: keras.utils.pad_sequences.",
    "audio": "Use keras.utils.audio_dataset_from_directory.",
    "bitwise": "Use keras.ops.bitwise_and and its neighbours.",
    "contrib": "TensorFlow 2 has none of it; look in keras.layers.",
    "data.TFRecordDataset": "Use tf.data.Dataset.from_generator, or Grain.",
    "data.TextLineDataset": "Use tf.data.Dataset.from_tensor_slices of the lines.",
    "estimator": "Use keras.Model.",
    "feature_column": "Use keras.utils.FeatureSpace.",
    "get_variable": "Use tf.Variable, or Layer.add_weight.",
    "gradients": "Use tf.GradientTape, or jax.grad.",
    "io.TFRecordWriter": "Use numpy.savez, or Grain's array records.",
    "io.parse_single_example": "Read with numpy.load, or Grain.",
    "layers": "Use keras.layers.",
    "lite": "Use model.export.",
    "lookup": "Use keras.layers.StringLookup or IntegerLookup.",
    "placeholder": "Use keras.Input, or write a function of its inputs.",
    "profiler": "Use jax.profiler, or keras.callbacks.TensorBoard.",
    "ragged": "Pad to one length: keras.utils.pad_sequences.",
    "raw_ops": "Use keras.ops or jax.lax.",
    "saved_model": "Use model.save and keras.models.load_model, or model.export.",
    "signal": "Use keras.ops.fft, rfft, stft, or jax.numpy.fft.",
    "sparse": "Use dense tensors, or jax.experimental.sparse.BCOO.",
    "SparseTensor": "Use dense tensors, or jax.experimental.sparse.BCOO.",
    "summary": "Use keras.callbacks.TensorBoard, and its attribute `summary`.",
    "tpu": "JAX finds TPUs itself: see tf.config.list_physical_devices.",
}


def remedy(namespace: str, name: str) -> str:
    """What to use for a name that the stand-in lacks.

    Args:
        namespace: what comes between `tf.` and the name, "" for the top.
        name: the name.
    """
    full = f"{namespace}.{name}" if namespace else name
    start = "TensorFlow is not installed, and this stand-in lacks "
    advice = _INSTEAD.get(full) or _INSTEAD.get(full.partition(".")[0])
    if advice is None:
        from minikeras import ops

        own = {f"tf.{key}": key.rpartition(".")[2] for key in _all_names()}
        own |= {f"keras.ops.{key}": key for key in ops.__all__}
        near = difflib.get_close_matches(name, set(own.values()), 3, 0.75)
        found = [full for full, last in own.items() if last in near][:4]
        advice = f"Nearest: {', '.join(found)}. " if found else ""
        advice += "Use keras.ops or jax.numpy instead, or install TensorFlow."
    return f"{start}tf.{full}. {advice}"


def _all_names():
    spaces = [(f"{name}.", space) for name, space in NAMESPACES.items()]
    return [f"{p}{n}" for p, s in [("", _TOP), *spaces] for n in getattr(s, "names", s)]


class Namespace:
    """A part of the stand-in, such as `tf.nn`.

    Args:
        name: what comes after `tf.`.
        names: {name: value}.
    """

    def __init__(self, name, names):
        self.names, self.__all__ = names, sorted(names)
        self.__name__ = f"tensorflow.{name}"
        self.__doc__ = f"Stand-in for `tensorflow.{name}`."
        self.lacking = lambda missing: remedy(name, missing)

    def __getattr__(self, name):
        try:
            return self.__dict__["names"][name]
        except KeyError:
            raise AttributeError(name) from None


def _function():
    """`tf.function`, where this version of minikeras compiles functions."""
    try:
        module = importlib.import_module("minikeras.training.compiled_function")
    except ModuleNotFoundError:
        return lambda func=None, **kwargs: func or (lambda inner: inner)
    return module.function


_EXPERIMENTAL = Namespace(
    "data.experimental",
    {
        "AUTOTUNE": _data.AUTOTUNE,
        "cardinality": lambda dataset: dataset.cardinality(),
    },
)
_SPACES = {
    "autograph": compat.AUTOGRAPH,
    "compat": {"as_bytes": lambda x: x.encode() if isinstance(x, str) else bytes(x)},
    "config": compat.CONFIG,
    "data": {
        "AUTOTUNE": _data.AUTOTUNE,
        "Dataset": _data.Dataset,
        "Options": compat.Settings,
        "experimental": _EXPERIMENTAL,
    },
    "debugging": control.DEBUGGING,
    "distribute": objects.DISTRIBUTE,
    "dtypes": types.DTYPES | {"DType": types.DType, "as_dtype": types.as_dtype},
    "errors": control.ERRORS,
    "gfile": io.GFILE,
    "image": image.FUNCTIONS | io.FUNCTIONS | {"ResizeMethod": image.ResizeMethod},
    "io": io.FUNCTIONS,
    "io.gfile": io.GFILE,
    "linalg": math.LINALG | {
        name: math.FUNCTIONS[name] for name in ("l2_normalize",)
    } | {"eye": arrays.FUNCTIONS["eye"]},
    "logging": compat.LOGGING,
    "math": math.FUNCTIONS,
    "nest": control.NEST,
    "nn": nn.FUNCTIONS,
    "random": random.FUNCTIONS | {"Generator": random.Generator},
    "strings": strings.FUNCTIONS,
    "sysconfig": {"get_build_info": dict},
    "test": compat.TEST,
    "train": objects.TRAIN,
    "version": {"VERSION": __version__, "GIT_VERSION": "unknown"},
}  # fmt: skip
NAMESPACES = {name: Namespace(name, names) for name, names in _SPACES.items()}
# Modules of Keras that TensorFlow has at its top, too.
KERAS_MODULES = ("initializers", "losses", "metrics", "optimizers")

_MATH_AT_TOP = """abs acos acosh add add_n argmax argmin argsort asin asinh atan atan2
    atanh clip_by_global_norm clip_by_norm clip_by_value complex cos cosh cumsum divide
    equal exp floor greater greater_equal less less_equal logical_and logical_not
    logical_or maximum minimum multiply negative not_equal pow reduce_all reduce_any
    reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum round
    scalar_mul searchsorted sigmoid sign sin sinh sort sqrt square subtract tan tanh
    truediv"""
# Names that only TensorFlow 1 had at its top.
_OLD_MATH = """ceil confusion_matrix count_nonzero cumprod digamma erf floordiv floormod
    imag is_finite is_inf is_nan lgamma log log1p log_sigmoid mod real rsqrt segment_sum
    squared_difference bincount"""
_RANDOM = {
    "multinomial": "categorical", "random_normal": "normal", "random_shuffle": "shuffle",
    "random_uniform": "uniform", "set_random_seed": "set_seed",
    "truncated_normal": "truncated_normal",
}  # fmt: skip
_CASTS = "bfloat16 double float int32 int64".split()
_TOP = (
    {name: math.FUNCTIONS[name] for name in f"{_MATH_AT_TOP} {_OLD_MATH}".split()}
    | {name: random.FUNCTIONS[value] for name, value in _RANDOM.items()}
    | {name: math.LINALG[name] for name in "einsum matmul norm tensordot".split()}
    | {
        f"to_{name}": lambda x, name=None, to=name: arrays.FUNCTIONS["cast"](
            x, {"float": "float32"}.get(to, to)
        )
        for name in _CASTS
    }
    | {"check_numerics": control.check_numerics}
    | arrays.FUNCTIONS
    | control.FUNCTIONS
    | compat.FUNCTIONS
    | types.DTYPES
    | {
        "AUTO_REUSE": None,
        "DType": types.DType,
        "GradientTape": GradientTape,
        "Module": objects.Module,
        "Tensor": types.Tensor,
        "TensorShape": types.TensorShape,
        "TensorSpec": types.TensorSpec,
        "TensorArray": objects.TensorArray,
        "Variable": objects.Variable,
        "as_dtype": types.as_dtype,
        "as_string": strings.FUNCTIONS["as_string"],
        "function": _function(),
        "get_static_value": lambda tensor, partial=False: types.as_sizes(
            tensor
        ).numpy(),
        "is_tensor": types.is_tensor,
        "matrix_inverse": math.LINALG["inv"],
        "newaxis": None,
        "read_file": io.read_file,
        "write_file": io.write_file,
    }
)
__all__ = sorted(_TOP)


def lacking(name: str) -> str:
    """What to use for a name that `tf` lacks.

    Args:
        name: the name.
    """
    return remedy("", name)


def __getattr__(name):
    try:
        return _TOP[name]
    except KeyError:
        raise AttributeError(name) from None
