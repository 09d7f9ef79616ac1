"""The public names of Keras, ours of the same names, and what may differ, with reasons.

The lists are ratchets: `compat/test_api.py` fails for a difference that is not listed,
and for a listed name that has become equal. docs/compatibility.md shows both.
"""

import ast
import functools
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
import types
from pathlib import Path

PLANNED = "planned, not built yet"
WIDER = "more parameters behind those of Keras"
# {reason: names}. A module that is missing stands for all names in it.
LISTED = {
    PLANNED: """
        distillation distribution export quantizers Quantizer""",
    "`strides=1`, `dilation_rate=1`, `pool_size=2` stand for `(1, 1)`, `(2, 2)`": """
        layers.Conv2DTranspose layers.Convolution2DTranspose layers.Conv3DTranspose
        layers.Convolution3DTranspose layers.DepthwiseConv2D layers.SeparableConv2D
        layers.SeparableConvolution2D layers.MaxPool2D layers.MaxPooling2D
        layers.MaxPool3D layers.MaxPooling3D""",
    f"`lora_rank`, `lora_alpha`: {WIDER}, which takes them from `**kwargs`": """
        layers.Conv1D layers.Convolution1D layers.Conv2D layers.Convolution2D
        layers.Conv3D layers.Convolution3D""",
    f"`explain`: {WIDER}": "callbacks.TerminateOnNaN",
    "the signature names the arguments that Keras takes as `*args, **kwargs`": """
        Layer layers.Layer Sequential models.Sequential""",
    "Keras's always raise, ours are the optimizers of today": """
        optimizers.legacy.Adagrad optimizers.legacy.Adam optimizers.legacy.Ftrl
        optimizers.legacy.Optimizer optimizers.legacy.RMSprop optimizers.legacy.SGD""",
    f'`format=None` is `"tf"` where TensorFlow is; {WIDER}': """
        preprocessing.image_dataset_from_directory
        preprocessing.text_dataset_from_directory
        preprocessing.timeseries_dataset_from_array utils.audio_dataset_from_directory
        utils.image_dataset_from_directory utils.text_dataset_from_directory
        utils.timeseries_dataset_from_array""",
    "`safe_mode=None` is True, but where the user's own call has turned it off": """
        saving.deserialize_keras_object utils.deserialize_keras_object""",
}
# The same for names that `tensorflow.keras` has and `keras` has not.
LISTED_TENSORFLOW = {
    "a class, used alike": "backend.name_scope",
    "takes the arguments of older versions, too": "layers.ThresholdedReLU",
}
# What `install_as_keras()` alone lacks.
LISTED_ALIAS: dict[str, str] = {}
# The same for methods and properties of classes: {reason: members},
# each with the number of classes that are concerned.
LISTED_MEMBERS = {
    PLANNED: """
        quantize:169 quantized_build:169 get_quantization_layer_structure:4
        variable_serialization_spec:4 export:4""",
    "an attribute of objects, not of the class": """
        aggregation:1 name:1 path:1 shape:1 synchronization:1 thresholds:1
        optimizers:1 input_spec:169 batch_shape:1 dropout:1 key_dense:1
        key_dim:1 num_heads:1 output_dense:1 query_dense:1 use_bias:1
        value_dense:1 value_dim:1""",
    "Keras's always raises": "add_metric:169",
    "a step of how Keras builds its loop, which is another here": """
        jax_state_sync:4 make_predict_function:4 make_test_function:4
        make_train_function:4""",
    "a step within a layer of Keras, not documented": """
        convert_weight:36 convolution_op:6 get_clipped_bbox:1
        get_elastic_transform_params:1 get_shifted_bbox:2
        get_transformed_x_y:3""",
    "one signature for all classes, where those of Keras vary": """
        build:124 call:6 compute_output_shape:92 compute_output_spec:26
        from_config:10 get_random_transformation:1 transform_bounding_boxes:1
        transform_images:12 transform_labels:3 transform_segmentation_masks:3
        transform_single_bounding_box:31 transform_single_image:31
        transform_single_label:31 transform_single_segmentation_mask:31
        update_step:1""",
    "`data` may be left out, for a step that is written for TensorFlow": """
        train_step:4 test_step:4""",
    "takes the arguments of `add_weight`": "add_variable:169",
    f"`profile`, `flops`, `memory`: {WIDER}, by name alone": "fit:4 summary:4",
    "the function is named `fn`": "rematerialized_call:169",
    "of a class that only raises: modules of PyTorch do not run on JAX": "parameters:1",
}
_NOT_PUBLIC = ("src", "_tf_keras")


