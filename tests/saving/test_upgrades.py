"""Configs of Keras 1 and 2 in today's words; today's come out equal."""

import json

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.legacy import saving as legacy
from minikeras.saving.errors import FileError
from minikeras.saving.upgrades import hard_sigmoid_of_keras_2, upgrade_config
from tests.contracts.layer_table import ROWS


def upgraded(name, keras_version="2.3.1", **config):
    """Class name and config after the upgrade."""
    entry = upgrade_config({"class_name": name, "config": config}, keras_version)
    return entry["class_name"], entry["config"]


def made(name, keras_version="2.3.1", **config):
    """The layer of an old config."""
    entry = {"class_name": name, "config": config}
    return layers.deserialize(upgrade_config(entry, keras_version))


def test_configs_of_today_are_equal():
    for row in ROWS:
        config = keras.saving.serialize_keras_object(row.make(keras))
        assert upgrade_config(config) == config, row
        assert upgrade_config(config, "3.0.0") == config, row
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    for found in (
        keras.optimizers.Adam(rate),
        keras.losses.Huber(delta=0.5),
        keras.metrics.AUC(),
        keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error),
        keras.initializers.Constant(2.0),
    ):
        config = keras.saving.serialize_keras_object(found)
        assert upgrade_config(config) == config


def test_a_graph_of_today_is_equal():
    a, b = keras.Input((3,)), keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model = keras.Model([a], [inner(a) + 1.0])
    for each in (model, keras.Model({"a": a, "b": b}, layers.Add()([a, b]))):
        config = keras.saving.serialize_keras_object(each)
        assert upgrade_config(config) == config


CONVOLUTION = {
    **{"nb_filter": 4, "nb_row": 3, "nb_col": 2, "border_mode": "same"},
    **{"subsample": [2, 2], "dim_ordering": "th", "init": "zero", "bias": False},
}
RECURRENT = {
    **{"output_dim": 3, "inner_init": "one", "inner_activation": "hard_sigmoid"},
    **{"U_regularizer": None, "dropout_W": 0.2, "dropout_U": 0.3, "input_dim": 5},
    **{"consume_less": "cpu", "forget_bias_init": "one", "input_length": None},
}


def test_layers_of_keras_1():
    conv = made("Convolution2D", **CONVOLUTION)
    assert isinstance(conv, layers.Conv2D) and conv.kernel_size == (3, 2)
    assert (conv.filters, conv.padding, conv.strides) == (4, "same", (2, 2))
    assert conv.data_format == "channels_first" and not conv.use_bias
    lstm = made("LSTM", **RECURRENT)
    assert (lstm.units, lstm.dropout, lstm.recurrent_dropout) == (3, 0.2, 0.3)
    assert isinstance(lstm.cell.recurrent_initializer, keras.initializers.Ones)
    assert made("Embedding", input_dim=7, output_dim=3, init="uniform").input_dim == 7
    assert made("MaxPooling1D", pool_length=3, stride=2).pool_size == (3,)
    assert made("GaussianNoise", sigma=0.3).stddev == 0.3
    assert made("TimeDistributedDense", output_dim=3).units == 3


def test_a_stack_of_keras_1_is_a_list():
    first = {"input_dim": 5, "output_dim": 2, "dropout": 0.0, "init": "uniform"}
    first |= {"batch_input_shape": [None, None], "input_dtype": "int32", "name": "e"}
    stack = [
        {"class_name": "Embedding", "config": first},
        {"class_name": "LSTM", "config": {**RECURRENT, "name": "l"}},
    ]
    config = {"class_name": "Sequential", "keras_version": "1.2.2", "config": stack}
    model = keras.models.model_from_json(json.dumps(config))
    assert model.output_shape == (None, 3)
    stack.append({"class_name": "Highway", "config": {"name": "h"}})
    with pytest.raises(FileError, match="Unknown class 'Highway'.*custom_objects"):
        keras.models.model_from_json(json.dumps(config))


