"""Exchange of files with Keras: a model of each layer, optimizers, larger graphs.

`test_files.py` trains the models of the cases on both sides; here each is built, gets
random weights, and goes through `.keras`, `.weights.h5` and JSON in both directions.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import warnings

import jax
import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.cases import CASES
from compat.optimizer_cases import OPTIMIZERS
from tests.contracts.layer_table import ROWS

PACKAGES = {"keras": keras, "minikeras": minikeras}
WAYS = [("keras", "minikeras"), ("minikeras", "keras")]


def randomize(model, seed=0):
    """Give all weights of a model random values that any layer takes."""
    rng = np.random.default_rng(seed)
    for variable in own_weights(model):
        if "float" in str(variable.dtype):
            variable.assign(rng.uniform(0.05, 0.9, variable.shape).astype("float32"))


def own_weights(model):
    """All but those of LoRA, which a file has as part of the kernel."""
    return [v for v in model.weights if "lora" not in v.name]


def arrays(model):
    """The weights as float32 or integers, which hold those in bfloat16 exactly."""
    values = [np.asarray(v.value) for v in own_weights(model)]
    return [v.astype("float32") if v.dtype.kind == "V" else v for v in values]


def outputs(model, x):
    """What the model makes of the inputs, as a list of arrays."""
    return [np.asarray(y) for y in jax.tree_util.tree_leaves(model(x, training=False))]


def assert_same(model, weights, x, expected, tolerance=1e-6):
    """Bit-equal weights, outputs to 1e-6."""
    for ours, theirs in zip(arrays(model), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(outputs(model, x), expected, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=tolerance)


def exchange(reader, model, x, folder, custom=None, tolerance=1e-6):
    """Send the model to the other package in each format, and compare."""
    weights, expected = arrays(model), outputs(model, x)
    model.save(folder / "model.keras")
    read = reader.saving.load_model(folder / "model.keras", custom)
    assert_same(read, weights, x, expected, tolerance)
    read = reader.models.model_from_json(model.to_json(), custom)
    randomize(read, 1)
    model.save_weights(folder / "model.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # every weight finds its place
        read.load_weights(folder / "model.weights.h5")
    assert_same(read, weights, x, expected, tolerance)


# What Keras 3.15.1 does with its own layers of these classes.
KERAS_CANNOT = {
    "JaxLayer": "saves it with TensorFlow alone",
    "Equalization": "finds a cycle in the graph where the layer returns its input",
    "RandomCrop": "gives a whole image in inference, and the shape of a cropped one",
    "RandomShear": "refuses the config that it writes",
}


def layer_model(package, row):
    """A model of one layer, and its inputs."""

    def one(x):
        return package.Input(x.shape[1:], dtype=x.dtype.name, batch_size=len(x))

    package.utils.clear_session()
    package.utils.set_random_seed(3)
    try:
        row.make(keras)
    except ImportError as error:
        pytest.skip(f"Keras cannot: {str(error)[:80]}")
    x = row.inputs()
    inputs = [one(each) for each in x] if isinstance(x, list) else one(x)
    return package.Model(inputs, row.call(row.make(package), inputs)), x


# One of each kind of weight, container or config; the others take a second or two.
QUICK = (
    *("Dense", "Embedding", "Lambda", "BatchNormalization", "Normalization", "RNN"),
    *("Bidirectional", "Pipeline"),
)
FIRST = {
    str(row) for name in QUICK for row in [next(r for r in ROWS if r.name == name)]
}


@pytest.mark.parametrize("writer, reader", WAYS, ids=["theirs", "ours"])
@pytest.mark.parametrize("name", draw.names([str(row) for row in ROWS], FIRST))
def test_layers(name, writer, reader, tmp_path):
    row = next(row for row in ROWS if str(row) == name)
    if row.name in KERAS_CANNOT:
        pytest.skip(f"Keras {KERAS_CANNOT[row.name]}")
    model, x = layer_model(PACKAGES[writer], row)
    randomize(model)
    custom = {f.__name__: f for f in row.functions()}
    # Decibels: what rounding leaves of a power near 0 is large.
    tolerance = 1e-3 if row.name == "MelSpectrogram" else 1e-6
    exchange(PACKAGES[reader], model, x, tmp_path, custom, tolerance)


LEFT_OUT = ("generator", "dataset", "variational_autoencoder")
GRAPHS = [name for name in CASES if name not in LEFT_OUT]
QUICK_GRAPHS = ("nested_outputs", "half_precision")


@pytest.mark.parametrize("writer, reader", WAYS, ids=["theirs", "ours"])
@pytest.mark.parametrize("name", draw.names(GRAPHS, QUICK_GRAPHS))
def test_graphs(name, writer, reader, tmp_path):
    for package in PACKAGES.values():
        package.utils.clear_session()
    CASES[name](PACKAGES[reader])  # registers the classes that the case defines
    model, arguments = CASES[name](PACKAGES[writer])
    x = jax.tree_util.tree_map(lambda a: a[:4], arguments["x"])
    if not model.built or not model.weights:
        model(x)
    # A model of JSON is compiled, its optimizer built, as this one then is.
    model.optimizer.build(model.trainable_variables)
    randomize(model)
    exchange(PACKAGES[reader], model, x, tmp_path)


def compiled(package, name):
    """A small model in the middle of training, and a function that trains it on."""
    package.utils.clear_session()
    package.utils.set_random_seed(5)
    layers = package.layers
    model = package.Sequential(
        [package.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2)]
    )
    model.compile(make_optimizer(package, name), "mse", metrics=["mae"])
    return model


def make_optimizer(package, name):
    """An optimizer with arguments of all kinds."""
    common = {"clipnorm": 1.0, "weight_decay": 0.01, "use_ema": True}
    schedule = package.optimizers.schedules.ExponentialDecay(0.05, 3, 0.8)
    if name == "LossScaleOptimizer":
        return package.optimizers.LossScaleOptimizer(
            package.optimizers.Adam(schedule), initial_scale=8.0, dynamic_growth_steps=3
        )
    return getattr(package.optimizers, name)(schedule, **common)


def losses(model, count):
    """Losses of steps on one batch."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    return [float(model.train_on_batch(x, y)[0]) for _ in range(count)]


