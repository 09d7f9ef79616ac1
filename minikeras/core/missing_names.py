"""Errors for public names that are missing: planned, replaced or unknown.

`install_missing_name_errors` gives the public modules a `__getattr__` that raises them,
and a `__dir__` of the public names, so tab completion does not show how the package is
built.
"""

import functools
import opcode
import sys
import types
from typing import Any

from minikeras.core.registry import did_you_mean

# Public names of Keras 3.15.1 that are not here yet; `""` is the top level.
_PLANNED = {
    "": """distillation distribution export legacy quantizers
        Quantizer""",
    "layers": "",
    "utils": "FeatureSpace",
}

# Names of Keras 1 and 2 (a line each), and what to write today.
_REPLACED = {
    "layers": """
        AbstractRNNCell: a layer with `state_size`, in keras.layers.RNN
        AtrousConvolution2D: keras.layers.Conv2D(..., dilation_rate=...)
        BatchNormalizationV1: keras.layers.BatchNormalization
        CuDNNGRU: keras.layers.GRU
        CuDNNLSTM: keras.layers.LSTM
        Deconvolution2D: keras.layers.Conv2DTranspose
        Merge: keras.layers.concatenate, add, multiply, average or maximum
        SyncBatchNormalization: keras.layers.BatchNormalization(synchronized=True)
        ThresholdedReLU: keras.layers.ReLU(threshold=...)
        TimeDistributedDense: keras.layers.TimeDistributed(keras.layers.Dense(...))
        merge: keras.layers.concatenate, add, multiply, average or maximum""",
    "losses": """
        Reduction: the strings "sum", "sum_over_batch_size" or None
        MSE: keras.losses.mean_squared_error
        cosine: keras.losses.cosine_similarity
        cosine_proximity: keras.losses.cosine_similarity
        kld: keras.losses.kl_divergence
        logcosh: keras.losses.log_cosh
        mae: keras.losses.mean_absolute_error
        mape: keras.losses.mean_absolute_percentage_error
        mse: keras.losses.mean_squared_error
        msle: keras.losses.mean_squared_logarithmic_error""",
    "metrics": """
        MSE: keras.metrics.mean_squared_error
        acc: "accuracy" in compile(metrics=[...])
        cosine_proximity: keras.metrics.CosineSimilarity
        kld: keras.metrics.kl_divergence
        mae: keras.metrics.mean_absolute_error
        mse: keras.metrics.mean_squared_error""",
    "initializers": """
        normal: keras.initializers.RandomNormal
        one: keras.initializers.Ones
        uniform: keras.initializers.RandomUniform
        zero: keras.initializers.Zeros""",
    "regularizers": """
        ActivityRegularizer: keras.layers.ActivityRegularization
        WeightRegularizer: keras.regularizers.L1L2""",
    "constraints": """
        maxnorm: keras.constraints.MaxNorm
        nonneg: keras.constraints.NonNeg
        unitnorm: keras.constraints.UnitNorm""",
    "optimizers": """
        TFOptimizer: an optax transformation, keras.optimizers.OptaxOptimizer""",
    "models": """
        model_from_config: keras.Sequential.from_config or keras.Model.from_config
        model_from_yaml: keras.models.model_from_json""",
    "utils": """
        GeneratorEnqueuer: a keras.utils.PyDataset with `workers`
        HDF5Matrix: h5py and a keras.utils.PyDataset
        OrderedEnqueuer: a keras.utils.PyDataset with `workers`
        SequenceEnqueuer: a keras.utils.PyDataset with `workers`
        generic_utils: keras.utils
        np_utils: keras.utils, such as keras.utils.to_categorical
        print_summary: model.summary()
        vis_utils: keras.utils.plot_model""",
    "callbacks": """
        BaseLogger: nothing, logs are averages already""",
    "backend": """
        batch_dot: keras.ops.einsum or keras.ops.matmul
        batch_flatten: keras.ops.reshape(x, (len(x), -1))
        batch_get_value: [v.numpy() for v in variables]
        batch_set_value: variable.assign(value)
        bias_add: x + bias
        cast_to_floatx: keras.ops.cast(x, keras.config.floatx())
        constant: keras.ops.convert_to_tensor
        conv1d: keras.ops.conv
        conv2d: keras.ops.conv
        conv2d_transpose: keras.ops.conv_transpose
        conv3d: keras.ops.conv
        count_params: math.prod(x.shape)
        ctc_batch_cost: keras.ops.ctc_loss
        depthwise_conv2d: keras.ops.depthwise_conv
        dot: keras.ops.matmul
        dropout: keras.random.dropout
        eval: keras.ops.convert_to_numpy
        flatten: keras.ops.ravel
        foldl: functools.reduce or keras.ops.scan
        foldr: functools.reduce or keras.ops.scan
        function: the function itself, or jax.jit
        gather: keras.ops.take
        get_session: nothing, there are no sessions
        get_value: variable.numpy()
        gradients: jax.grad
        image_dim_ordering: keras.config.image_data_format
        in_test_phase: the argument `training` of call()
        in_train_phase: the argument `training` of call()
        int_shape: x.shape
        is_sparse: isinstance(x, jax.experimental.sparse.JAXSparse)
        l2_normalize: keras.ops.normalize
        learning_phase: the argument `training` of call()
        permute_dimensions: keras.ops.transpose
        placeholder: keras.Input
        pool2d: keras.ops.max_pool or keras.ops.average_pool
        pool3d: keras.ops.max_pool or keras.ops.average_pool
        pow: keras.ops.power
        print_tensor: jax.debug.print
        random_bernoulli: keras.random.binomial
        random_normal: keras.random.normal
        random_normal_variable: keras.Variable(keras.random.normal(shape))
        random_uniform: keras.random.uniform
        repeat_elements: keras.ops.repeat
        reset_uids: keras.utils.clear_session
        resize_images: keras.ops.image.resize
        reverse: keras.ops.flip
        rnn: keras.layers.RNN or keras.ops.scan
        separable_conv2d: keras.ops.separable_conv
        set_image_dim_ordering: keras.config.set_image_data_format
        set_learning_phase: the argument `training` of call()
        set_session: nothing, there are no sessions
        set_value: variable.assign(value)
        spatial_2d_padding: keras.ops.pad
        switch: keras.ops.where or keras.ops.cond
        temporal_padding: keras.ops.pad
        to_dense: keras.ops.convert_to_tensor(x, sparse=False)
        truncated_normal: keras.random.truncated_normal
        update: variable.assign(value)
        update_add: variable.assign_add(value)
        update_sub: variable.assign_sub(value)
        variable: keras.Variable""",
}