def reasons(listed):
    """{name: reason} of a table {reason: names}."""
    return {name: why for why, names in listed.items() for name in names.split()}


def _imports(folder):
    """{module: {public name: (module that it comes from, its name there)}}."""
    found = {}
    for file in sorted(folder.rglob("__init__.py")):
        module = ".".join(file.parent.relative_to(folder).parts)
        if module.partition(".")[0] in _NOT_PUBLIC:
            continue
        found[module] = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if not (alias.asname or alias.name).startswith("_")
        }
    return found


def _folder():
    return Path(importlib.util.find_spec("keras").origin).parent


@functools.cache
def modules():
    """{public module of Keras, "" for the top: its public names, in order}."""
    return {name: sorted(names) for name, names in _imports(_folder()).items()}


@functools.cache
def tensorflow_only():
    """{module: {name: where Keras defines it}} of what only `tensorflow.keras` has."""
    both, found = modules(), {}
    for module, names in _imports(_folder() / "_tf_keras" / "keras").items():
        more = {n: names[n] for n in sorted(names) if n not in both.get(module, ())}
        if more:
            found[module] = more
    return found


def path(module, name):
    """`module.name`, also of the top."""
    return f"{module}.{name}".lstrip(".")


def resolve(package, name):
    """What a dotted name stands for; None where it is missing."""
    for part in filter(None, name.split(".")):
        package = getattr(package, part, None)
    return package


def describe(value):
    """[kind, [[name, kind, default] of each parameter]], fit for JSON.

    The parameters are None where there are none, or Python cannot tell.
    """
    if value is None or isinstance(value, types.ModuleType):
        return ["missing" if value is None else "module", None]
    if not callable(value):
        return ["constant", None]
    kind = "class" if inspect.isclass(value) else "function"
    try:
        found = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return [kind, None]
    default = inspect.Parameter.empty
    return [
        kind,
        [
            [p.name, p.kind.name] + ([] if p.default is default else [_text(p.default)])
            for p in found
        ],
    ]


def _text(default):
    return getattr(default, "__name__", repr(default))


def difference(theirs, ours):
    """What differs in two descriptions; "" if nothing does."""
    if theirs[0] != ours[0]:
        return "missing" if ours[0] == "missing" else "kind"
    return "" if theirs[1] == ours[1] else "signature"


@functools.cache
def differences():
    """{name: what differs} of the public names of Keras."""
    import keras

    import minikeras

    names = [
        path(module, name) for module, names in modules().items() for name in names
    ]
    found = {
        name: difference(*(describe(resolve(p, name)) for p in (keras, minikeras)))
        for name in names
    }
    return {name: what for name, what in found.items() if what}


@functools.cache
def member_differences():
    """{method or property: classes in which ours is missing or another}."""
    import keras

    import minikeras

    found = {}
    for module, names in modules().items():
        for name in (path(module, n) for n in names):
            theirs, ours = resolve(keras, name), resolve(minikeras, name)
            if not (inspect.isclass(theirs) and inspect.isclass(ours)):
                continue
            for member in filter(lambda m: m[0] != "_", dir(theirs)):
                if _member(theirs, member) != _member(ours, member):
                    found.setdefault(member, []).append(name)
    return found


def _member(owner, name):
    """A routine's description; of other members only that they are there."""
    value = getattr(owner, name, None)
    if inspect.isroutine(value):
        return describe(value)[1]
    return hasattr(owner, name)


@functools.cache
def under_alias():
    """{name: description} of all names of `tensorflow.keras`.

    From a process of its own, in which `install_as_keras()` answers: it refuses one
    that has imported Keras.
    """
    run = subprocess.run(
        [sys.executable, "-m", "compat.api_surface"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@functools.cache
def tensorflow_differences():
    """{name: what differs} of the names that only `tensorflow.keras` has."""
    ours, found = under_alias(), {}
    for module, names in tensorflow_only().items():
        for name, (origin, inner) in names.items():
            place = importlib.import_module(origin)
            theirs = describe(getattr(place, inner))
            what = difference(theirs, ours[path(module, name)])
            if what:
                found[path(module, name)] = what
    return found


def _main():
    import minikeras

    names = [  # before the alias: then nobody finds Keras's files
        path(module, name)
        for table in (modules(), tensorflow_only())
        for module, names in table.items()
        for name in names
    ]
    minikeras.install_as_keras()
    keras = importlib.import_module("tensorflow.keras")
    print(json.dumps({name: describe(resolve(keras, name)) for name in names}))


if __name__ == "__main__":
    _main()