KINDS = sorted({*OPTIMIZERS} & {*vars(keras.optimizers)} | {"LossScaleOptimizer"})


@pytest.mark.parametrize("writer, reader", WAYS, ids=["theirs", "ours"])
@pytest.mark.parametrize("name", draw.names(KINDS, ["Adam"]))
def test_optimizers(name, writer, reader, tmp_path):
    """In mid-training: slots bit-equal, the next losses to 1e-5."""
    model = compiled(PACKAGES[writer], name)
    losses(model, 3)
    model.save(tmp_path / "model.keras")
    read = PACKAGES[reader].saving.load_model(tmp_path / "model.keras")
    pairs = zip(read.optimizer.variables, model.optimizer.variables, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(np.asarray(ours.value), np.asarray(theirs.value))
    configs = [m.get_compile_config() for m in (read, model)]
    for config in configs:
        config["optimizer"].pop("module"), config["optimizer"].pop("registered_name")
    assert configs[0]["loss"] == configs[1]["loss"]
    assert configs[0]["metrics"] == configs[1]["metrics"]
    assert_close_configs(*(config["optimizer"] for config in configs))
    np.testing.assert_allclose(losses(read, 4), losses(model, 4), rtol=1e-5)


def assert_close_configs(left, right):
    """Equal, apart from numbers that Keras keeps in float32."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_close_configs(left[key], right[key])
    elif isinstance(left, float):
        np.testing.assert_allclose(left, right, rtol=1e-6)
    else:
        assert left == right