# {part of a public module's name in Keras after `keras.`: the module}
_guarded: dict[str, types.ModuleType] = {}
_OURS = f"{__name__.partition('.')[0]}."
_SPECIAL = ("__all__", "__doc__", "__file__", "__name__", "__path__", "__spec__")


def install_missing_name_errors(package: str, inner: str = "") -> None:
    """Give a loaded package, and the public modules in it, errors for missing names.

    Args:
        package: name of the module in `sys.modules`.
        inner: the part of its name in Keras after `keras.`.
    """
    module = sys.modules[package]
    names = public_names(module)
    shown = sorted({*names, *(name for name in _SPECIAL if name in vars(module))})
    vars(module)["__getattr__"] = functools.partial(_get, package, inner)
    vars(module)["__dir__"] = shown.copy
    _guarded[inner] = module
    for name in names:
        value = vars(module)[name]
        if isinstance(value, types.ModuleType) and value.__name__.startswith(_OURS):
            install_missing_name_errors(value.__name__, f"{inner}.{name}".lstrip("."))


def guarded() -> dict[str, types.ModuleType]:
    """{part of the name in Keras after `keras.`: public module}."""
    return _guarded


def public_names(module: types.ModuleType) -> list[str]:
    """`__all__`, or without it the names that the module itself defines, sorted."""
    if (names := vars(module).get("__all__")) is not None:
        return sorted(names)
    return sorted(
        name
        for name, value in vars(module).items()
        if name[0] != "_" and getattr(value, "__module__", None) == module.__name__
    )


def _get(package, inner, name):
    """`__getattr__` of a public module."""
    start = f"module {package!r} has no attribute {name!r}"
    # Python itself asks modules for such names, in each `from … import` and often in
    # a debugger: a hint would take a search through all public names each time.
    if name.startswith("__"):
        raise AttributeError(start)
    raise missing_name_error(start, inner, name, sys._getframe(1))


def missing_name_error(start: str, inner: str, name: str, frame: Any) -> Exception:
    """The exception for a name that a module lacks.

    Args:
        start: the first part of the sentence.
        inner: the module's path in Keras after `keras.`.
        name: the missing name.
        frame: frame of the code that asked for it. `from module import name` gets an
            ImportError, all other code an AttributeError.
    """
    text = f"{start}{_hint(inner, name)}"
    # Python replaces an AttributeError in `from module import name` by an ImportError
    # with a text of its own, which would lose the hint. `hasattr` needs the former.
    if frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]:
        return ImportError(text, name=f"keras.{inner}".rstrip("."))
    # An object of its own keeps Python from adding a second suggestion.
    return AttributeError(text, name=name, obj=None)


def _hint(inner, name):
    """The end of the sentence: where the name is, or which names are near."""
    nearest = did_you_mean(name, public_names(_guarded[inner]))
    if name in _PLANNED.get(inner, "").split():
        return f" yet: Keras has it, and it is planned here.{nearest}"
    if instead := replaced(inner).get(name):
        return f": it is a name of older versions of Keras. Use {instead}."
    if inner == "backend" and name in public_names(_guarded["ops"]):
        return f": Keras 3 moved it. Use keras.ops.{name}."
    elsewhere = [p for p, module in _guarded.items() if name in public_names(module)]
    if elsewhere:
        return f": it is keras.{elsewhere[0]}.{name}.".replace("..", ".")
    return f".{nearest}"


def replaced(inner: str) -> dict[str, str]:
    """{name of older versions of Keras: what to write today} of a public module.

    Args:
        inner: the path in Keras after `keras.`.
    """
    lines = _REPLACED.get(inner, "").strip().splitlines()
    pairs = (line.strip().partition(": ") for line in lines)
    return {name: instead for name, _, instead in pairs}
