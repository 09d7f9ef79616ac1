"""Configs of Keras 1, 2 and early 3 in today's words.

`upgrade_config` is a function of a config alone. A config of today comes out equal.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from minikeras.core import registry
from minikeras.core.loading import has_plain_items
from minikeras.layers.layer import Layer
from minikeras.losses.loss import Loss
from minikeras.metrics.metric import Metric
from minikeras.optimizers.optimizer import Optimizer
from minikeras.saving.errors import FileError
from minikeras.saving.old_graphs import upgrade_graph

# Old name of a class: today's.
_CLASSES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Container": "Functional",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "Deconvolution2D": "Conv2DTranspose",
    "GRUV2": "GRU",
    "GroupedQueryAttention": "GroupQueryAttention",
    "LSTMV2": "LSTM",
    "LossScaleOptimizerV3": "LossScaleOptimizer",
    "Network": "Functional",
    "Policy": "DTypePolicy",
    "PolicyV1": "DTypePolicy",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "ThresholdedReLU": "ReLU",
    "TimeDistributedDense": "Dense",
}
# Old argument: today's, of which a class has at most one. An old one that the class
# still has, as Embedding has `output_dim`, keeps its name.
ARGUMENTS = {
    "U_regularizer": ("recurrent_regularizer",),
    "W_constraint": ("kernel_constraint", "embeddings_constraint"),
    "W_regularizer": ("kernel_regularizer", "embeddings_regularizer"),
    "alpha": ("negative_slope",),
    "atrous_rate": ("dilation_rate",),
    "b_constraint": ("bias_constraint",),
    "b_regularizer": ("bias_regularizer",),
    "batch_input_shape": ("batch_shape",),
    "beta_init": ("beta_initializer",),
    "bias": ("use_bias",),
    "bins": ("bin_boundaries",),
    "border_mode": ("padding",),
    "dim_ordering": ("data_format",),
    "dropout_U": ("recurrent_dropout",),
    "dropout_W": ("dropout",),
    "filter_length": ("kernel_size",),
    "gamma_init": ("gamma_initializer",),
    "init": (
        "kernel_initializer",
        "embeddings_initializer",
        "depthwise_initializer",
        "alpha_initializer",
    ),
    "inner_activation": ("recurrent_activation",),
    "inner_init": ("recurrent_initializer",),
    "length": ("size",),
    "lr": ("learning_rate",),
    "m": ("max_value",),
    "nb_filter": ("filters",),
    "output_dim": ("units",),
    "p": ("rate",),
    "pool_length": ("pool_size",),
    "sigma": ("stddev",),
    "stride": ("strides",),
    "subsample": ("strides",),
    "subsample_length": ("strides",),
    "theta": ("threshold",),
}
# Arguments that are gone and change no result, or not with these values.
_GONE_ALWAYS = frozenset(
    "consume_less dynamic forget_bias_init implementation input_dim input_dtype "
    "input_length is_legacy_optimizer jit_compile kernel_constraint kernel_initializer "
    "kernel_regularizer key_shape loss_scale query_shape softmax_robust_masking "
    "value_shape fused".split()
)
_GONE_UNLESS_USED = {
    "adjustment": (None,),
    "causal": (False,),
    "dropout": (0, None),
    "groups": (1,),
    "mode": (0, 2),
    "schedule_decay": (0.004,),
    "time_major": (False, None),
    "virtual_batch_size": (None,),
}
OLD_ARGUMENTS = {*ARGUMENTS, *_GONE_ALWAYS, *_GONE_UNLESS_USED}
_VALUES = {
    ("data_format", "default"): "channels_last",
    ("data_format", "tf"): "channels_last",
    ("data_format", "th"): "channels_first",
    ("distribution", "normal"): "truncated_normal",
    ("reduction", "auto"): "sum_over_batch_size",
    ("reduction", "sum_over_nonzero_weights"): "sum_over_batch_size",
}
_INITIALIZERS = {
    "normal": "random_normal",
    "one": "ones",
    "uniform": "random_uniform",
    "zero": "zeros",
}
MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "cos": "Dot",
    "dot": "Dot",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}
_LITERALS = frozenset(
    {"__numpy__", "__tensor__", "__lambda__", "__bytes__", "__live__", "function"}
)


def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """max(0, min(1, 0.2 x + 0.5)): Keras 3 has another slope, 1 / 6.

    Args:
        x: array.

    Returns:
        Array of the shape of `x`.
    """
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0)


_HARD_SIGMOID = hard_sigmoid_of_keras_2.__name__
registry.register("keras.legacy.activations", {_HARD_SIGMOID: hard_sigmoid_of_keras_2})
# Files that are saved anew name it so.
registry.family("activations").names[_HARD_SIGMOID] = hard_sigmoid_of_keras_2


def upgrade_config(config: Any, keras_version: str | None = None) -> Any:
    """Put a config of an older Keras into today's words.

    Args:
        config: dict of a model, layer, loss, metric or optimizer, or lists and dicts of
            these.
        keras_version: version that wrote it, such as `"2.3.1"`; `"1"` for files that
            name none. None takes the one that the config names, else today's.

    Returns:
        The config that `deserialize_keras_object` reads; equal to `config` if today's
        Keras wrote it.

    Raises:
        FileError: something has no counterpart today.

    >>> old = {"class_name": "Dropout", "config": {"p": 0.5, "name": "dropout_1"}}
    >>> upgrade_config(old)["config"]
    {'rate': 0.5, 'name': 'dropout_1'}
    """
    if keras_version is None and isinstance(config, dict):
        keras_version = config.get("keras_version")
    is_old = isinstance(keras_version, str) and keras_version[:2] in ("1", "1.", "2.")
    try:
        return _upgrade(config, is_old)
    except FileError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as e:
        raise FileError(f"The config is damaged: {type(e).__name__}: {e}.") from e


def upgrade_layers(class_name: str, config: Any) -> Any:
    """`upgrade_config` of what `from_config` of a model gets, if it looks old.

    Args:
        class_name: `"Functional"` or `"Sequential"`.
        config: its config, without the class.

    Returns:
        The config in today's words.
    """
    layers = config.get("layers", ()) if isinstance(config, dict) else (None,)
    if all(isinstance(x, dict) and "module" in x and _has_no_lists(x) for x in layers):
        return config
    return upgrade_config({"class_name": class_name, "config": config})["config"]


def _has_no_lists(entry):
    """Are the calls of a layer written as dicts, as they are today?"""
    return not any(isinstance(node, list) for node in entry.get("inbound_nodes", ()))


def _upgrade(value, is_old):
    if isinstance(value, (list, tuple)):
        if has_plain_items(value):
            return value
        return type(value)(_upgrade(x, is_old) for x in value)
    if not isinstance(value, dict):
        return value
    if not isinstance(value.get("class_name"), str) or "config" not in value:
        return {key: _upgrade(x, is_old) for key, x in value.items()}
    if value["class_name"] in _LITERALS:
        return value
    return _upgrade_object(value, is_old)


def _upgrade_object(entry, is_old):
    """The config of one object, with all that is in it."""
    old_name = entry["class_name"]
    entry = {**entry, "class_name": old_name.removeprefix("Custom>")}
    if old_name == "Merge" and not _is_users(entry):
        entry = _merge(entry)
    entry["class_name"] = name = _CLASSES.get(entry["class_name"], entry["class_name"])
    cls = _library_class({**entry, "class_name": name})
    if cls is None:
        entry["class_name"] = old_name
        return {key: _upgrade(x, is_old) for key, x in entry.items()}
    if name != old_name and "registered_name" in entry:
        entry["registered_name"] = None
    # An old layer is built when it is called, and its shapes have other names.
    kept = {k: x for k, x in entry.items() if not (is_old and k == "build_config")}
    entry = {k: x if k == "config" else _upgrade(x, is_old) for k, x in kept.items()}
    if isinstance(entry["config"], list) and name == "Sequential":  # until Keras 2.2
        entry["config"] = {"name": None, "layers": entry["config"]}
    if not isinstance(entry["config"], dict):
        return entry
    entry["config"] = upgrade_arguments(cls, name, entry["config"])
    for base, rule in _RULES.items():
        if base == name if isinstance(base, str) else issubclass(cls, base):
            entry["config"] = rule(entry["config"], old_name, is_old)
    entry["config"] = {k: _upgrade(x, is_old) for k, x in entry["config"].items()}
    if isinstance(entry.get("compile_config"), dict):
        # tf-keras writes None for what it has as default.
        settings = ("run_eagerly", "steps_per_execution", "jit_compile")
        given = entry["compile_config"].items()
        kept = {k: x for k, x in given if k not in settings or x is not None}
        entry["compile_config"] = kept
    return entry


def _is_users(entry):
    """Is it a class that the user has registered, whatever its name?"""
    names = (entry.get("registered_name"), entry["class_name"])
    return any(isinstance(x, str) and registry.get_registered_object(x) for x in names)


def _library_class(entry):
    """The class of the library that an entry means, or None."""
    module = entry.get("module") or "keras"
    if not isinstance(module, str) or ".ops." in f".{module}." or _is_users(entry):
        return None
    if not registry.means_library(entry):
        return None
    found = registry.lookup(module, entry["class_name"])
    return found if inspect.isclass(found) else None


def upgrade_arguments(cls, name, config):
    """The arguments of one constructor, under the names that it has today."""
    parameters, new = None, {}
    for key, value in _joined_sizes(config).items():
        if key in OLD_ARGUMENTS:
            parameters = parameters or parameters_of(cls)
            if key not in parameters:
                today = [x for x in ARGUMENTS.get(key, ()) if x in parameters]
                if not today and key not in ARGUMENTS:
                    _check_gone(name, key, value)
                    continue
                key = today[0] if today else key
        if isinstance(value, str):
            value = _VALUES.get((key, value), value)
            if key.endswith("_initializer"):
                value = _known_initializer(value)
        elif isinstance(value, dict) and "class_name" not in value and "name" in value:
            value = _unnamed_object(key, value)
        new[key] = value
    return new


@functools.cache
def parameters_of(cls):
    """Names of the constructor's arguments, and of those that it passes on."""
    owners = [c.__init__ for c in cls.__mro__ if "__init__" in vars(c)]
    return {name for init in owners for name in inspect.signature(init).parameters}