def test_layers_of_keras_2():
    assert made("BatchNormalizationV1", axis=[3], fused=True).axis == 3
    assert made("DepthwiseConv2D", kernel_size=2, groups=1).kernel_size == (2, 2)
    assert not made("GRU", units=2).reset_after
    assert made("GRU", "3.0", units=2).reset_after
    assert made("CuDNNGRU", units=2).reset_after
    assert made("LeakyReLU", alpha=0.25).negative_slope == 0.25
    assert made("ThresholdedReLU", theta=2.0).threshold == 2
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    assert made("Dense", units=2, dtype=policy).dtype_policy.name == "mixed_float16"


def test_the_slope_of_hard_sigmoid():
    x = np.linspace(-4, 4, 9, dtype="float32")
    expected = np.clip(0.2 * x + 0.5, 0, 1)
    np.testing.assert_allclose(hard_sigmoid_of_keras_2(x), expected, atol=1e-7)
    old = made("Activation", activation="hard_sigmoid")
    np.testing.assert_allclose(old(x), expected, atol=1e-7)
    again = layers.deserialize(layers.serialize(old))
    np.testing.assert_allclose(again(x), expected, atol=1e-7)
    assert upgraded("Activation", None, activation="hard_sigmoid") == (
        "Activation",
        {"activation": "hard_sigmoid"},
    )


def test_a_class_of_the_users_own_keeps_its_arguments():
    config = {"class_name": "Dropout", "config": {"p": 0.5}}
    with keras.saving.custom_object_scope({"Dropout": layers.Layer}):
        assert upgrade_config(config, "1") == config
    own = {"class_name": "Mine", "config": {"output_dim": 3}, "module": "mine"}
    assert upgrade_config(own, "1") == own


@pytest.mark.parametrize(
    "name, key, value",
    [
        ("LSTM", "time_major", True),
        ("DepthwiseConv2D", "groups", 2),
        ("BatchNormalization", "mode", 1),
        ("BatchNormalization", "virtual_batch_size", 8),
        ("Attention", "causal", True),
    ],
)
def test_what_is_gone_is_an_error_that_names_it(name, key, value):
    with pytest.raises(FileError, match=f"{name}.{key}: .*{key}={value}.*load_weights"):
        upgraded(name, **{key: value})


def test_optimizers():
    _, adam = upgraded("Adam", lr=0.1, decay=0.0, epsilon=None, jit_compile=False)
    assert adam == {"learning_rate": 0.1, "epsilon": 1e-7}
    _, adam = upgraded("Custom>Adam", lr=0.1, is_legacy_optimizer=False)
    assert adam == {"learning_rate": 0.1}
    _, sgd = upgraded("SGD", lr=0.1, decay=0.5)
    rate = keras.optimizers.schedules.deserialize(sgd["learning_rate"])
    np.testing.assert_allclose(rate(4), 0.1 / (1 + 0.5 * 4), rtol=1e-6)
    assert upgraded("Nadam", lr=0.1, schedule_decay=0.004)[1] == {"learning_rate": 0.1}


def test_losses():
    _, loss = upgraded("MeanSquaredError", reduction="auto", fn="mean_squared_error")
    assert loss == {"reduction": "sum_over_batch_size"}


def graph(*entries, inputs="a", outputs="z"):
    """A Functional model of Keras 2: (name, class, config, calls) of its layers."""
    start = {"batch_input_shape": [None, 4], "dtype": "float32", "name": inputs}
    entries = [(inputs, "InputLayer", start, []), *entries]
    found = [
        {
            "class_name": kind,
            "name": name,
            "config": {"name": name, **config},
            "inbound_nodes": calls,
        }
        for name, kind, config, calls in entries
    ]
    ends = {"input_layers": [[inputs, 0, 0]], "output_layers": [[outputs, 0, 0]]}
    config = {"name": "model", "layers": found, **ends}
    return {"class_name": "Model", "config": config, "keras_version": "2.2.4"}


def test_graphs_of_keras_2():
    """A nested model's calls count from 1; one input is no list of one."""
    inner = [{"class_name": "Dense", "config": {"name": "d", "units": 4, "bias": True}}]
    calls = [[["a", 0, 0, {}]], [["inner", 1, 0]]]
    config = graph(
        ("inner", "Sequential", {"name": "inner", "layers": inner}, calls),
        ("z", "Merge", {"mode": "sum"}, [[["inner", 2, 0], ["a", 0, 0]]]),
    )
    model = keras.models.model_from_json(json.dumps(config))
    x = np.ones((1, 4), "float32")
    inner = model.get_layer("inner")
    np.testing.assert_allclose(model(x), inner(inner(x)) + x, rtol=1e-6)
    again = upgrade_config(upgrade_config(config))
    assert again == upgrade_config(config)


