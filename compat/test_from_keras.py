"""Models that go from one package to the other in memory: each layer, larger graphs.

`test_exchange.py` does the same with files.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.cases import CASES
from compat.test_exchange import FIRST, layer_model, outputs, randomize
from minikeras.parity.exchange import from_keras, to_keras, value_of
from tests.contracts.layer_table import ROWS

WAYS = [(keras, from_keras, minikeras), (minikeras, to_keras, keras)]
IDS = ["from_keras", "to_keras"]

# What Keras 3.15.1 does with its own layers of these classes.
KERAS_CANNOT = {
    "JaxLayer": "makes it with TensorFlow alone",
    "RandomCrop": "gives a whole image in inference, and the shape of a cropped one",
    "Equalization": "finds a cycle in the graph where the layer returns its input",
    "RandomShear": "refuses the config that it writes",
}


def assert_same_state(model, other):
    """Equal to the last bit: Variables, seeds among them; and equal flags."""
    for a, b in zip(model.variables, other.variables, strict=True):
        assert a.trainable == b.trainable, a.path
        assert a.name == b.name
        np.testing.assert_array_equal(value_of(a), value_of(b), a.path)


def assert_same_outputs(model, other, x, tolerance=1e-6):
    for a, b in zip(outputs(model, x), outputs(other, x), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("source, exchange, _", WAYS, ids=IDS)
@pytest.mark.parametrize("name", draw.names([str(row) for row in ROWS], FIRST))
def test_layers(name, source, exchange, _):
    row = next(row for row in ROWS if str(row) == name)
    if row.name in KERAS_CANNOT:
        pytest.skip(f"Keras {KERAS_CANNOT[row.name]}")
    model, x = layer_model(source, row)
    randomize(model)
    other = exchange(model)
    assert_same_state(model, other)
    # Decibels: what rounding leaves of a power near 0 is large.
    tolerance = 1e-3 if row.name == "MelSpectrogram" else 1e-6
    assert_same_outputs(model, other, x, tolerance)


def batch(arguments):
    """(x, y, sample weights) of a case, the first 16 samples."""
    found = [arguments.get(key) for key in ("x", "y", "sample_weight")]
    return jax.tree_util.tree_map(lambda a: a[:16], found)


def steps(model, arguments, count):
    """Losses and metrics of steps on one batch, from the beginning of the metrics."""
    x, y, weights = batch(arguments)
    model.reset_metrics()
    return [
        model.train_on_batch(x, y, sample_weight=weights, return_dict=True)
        for _ in range(count)
    ]


def network(name, size, **options):
    """A function of the package: one of `applications`, small, and a batch."""

    def make(package):
        network = getattr(package.applications, name)
        model = network(weights=None, input_shape=(size, size, 3), classes=5, **options)
        model.compile("adam", "sparse_categorical_crossentropy")
        x = np.random.default_rng(3).uniform(-1, 1, (4, size, size, 3))
        return model, {"x": x.astype("float32"), "y": np.array([0, 3, 1, 4])}

    return make


LARGER = {
    name: CASES[name]
    for name in (
        *("nested_outputs", "dict_outputs", "list_outputs", "operations"),
        *("frozen_nested", "subclass_add_loss", "nested_layers", "half_precision"),
        *("accumulated_gradients", "adam_normalization", "adam_moving_average"),
        *("own_loss_and_metrics", "forecaster", "stacked_lstm_masked"),
        *("transformer_classifier", "residual_net", "u_net", "inception"),
        *("encoder_decoder", "grouped_query_decoder", "stacked_cells", "own_cell"),
        *("squeeze_and_excite", "embedding", "momentum_dropout"),
    )
}


@pytest.mark.parametrize("source, exchange, target", WAYS, ids=IDS)
@pytest.mark.parametrize(
    "name", draw.names(LARGER, ["frozen_nested", "subclass_add_loss"])
)
def test_larger_models_go_on_training(name, source, exchange, target):
    for package in (keras, minikeras):
        package.utils.clear_session()
        package.utils.set_random_seed(7)
    LARGER[name](target)  # registers the classes that the case defines
    model, arguments = LARGER[name](source)
    steps(model, arguments, 2)
    other = exchange(model)
    assert_same_state(model, other)
    pairs = zip(model.optimizer.variables, other.optimizer.variables, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(value_of(a), value_of(b), a.path)
    assert_same_outputs(model, other, batch(arguments)[0], 2e-6)
    for a, b in zip(*(steps(m, arguments, 2) for m in (model, other)), strict=True):
        assert list(a) == list(b)
        np.testing.assert_allclose([*a.values()], [*b.values()], rtol=1e-5, atol=1e-6)


NETWORKS = ["MobileNetV3Small", "EfficientNetB0", "DenseNet121"]


@pytest.mark.parametrize("source, exchange, _", WAYS, ids=IDS)
@pytest.mark.parametrize("name", draw.names(NETWORKS, []))
def test_networks_keep_their_weights_and_slots(name, source, exchange, _):
    network = getattr(source.applications, name)
    model = network(weights=None, input_shape=(32, 32, 3), classes=5)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(3)
    for v in [*model.weights, *model.optimizer.variables]:
        if "float" in str(v.dtype):
            v.assign(rng.uniform(0.05, 0.1, v.shape).astype("float32"))
    other = exchange(model)
    assert_same_state(model, other)
    pairs = zip(model.optimizer.variables, other.optimizer.variables, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(value_of(a), value_of(b), a.path)
    x = rng.uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    found = [m.predict(x, verbose=0) for m in (model, other)]
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)
