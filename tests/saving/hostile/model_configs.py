"""Hostile configs of whole models and of compile arguments, and texts that are none."""

import json

from tests.saving.hostile import base
from tests.saving.hostile.base import dense, input_layer, named, sequential
from tests.saving.hostile.configs import bytecode, function, valid

ROWS, row = base.table()


# Not the JSON of a model.


@row("text")
def text_empty(outside):
    return ""


@row("text")
def text_null(outside):
    return "null"


@row("text")
def text_number(outside):
    return "3"


@row("text")
def text_string(outside):
    return '"Sequential"'


@row("text")
def text_empty_dict(outside):
    return "{}"


@row("text")
def text_empty_list(outside):
    return "[]"


@row("text")
def text_cut(outside):
    return json.dumps(valid())[:-20]


@row("text")
def bad_utf8(outside):
    return json.dumps(valid()).encode().replace(b'"a"', b'"\xff\xfe"')


@row("text")
def lone_surrogate(outside):
    return json.dumps(valid()).replace('"a"', '"\\ud800"')


@row("text")
def zero_bytes(outside):
    return b"\0" * 1000


@row("text")
def class_alone(outside):
    return '{"class_name": "Sequential"}'


@row("text")
def class_alone_with_null(outside):
    return '{"class_name": "Sequential", "config": null}'


@row("model")
def a_layer(outside):
    return dense()


@row("model")
def a_metric(outside):
    return named("Mean", "keras.metrics")


@row("model")
def a_function(outside):
    return function("keras.activations", "relu")


@row("model")
def list_for_the_class(outside):
    return valid() | {"class_name": ["Sequential"]}


@row("model")
def dict_for_the_class(outside):
    return valid() | {"class_name": {"a": 1}}


@row("model")
def number_for_the_module(outside):
    return valid() | {"module": 3, "class_name": "Unknown"}


@row("model")
def list_for_the_config(outside):
    return valid() | {"config": [1, 2]}


@row("model")
def text_for_the_layers(outside):
    return sequential() | {"config": {"name": "m", "layers": "abc"}}


@row("model")
def nulls_for_the_layers(outside):
    return sequential(None, None)


@row("model")
def texts_for_the_layers(outside):
    return sequential("Dense", "os.system")


@row("model")
def list_for_a_layer(outside):
    return sequential([dense()])


@row("model")
def unknown_argument(outside):
    return sequential(input_layer(3), dense(no_such_argument=3))


@row("model")
def dict_for_units(outside):
    return sequential(input_layer(3), dense(units={"a": 1}))


@row("model")
def negative_units(outside):
    return sequential(input_layer(3), dense(units=-4))


@row("model")
def unknown_dtype(outside):
    return sequential(input_layer(3), dense(dtype="float31"))


@row("model")
def input_of_texts(outside):
    return sequential(named("InputLayer", batch_shape=["a", "b"], name="in"), dense())


@row("model")
def negative_input(outside):
    return sequential(input_layer(-3), dense())


@row("model")
def build_with_a_text(outside):
    return sequential(dense() | {"build_config": {"input_shape": "abc"}})


@row("model")
def build_with_a_number(outside):
    return sequential(dense() | {"build_config": 5})


@row("model")
def unhashable_shared_id(outside):
    return sequential(input_layer(3), dense() | {"shared_object_id": [1]})


@row("model")
def wrapper_of_nothing(outside):
    return sequential(input_layer(3), named("TimeDistributed", name="t", layer=None))


@row("model")
def wrapper_of_a_text(outside):
    return sequential(input_layer(3), named("Bidirectional", name="t", layer="x"))


def functional(*layers, inputs=(("in", 0, 0),), outputs=(("a", 0, 0),)):
    """The config of a Functional model."""
    config = {"name": "f", "trainable": True, "layers": [*layers]}
    config |= {"input_layers": [*inputs], "output_layers": [*outputs]}
    return named("Functional", "keras.src.models.functional", "Functional", **config)


def node(layer, *sources):
    """A layer that is called on outputs of others."""
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 3], "dtype": "float32", "keras_history": [*s]},
        }
        for s in sources
    ]
    return layer | {
        "name": layer["config"].get("name"),
        "inbound_nodes": [{"args": tensors, "kwargs": {}}],
    }


_IN = {**input_layer(3), "name": "in", "inbound_nodes": []}


@row("model")
def graph_in_a_circle(outside):
    a, b = node(dense("a"), ("b", 0, 0)), node(dense("b"), ("a", 0, 0))
    return functional(_IN, a, b)


@row("model")
def graph_of_a_layer_on_itself(outside):
    return functional(_IN, node(dense("a"), ("a", 0, 0)))


@row("model")
def graph_of_unknown_layers(outside):
    return functional(_IN, node(dense("a"), ("zz", 0, 0)))


@row("model")
def graph_of_a_huge_index(outside):
    return functional(_IN, node(dense("a"), ("in", 10**9, 0)))


@row("model")
def graph_of_texts(outside):
    return functional(_IN, node(dense("a"), ("in", "0", "0")))


@row("model")
def graph_with_unknown_outputs(outside):
    return functional(_IN, node(dense("a"), ("in", 0, 0)), outputs=[["b", 0, 0]])


@row("model")
def graph_with_null_inputs(outside):
    return functional(_IN, node(dense("a"), ("in", 0, 0)), inputs=[None])


@row("model")
def graph_with_null_nodes(outside):
    return functional(_IN, dense("a") | {"name": "a", "inbound_nodes": [None]})


@row("model")
def graph_without_names(outside):
    return functional(_IN, dense("a") | {"inbound_nodes": 3})


@row("model")
def graph_without_lists(outside):
    config = named("Functional", "keras.src.models.functional", "Functional")
    return config | {"config": {"name": "f", "layers": [_IN]}}


# What the model is compiled with.


@row("compile")
def optimizer_of_os(outside):
    return {"optimizer": named("system", "os", command=f"touch {outside}/ran")}


@row("compile")
def loss_of_builtins(outside):
    return {"loss": function("builtins", "eval")}


@row("compile")
def unknown_optimizer(outside):
    return {"optimizer": "os.system"}


@row("compile")
def unknown_loss(outside):
    return {"loss": "no_such_loss"}


@row("compile")
def dict_for_the_learning_rate(outside):
    optimizer = named("SGD", "keras.optimizers", learning_rate={"a": 1})
    return {"optimizer": optimizer}


@row("compile")
def layer_for_the_optimizer(outside):
    return {"optimizer": dense()}


@row("compile")
def lambda_for_the_loss(outside):
    code = {"code": bytecode(outside), "defaults": None, "closure": None}
    return {"loss": {"class_name": "__lambda__", "config": code}}


@row("compile")
def unknown_compile_argument(outside):
    return {"no_such_argument": 1}


@row("compile")
def list_for_the_optimizer(outside):
    return {"optimizer": [1, 2]}


@row("wrong")
def compile_config_is_a_list(outside):
    return [1, 2, 3]


@row("wrong")
def compile_config_is_a_text(outside):
    return "adam"