def test_states_in_the_inputs_of_a_recurrent_layer():
    lstm = {"units": 3, "return_state": True}
    repeated = ("r", "RepeatVector", {"n": 2}, [[["a", 0, 0, {}]]])
    states = [["r", 0, 0], ["x", 0, 1], ["x", 0, 2]]
    config = graph(
        repeated,
        ("x", "LSTM", lstm, [[["r", 0, 0, {"training": False}]]]),
        ("z", "LSTM", {**lstm, "return_state": False}, [states]),
    )
    model = keras.models.model_from_json(json.dumps(config))
    assert model.output_shape == (None, 3)


def call(function, argument, **keywords):
    """The entry of a layer that calls a function of TensorFlow."""
    return ("z", "TFOpLambda", {"function": function}, [[*argument, keywords]])


A = ("a", 0, 0)
X = np.array([[1.0, -2.0, 3.0, 0.5]], "float32")


@pytest.mark.parametrize(
    "entry, expected",
    [
        (call("nn.relu", A, name=None), np.maximum(X, 0)),
        (call("__operators__.add", A, y=1.5, name=None), X + 1.5),
        (call("math.subtract", ("_CONSTANT_VALUE", -1, 2.0), y=A), 2 - X),
        (call("math.reduce_sum", A, axis=1, keepdims=True), X.sum(1, keepdims=True)),
        (call("clip_by_value", A, clip_value_min=-1, clip_value_max=1), X.clip(-1, 1)),
        (call("reshape", A, shape=[-1, 2, 2]), X.reshape(-1, 2, 2)),
        (call("where", A, x=A, y=0.0), X),
    ],
)
def test_functions_of_tensorflow(entry, expected):
    if entry[2]["function"] == "where":
        entry = call("math.greater", A, y=0.0)
        expected = X > 0
    model = keras.models.model_from_json(json.dumps(graph(entry)))
    np.testing.assert_allclose(model(X), expected)


def test_slices_and_unknown_functions():
    spec = [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3}]
    spec[1]["step"] = None
    node = [[*A, {"slice_spec": spec}]]
    config = graph(("z", "SlicingOpLambda", {"function": "getitem"}, node))
    model = keras.models.model_from_json(json.dumps(config))
    np.testing.assert_allclose(model(X), X[:, 1:3])
    with pytest.raises(FileError, match="tf.signal.frame.*keras.ops"):
        upgrade_config(graph(call("signal.frame", A, frame_length=2)))
    with pytest.raises(FileError, match="mode 'unknown'"):
        upgraded("Merge", mode="unknown")


def test_legacy_saving():
    layer = layers.Dense(3, name="d")
    config = legacy.serialize_keras_object(layer)
    assert [*config] == ["class_name", "config"]
    assert legacy.deserialize_keras_object(config).units == 3
    assert legacy.serialize_keras_object(None) is None
    assert legacy.serialize_keras_object(keras.losses.hinge) == "hinge"
    tables = {"relu": keras.activations.relu, "Zeros": keras.initializers.Zeros}
    assert legacy.deserialize_keras_object("relu", tables) is keras.activations.relu
    assert isinstance(
        legacy.deserialize_keras_object("Zeros", tables), keras.initializers.Zeros
    )
    with pytest.raises(ValueError, match="expected a name, or a dict"):
        legacy.deserialize_keras_object({"a": 1})
    with pytest.raises(ValueError, match="no `get_config"):
        legacy.serialize_keras_object(3)
    assert keras.legacy.saving is legacy


def test_modules_of_all_packages_of_keras():
    for package in ("keras", "keras_core", "tf_keras.src", "tensorflow.keras"):
        config = {"module": f"{package}.layers", "class_name": "Dense"}
        config |= {"config": {"units": 2}, "registered_name": None}
        layer = keras.saving.deserialize_keras_object(config)
        assert type(layer) is keras.layers.Dense
