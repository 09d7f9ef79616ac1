"""The networks of `keras.applications`: the same layers, weights, answers and files."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import json
import random
import types

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import convnext as keras_convnext
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

import minikeras
from minikeras.applications import weights as weight_files

PACKAGES = (keras, minikeras)
NETWORKS = sorted(n for n in vars(keras.applications) if n[0].isupper())
MODULES = sorted(n for n in vars(keras.applications) if n[0].islower())
SMALL = ("MobileNet", "MobileNetV3Small")
# Those of which each figure is compared in `make test`, and one of each family.
FAMILIES = """
    ConvNeXtTiny DenseNet121 EfficientNetB0 EfficientNetV2B0 InceptionResNetV2
    InceptionV3 MobileNet MobileNetV2 MobileNetV3Small NASNetMobile ResNet50 ResNet50V2
    VGG16 Xception
""".split()
QUICK = (*SMALL, "ConvNeXtTiny")
# Keras's own tests leave these out.
NO_CHANNELS_FIRST = ("ConvNeXt", "DenseNet", "NASNet")
ARGUMENTS = {
    "no top": {"include_top": False},
    "mean": {"include_top": False, "pooling": "avg"},
    "maximum": {"include_top": False, "pooling": "max"},
    "classes": {"classes": 7, "classifier_activation": None},
    "size": {"include_top": False, "input_shape": (123, 140, 3)},
    "any size": {"include_top": False, "input_shape": (None, None, 1)},
    "tensor": {"include_top": False, "input_tensor": (200, 190, 4)},
}
OWN_ARGUMENTS = [
    ("ConvNeXtTiny", {"include_preprocessing": False}),
    ("EfficientNetV2B1", {"include_preprocessing": False}),
    ("EfficientNetV2S", {"include_preprocessing": False}),
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNet", {"input_shape": (160, 160, 3), "alpha": 0.75}),
    ("MobileNetV2", {"alpha": 0.35}),
    ("MobileNetV2", {"alpha": 1.3, "input_shape": (96, 96, 3)}),
    ("MobileNetV3Large", {"minimalistic": True, "alpha": 0.75}),
    ("MobileNetV3Small", {"include_preprocessing": False, "dropout_rate": 0.4}),
    ("NASNetMobile", {"include_top": False, "input_shape": (64, 64, 3)}),
]


def slow_but(quick, names=NETWORKS):
    """The names for `parametrize`; `make test` leaves all but some out."""
    return [n if n in quick else pytest.param(n, marks=pytest.mark.slow) for n in names]


def no_draws(shape, *args, dtype=None, **kwargs):
    return np.zeros(shape, dtype or "float32")


@pytest.fixture
def without_draws(monkeypatch):
    """Weights of zeros: Keras compiles a program for each shape that it draws."""
    from keras.src import backend
    from keras.src.backend.jax import random as jax_random

    from minikeras.random import distributions

    for module in (jax_random, backend.random, keras.src.random, distributions):
        for name in ("uniform", "normal", "truncated_normal"):
            monkeypatch.setattr(module, name, no_draws)


def build(package, name, data_format="channels_last", **arguments):
    """A network without weights, after a fixed seed and with fresh automatic names."""
    package.utils.clear_session()
    package.utils.set_random_seed(7)
    for key, sizes in arguments.items():
        if key in ("input_shape", "input_tensor") and data_format == "channels_first":
            arguments[key] = (sizes[2], *sizes[:2])
    if shape := arguments.get("input_tensor"):
        own = package.Input(shape, name="own")
        own = package.layers.Conv2D(3, 2, strides=2)(own)
        arguments["input_tensor"] = own
    return getattr(package.applications, name)(weights=None, **arguments)


def structure(model):
    """What files and scripts see: config, names, shapes and order of weights."""
    weights = [(w.path, tuple(w.shape), w.dtype, w.trainable) for w in model.weights]
    return json.loads(model.to_json())["config"], weights, random.random()


def assert_same_structure(name, **arguments):
    for theirs, ours in zip(
        *(structure(build(package, name, **arguments)) for package in PACKAGES),
        strict=True,
    ):
        assert theirs == ours


@pytest.mark.parametrize("name", slow_but(QUICK))
def test_structure(without_draws, name):
    assert_same_structure(name)


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("name", slow_but(SMALL[1:], FAMILIES))
def test_arguments(without_draws, name, arguments):
    assert_same_structure(name, **ARGUMENTS[arguments])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        row if row[0] in QUICK else pytest.param(*row, marks=pytest.mark.slow)
        for row in OWN_ARGUMENTS
    ],
)
def test_own_arguments(without_draws, name, arguments):
    assert_same_structure(name, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize(
    "name", [n for n in FAMILIES if not n.startswith(NO_CHANNELS_FIRST)]
)
def test_channels_first(without_draws, name, arguments):
    for package in PACKAGES:
        package.config.set_image_data_format("channels_first")
    try:
        assert_same_structure(
            name, data_format="channels_first", **ARGUMENTS[arguments]
        )
    finally:
        for package in PACKAGES:
            package.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", slow_but(SMALL[:1]))
def test_weights_and_files(name, tmp_path):
    """The same seed gives the same bits; files go both ways."""
    theirs, ours = (
        build(package, name, input_shape=(96, 96, 3)) for package in PACKAGES
    )
    assert_equal_weights(ours, theirs)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.normal(size=w.shape) for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "a.weights.h5")
    ours.load_weights(tmp_path / "a.weights.h5")
    assert_equal_weights(ours, theirs)
    theirs.save(tmp_path / "theirs.keras")
    loaded = minikeras.models.load_model(tmp_path / "theirs.keras")
    assert_equal_weights(loaded, theirs)
    ours.save(tmp_path / "ours.keras")
    assert_equal_weights(keras.models.load_model(tmp_path / "ours.keras"), theirs)
    ours.set_weights([rng.normal(size=w.shape) for w in theirs.get_weights()])
    ours.save_weights(tmp_path / "b.weights.h5")
    theirs.load_weights(tmp_path / "b.weights.h5")
    assert_equal_weights(ours, theirs)


# Rounding errors grow from layer to layer in a deep network that is not trained: at its
# end, Keras's own EfficientNetV2L is 60 % away from its answer in float64.
COMPARED_UNTIL = {"EfficientNetV2L": "block3g_add"}


@pytest.mark.parametrize("name", slow_but(SMALL[:1]))
def test_answers(name):
    models = [build(package, name, input_shape=(96, 96, 3)) for package in PACKAGES]
    if layer := COMPARED_UNTIL.get(name):
        models = [
            package.Model(model.input, model.get_layer(layer).output)
            for package, model in zip(PACKAGES, models, strict=True)
        ]
    x = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 3)).astype("float32")
    theirs, ours = (model.predict(x, verbose=0) for model in models)
    assert_close(ours, theirs)


def assert_close(ours, theirs):
    np.testing.assert_allclose(
        ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max()
    )


def assert_equal_weights(ours, theirs):
    for v, w in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(v), np.asarray(w), err_msg=v.path)


class Asked(Exception):
    """Raised in the place of a download."""


IMAGENET = [
    *((name, {}) for name in NETWORKS),
    *(
        ("MobileNet", {"alpha": a, "input_shape": (128, 128, 3)})
        for a in (0.25, 0.5, 0.75)
    ),
    *(("MobileNetV2", {"alpha": a}) for a in (0.35, 0.5, 0.75, 1.3, 1.4)),
    ("MobileNetV3Small", {"alpha": 0.75}),
    ("MobileNetV3Large", {"alpha": 0.75}),
    ("MobileNetV3Small", {"minimalistic": True}),
    ("MobileNetV3Large", {"minimalistic": True}),
]


@pytest.mark.parametrize("include_top", [True, False])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        row if row[0] == "MobileNet" else pytest.param(*row, marks=pytest.mark.slow)
        for row in IMAGENET
    ],
)
def test_files_that_are_asked_for(
    without_draws, monkeypatch, name, arguments, include_top
):
    asked = []

    def get_file(fname, origin, cache_subdir=None, file_hash=None):
        asked.append((fname, origin, cache_subdir, file_hash))
        raise Asked

    monkeypatch.setattr(file_utils, "get_file", get_file)
    monkeypatch.setattr(weight_files, "get_file", get_file)
    for package in PACKAGES:
        with pytest.raises(Asked):
            getattr(package.applications, name)(include_top=include_top, **arguments)
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "name", slow_but(["EfficientNetB0"], ["EfficientNetB0", "EfficientNetB3"])
)
def test_structure_with_imagenet_weights(without_draws, monkeypatch, name):
    """EfficientNet has one more layer then."""
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: "none.h5")
    monkeypatch.setattr(weight_files, "get_file", lambda *args, **kwargs: "none.h5")
    for package in PACKAGES:
        monkeypatch.setattr(package.Model, "load_weights", lambda self, path: None)
    models = []
    for package in PACKAGES:
        package.utils.clear_session()
        models.append(getattr(package.applications, name)())
    theirs, ours = (json.loads(model.to_json())["config"] for model in models)
    assert theirs == ours


@pytest.mark.parametrize(
    "name",
    slow_but(["ConvNeXtTiny"], ["ConvNeXtTiny", "EfficientNetB0", "NASNetMobile"]),
)
def test_imagenet_files(without_draws, monkeypatch, tmp_path, name):
    """Files of the published layout: by the order of layers, not by names."""
    path = str(tmp_path / "a.h5")
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: path)
    monkeypatch.setattr(weight_files, "get_file", lambda *args, **kwargs: path)
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "load_weights", lambda self, path: None)
        theirs = getattr(keras.applications, name)()
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.uniform(size=w.shape) for w in theirs.get_weights()])
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    assert_equal_weights(getattr(minikeras.applications, name)(), theirs)
    without_top = {"include_top": False, "input_shape": (224, 224, 3)}
    with pytest.raises(minikeras.saving.FileError, match="layers"):
        getattr(minikeras.applications, name)(**without_top)


@pytest.mark.parametrize("name", NETWORKS)
def test_signatures(name):
    theirs, ours = (
        inspect.signature(getattr(package.applications, name)) for package in PACKAGES
    )
    assert [(p.name, p.default) for p in theirs.parameters.values()] == [
        (p.name, p.default) for p in ours.parameters.values()
    ]


@pytest.mark.parametrize("module", MODULES)
def test_modules(module):
    theirs, ours = (getattr(package.applications, module) for package in PACKAGES)
    assert isinstance(ours, types.ModuleType)
    for name in [n for n in vars(theirs) if n[0] != "_"]:
        assert str(inspect.signature(getattr(ours, name))) == str(
            inspect.signature(getattr(theirs, name))
        )


PREPARED = sorted({*MODULES})


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first", None])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize("module", PREPARED)
def test_preprocess_input(module, dtype, data_format):
    rng = np.random.default_rng(0)
    shape = (3, 5, 4) if data_format == "channels_first" else (5, 4, 3)
    for batch in ((), (2,)):
        x = rng.integers(0, 255, (*batch, *shape)).astype(dtype)
        given = [x.copy(), x.copy()]
        theirs, ours = (
            getattr(package.applications, module).preprocess_input(x, data_format)
            for package, x in zip(PACKAGES, given, strict=True)
        )
        assert ours.dtype == theirs.dtype and isinstance(ours, np.ndarray)
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(given[0], given[1])  # what is done in place
        # Arrays of JAX; Keras lets uint8 overflow.
        if dtype.startswith("float"):
            theirs, ours = (
                getattr(package.applications, module).preprocess_input(
                    package.ops.convert_to_tensor(x), data_format
                )
                for package in PACKAGES
            )
            assert ours.dtype == theirs.dtype
            tolerance = 1e-2 if dtype == "float16" else 1e-6
            np.testing.assert_allclose(
                np.asarray(ours, "float32"),
                np.asarray(theirs, "float32"),
                rtol=tolerance,
                atol=100 * tolerance,
            )


@pytest.mark.parametrize("module", ["resnet", "xception", "densenet", "convnext"])
def test_preprocess_input_in_a_graph(module):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype("float32")
    outputs = []
    for package in PACKAGES:
        image = package.Input((4, 4, 3))
        prepared = getattr(package.applications, module).preprocess_input(image)
        outputs.append(package.Model(image, prepared).predict(x, verbose=0))
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-5, atol=1e-4)


def test_decode_predictions(tmp_path, monkeypatch):
    index = {str(i): [f"n{i:08}", f"class_{i}"] for i in range(1000)}
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "imagenet_class_index.json"
    file.write_text(json.dumps(index))
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(file))
    from minikeras.applications import imagenet_utils

    monkeypatch.setattr(imagenet_utils, "get_file", lambda *args, **kwargs: str(file))
    scores = np.random.default_rng(0).uniform(size=(3, 1000)).astype("float32")
    for top in (1, 5, 1000):
        theirs, ours = (
            package.applications.resnet.decode_predictions(scores, top=top)
            for package in PACKAGES
        )
        assert ours == theirs


@pytest.mark.parametrize("name", ["StochasticDepth", "LayerScale"])
def test_layers_of_convnext(name):
    arguments = {"StochasticDepth": (0.4,), "LayerScale": (1e-3, 3)}[name]
    x = np.random.default_rng(0).normal(size=(6, 4, 4, 3)).astype("float32")
    answers = []
    for module in (keras_convnext, minikeras.applications.convnext):
        (keras if module is keras_convnext else minikeras).utils.set_random_seed(3)
        layer = getattr(module, name)(*arguments)
        answers.append([np.asarray(layer(x, training=t)) for t in (True, True, False)])
    for ours, theirs in zip(answers[1], answers[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
