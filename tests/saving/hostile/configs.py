"""Hostile configs of layers: code, names and paths in them, and their sizes."""

import base64
import json
import marshal

from tests.saving.hostile import base
from tests.saving.hostile.base import dense, input_layer, named, sequential

ROWS, row = base.table()
HUGE = 10**9


def function(module, name):
    """The config that names a function."""
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def lambda_layer(code, **more):
    """A Lambda layer of this function."""
    return named("Lambda", name="lambda", function=code, **more)


def bytecode(outside):
    """A function that leaves a file behind, as Keras writes it."""
    source = f"lambda x: open({str(outside) + '/ran'!r}, 'w')"
    code = compile(source, "hostile", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


# Code in the file.


@row("layer")
def lambda_bytecode(outside):
    code = {"code": bytecode(outside), "defaults": None, "closure": None}
    return lambda_layer({"class_name": "__lambda__", "config": code})


@row("layer")
def lambda_bytecode_that_allows_itself(outside):
    code = {"code": bytecode(outside), "defaults": None, "closure": None}
    layer = lambda_layer({"class_name": "__lambda__", "config": code})
    return layer | {"safe_mode": False, "config": layer["config"] | {"safe_mode": 0}}


@row("layer")
def lambda_bytecode_of_keras_2(outside):
    return lambda_layer([bytecode(outside), None, None], function_type="lambda")


@row("layer")
def lambda_bytecode_for_the_shape(outside):
    code = {"code": bytecode(outside), "defaults": None, "closure": None}
    code = {"class_name": "__lambda__", "config": code}
    return lambda_layer(function("keras.ops", "relu"), output_shape=code, mask=code)


@row("layer")
def lambda_as_an_activation(outside):
    code = {"code": bytecode(outside), "defaults": None, "closure": None}
    return dense(activation={"class_name": "__lambda__", "config": code})


@row("text")
def yaml(outside):
    return f"!!python/object/apply:os.system ['touch {outside}/ran']"


@row("layer")
def pickle_of_torch(outside):
    data = base64.b64encode(b"cposix\nsystem\n(S'touch ran'\ntR.").decode()
    data = {"class_name": "__bytes__", "config": {"value": data}}
    return named("TorchModuleWrapper", name="torch", module=data)


@row("layer")
def saved_model_outside(outside):
    return named("TFSMLayer", name="t", filepath=f"{outside}/model", call_endpoint="s")


# Names of what is no layer.


@row("layer")
def function_of_os(outside):
    return lambda_layer(function("os", "system"), arguments={"x": f"touch {outside}/r"})


@row("layer")
def function_of_builtins(outside):
    return dense(activation=function("builtins", "exec"))


@row("layer")
def class_of_subprocess(outside):
    return named("Popen", "subprocess", args=["touch", f"{outside}/ran"])


@row("layer")
def module_never_imported(outside):
    return named("Attack", "antigravity", "Attack>Attack", name="x")


@row("layer")
def get_file_as_a_function(outside):
    arguments = {"origin": f"file://{outside}/secret.txt", "cache_dir": str(outside)}
    return lambda_layer(function("keras.utils", "get_file"), arguments=arguments)


@row("layer")
def get_file_as_a_class(outside):
    return named("get_file", "keras.utils", origin=f"file://{outside}/secret.txt")


@row("layer")
def load_model_as_a_function(outside):
    arguments = {"filepath": f"{outside}/lambda.keras", "safe_mode": False}
    return lambda_layer(function("keras.models", "load_model"), arguments=arguments)


@row("layer")
def load_model_as_a_class(outside):
    arguments = {"filepath": f"{outside}/lambda.keras", "safe_mode": False}
    return named("load_model", "keras.saving", **arguments)


@row("layer")
def enable_unsafe_deserialization(outside):
    return named("enable_unsafe_deserialization", "keras.config")


@row("layer")
def enable_unsafe_deserialization_inside(outside):
    name = "enable_unsafe_deserialization"
    return dense(activation=function("keras.src.saving.serialization_lib", name))


@row("layer")
def private_scope(outside):
    module = "keras.src.saving.serialization_lib"
    return named("SafeModeScope", module, safe_mode=False)


@row("layer")
def own_private_module(outside):
    return named("SafeModeScope", "minikeras.core.serialization", safe_mode=False)


@row("layer")
def load_img_as_an_initializer(outside):
    return dense(kernel_initializer=named("load_img", "keras.utils", path="/etc"))


@row("layer")
def optimizer_for_a_layer(outside):
    return named("SGD", "keras.optimizers", learning_rate=0.1)


@row("layer")
def op_with_a_path(outside):
    return named("File", "keras.src.ops.io", path=f"{outside}/secret.txt")


# Paths and addresses.


@row("layer")
def vocabulary_of_a_path(outside):
    return named("StringLookup", name="s", vocabulary=f"{outside}/secret.txt")


@row("layer")
def numbers_of_a_path(outside):
    return named("IntegerLookup", name="s", vocabulary=f"{outside}/secret.txt")


@row("layer")
def text_vocabulary_of_a_path(outside):
    return named("TextVectorization", name="s", vocabulary=f"{outside}/secret.txt")


@row("layer")
def weights_of_a_path(outside):
    path = f"{outside}/secret.txt"
    return named("StringLookup", name="s", vocabulary=["a"], idf_weights=path)


@row("layer")
def vocabulary_of_an_address(outside):
    return named("StringLookup", name="s", vocabulary="http://localhost:9/words.txt")


@row("layer")
def dotted_name(outside):
    layer = named("StringLookup", name="../../evil", vocabulary=["a", "b"])
    return layer


# Sizes.


@row("layer")
def huge_text_dtype(outside):
    config = {"value": "a", "dtype": "U500000000"}
    return dense(kernel_initializer={"class_name": "__numpy__", "config": config})


@row("layer")
def huge_void_dtype(outside):
    config = {"value": 1, "dtype": "V2000000000"}
    return dense(kernel_initializer={"class_name": "__numpy__", "config": config})


@row("layer")
def objects_in_an_array(outside):
    config = {"value": ["a"], "dtype": "object"}
    return dense(activation={"class_name": "__numpy__", "config": config})


@row("layer")
def tensor_of_no_dtype(outside):
    config = {"value": [1], "dtype": ["float32"]}
    return dense(units={"class_name": "__tensor__", "config": config})


@row("compile")
def huge_thresholds(outside):
    return {"metrics": [named("AUC", "keras.metrics", num_thresholds=10**8)]}


@row("compile")
def huge_thresholds_without_auc(outside):
    metric = named("PrecisionAtRecall", "keras.metrics", recall=0.5,
                   num_thresholds=10**8)  # fmt: skip
    return {"metrics": [metric]}


@row("compile")
def huge_confusion_matrix(outside):
    return {"metrics": [named("MeanIoU", "keras.metrics", num_classes=10**5)]}


@row("stored")
def huge_units(outside):
    return sequential(input_layer(3), dense("a", 2 * 10**8), dense("b", 2))


@row("stored")
def huge_identity(outside):
    identity = named("Identity", "keras.initializers", gain=1.0)
    layer = dense("a", 10**9, kernel_initializer=identity)
    return sequential(input_layer(10**9), layer, dense("b", 2))


@row("stored")
def huge_orthogonal(outside):
    initializer = named("Orthogonal", "keras.initializers", gain=1.0, seed=1)
    layer = dense("a", 20_000, kernel_initializer=initializer)
    return sequential(input_layer(20_000), layer, dense("b", 2))


@row("stored")
def huge_embedding(outside):
    layer = named("Embedding", name="a", input_dim=HUGE, output_dim=64)
    return sequential(input_layer(3), layer, dense("b", 2))


@row("stored")
def huge_kernel(outside):
    layer = named("Conv2D", name="a", filters=64, kernel_size=[10**4, 10**4])
    return sequential(input_layer(10**5, 10**5, 3), layer)


@row("stored")
def huge_spectrogram(outside):
    layer = named("STFTSpectrogram", name="a", frame_length=10**5, fft_length=10**5)
    return sequential(input_layer(10**6), layer)


@row("stored")
def many_random_ops(outside):
    layer = named("RandAugment", name="a", num_ops=10**9)
    return sequential(input_layer(8, 8, 3), layer)


def graph_of(op, module, *shape, **arguments):
    """The config of a graph whose one op takes the input."""
    tensor = {"shape": [None, *shape], "dtype": "float32"}
    tensor["keras_history"] = ["in", 0, 0]
    x = {"class_name": "__keras_tensor__", "config": tensor}
    node = {"args": [x], "kwargs": {}}
    named_op = named(op, f"keras.src.ops.{module}", op, name="op", **arguments)
    start = {**input_layer(*shape), "name": "in", "inbound_nodes": []}
    layers = [start, {**named_op, "name": "op", "inbound_nodes": [node]}]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["op", 0, 0]]}
    return named(
        "Functional", "keras.src.models.functional", "Functional",
        name="model", trainable=True, layers=layers, **ends,
    )  # fmt: skip