def _joined_sizes(config):
    """`nb_row`, `nb_col` of Keras 1 as one `kernel_size`."""
    for keys in (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3")):
        if all(key in config for key in keys):
            size = [config[key] for key in keys]
            rest = {k: v for k, v in config.items() if k not in keys}
            config = {**rest, "kernel_size": size}
    return config


def _check_gone(name, key, value):
    """Raise FileError if an argument without counterpart changes results."""
    if value not in _GONE_UNLESS_USED.get(key, (value,)):
        raise FileError(
            f"{name} was saved with {key}={value!r}, which it no longer has.",
            place=f"{name}.{key}",
            remedy="Build the model anew without it, and load its weights with "
            "`load_weights`.",
        )


def _known_initializer(name):
    """The initializer's name; that of Keras 1 only where today knows it no more."""
    is_known = name in registry.family("initializers").names
    return name if is_known else _INITIALIZERS.get(name, name)


def _unnamed_object(key, value):
    """A regularizer or constraint of Keras 1, which has its name beside its values."""
    inner = {k: v for k, v in value.items() if k != "name"}
    if key.endswith("_regularizer"):
        return {"class_name": "L1L2", "config": inner}
    if key.endswith("_constraint"):
        return {"class_name": value["name"], "config": inner}
    return value


def _merge(entry):
    """A `Merge` of Keras 1 as the layer of its mode."""
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    mode = config.get("mode")
    if mode not in MERGES or config.get("layers"):
        raise FileError(
            f"A Merge layer of Keras 1 with mode {mode!r} has no counterpart.",
            place=f"Merge {config.get('name', '')!r}",
            remedy="Build the model anew as a graph of layers, and load its weights "
            "with `load_weights`.",
        )
    kept = {k: config[k] for k in ("name", "trainable") if k in config}
    if mode == "concat":
        kept["axis"] = config.get("concat_axis", -1)
    if mode in ("dot", "cos"):
        kept |= {"axes": config.get("dot_axes", -1), "normalize": mode == "cos"}
    return {**entry, "class_name": MERGES[mode], "config": kept}


# -- rules for one class, (config, its old name, from Keras 1 or 2?) -> config --------


def _function(name):
    """The config of a function with a name."""
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def _upgrade_layer(config, old_name, is_old):
    """The slope of `hard_sigmoid` has changed."""
    keys = ("activation", "recurrent_activation")
    changed = [k for k in keys if is_old and config.get(k) == "hard_sigmoid"]
    return {**config, **dict.fromkeys(changed, _HARD_SIGMOID)}


def _upgrade_recurrent(config, old_name, is_old):
    """CuDNN layers have fixed activations; `reset_after` was False by default."""
    if old_name in ("CuDNNLSTM", "CuDNNGRU"):
        config = {"activation": "tanh", "recurrent_activation": "sigmoid", **config}
    if is_old and _CLASSES.get(old_name, old_name) == "GRU":
        config = {"reset_after": old_name == "CuDNNGRU", **config}
    return config


def _upgrade_batch_normalization(config, old_name, is_old):
    """TensorFlow's layer has a list of one axis."""
    axis = config.get("axis")
    return {**config, "axis": axis[0]} if isinstance(axis, (list, tuple)) else config


def _upgrade_lambda(config, old_name, is_old):
    """Functions were written as lists, with their kinds beside them."""
    new = {k: v for k, v in config.items() if not k.endswith(("_type", "module"))}
    for key in ("function", "output_shape", "mask"):
        value, kind = config.get(key), config.get(f"{key}_type")
        if isinstance(value, list) and (kind == "lambda" or key == "function"):
            new[key] = {"class_name": "__lambda__", "config": {"value": value}}
        elif isinstance(value, str):
            new[key] = _function(value)
    return new


def _upgrade_optimizer(config, old_name, is_old):
    """`decay` becomes the schedule lr / (1 + decay * step)."""
    config = dict(config)
    if "epsilon" in config and config["epsilon"] is None:
        config["epsilon"] = 1e-7
    decay = config.pop("decay", 0.0)
    # What Nadam calls so is a constant of its momentum, 0.004 today.
    if decay and old_name != "Nadam":
        config["learning_rate"] = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": config.get("learning_rate", 0.01),
                "decay_steps": 1,
                "decay_rate": decay,
            },
            "registered_name": None,
        }
    return config


def _upgrade_wrapper(config, old_name, is_old):
    """The function of a loss or metric was written by its name."""
    if not isinstance(config.get("fn"), str):
        return config
    if old_name.endswith("Wrapper"):
        return {**config, "fn": _function(config["fn"])}
    return {k: v for k, v in config.items() if k != "fn"}


_RULES: dict[Any, Callable[[dict, str, bool], dict]] = {
    "BatchNormalization": _upgrade_batch_normalization,
    "Functional": lambda config, *_: upgrade_graph(config),
    "GRU": _upgrade_recurrent,
    "LSTM": _upgrade_recurrent,
    "Lambda": _upgrade_lambda,
    "Model": lambda config, *_: upgrade_graph(config),
    Loss: _upgrade_wrapper,
    Metric: _upgrade_wrapper,
    Optimizer: _upgrade_optimizer,
    Layer: _upgrade_layer,
}