@row("stored")
def many_slices(outside):
    return graph_of("Unstack", "core", 3, num=10**9, axis=0)


@row("stored")
def huge_smoothing(outside):
    return graph_of("ElasticTransform", "image", 8, 8, 3, sigma=10**9)


@row("stored")
def huge_window(outside):
    lengths = {"sequence_length": 10**9, "fft_length": 10**9}
    return graph_of("STFT", "math", 100, sequence_stride=1, **lengths)


@row("stored")
def huge_heads(outside):
    layer = named("LSTM", name="a", units=10**6)
    return sequential(input_layer(5, 3), layer)


@row("stored")
def huge_shape_to_build(outside):
    layer = dense("a", 4) | {"build_config": {"input_shape": [None, 10**10]}}
    return sequential(layer, dense("b", 2))


@row("stored")
def many_layers(outside):
    return sequential(input_layer(3), *(dense(f"d{i}", 2) for i in range(20_000)))


@row("stored")
def many_models(outside):
    inner = [sequential(input_layer(3), dense("d", 2)) for _ in range(3_000)]
    return sequential(input_layer(3), *inner)


@row("stored")
def many_cells(outside):
    cell = named("LSTMCell", name="c", units=1)
    cells = named("StackedRNNCells", name="s", cells=[cell] * 10_000)
    return sequential(input_layer(5, 3), named("RNN", name="r", cell=cells))


@row("text")
def many_empty_dicts(outside):
    return "[" + "{}," * 43_000 + "{}]"


@row("text")
def many_empty_dicts_as_layers(outside):
    empty = "{}," * 43_000 + "{}"
    return json.dumps(sequential()).replace('"layers": []', f'"layers": [{empty}]')


@row("text")
def many_empty_dicts_in_a_layer(outside):
    empty = [{}] * 43_000
    return json.dumps(sequential(input_layer(3), dense(kernel_initializer=empty)))


@row("text")
def deep_lists(outside):
    return "[" * 100_000


@row("text")
def deep_lists_that_end(outside):
    return json.dumps(valid()).replace('"units": 4', f'"units": {_nested("[", "]")}')


@row("text")
def deep_dicts_that_end(outside):
    nested = _nested('{"a":', "}", "1")
    return json.dumps(valid()).replace('"units": 4', f'"units": {nested}')


@row("text")
def deep_models(outside):
    start = json.dumps(sequential("HERE")).partition('"HERE"')
    return start[0] * 300 + json.dumps(dense()) + start[2] * 300


@row("text")
def deep_initializers(outside):
    start = json.dumps(dense(kernel_initializer="HERE")).partition('"HERE"')
    return start[0] * 3000 + "1" + start[2] * 3000


def _nested(left, right, inner=""):
    return left * 900 + inner + right * 900


def valid():
    """The valid config."""
    return base.valid_config()


@row("text")
def long_integer(outside):
    return json.dumps(valid()).replace('"units": 4', f'"units": {"9" * 100_000}')


@row("text")
def long_integer_within_pythons_limit(outside):
    return json.dumps(valid()).replace('"units": 4', f'"units": {"9" * 4000}')


@row("text")
def infinite_units(outside):
    return json.dumps(valid()).replace('"units": 4', '"units": 1e999')


@row("text")
def units_nan(outside):
    return json.dumps(valid()).replace('"units": 4', '"units": NaN')
