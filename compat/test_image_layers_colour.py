"""Image layers that change colours, or mix images, against Keras: the same draws.

Each test calls both packages with the same arguments, seed and inputs. Where ours
follows Keras's documentation instead, the test says so.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import itertools
import random

import jax
import keras
import numpy as np
import pytest

import minikeras


def slow(condition):
    return [pytest.mark.slow] if condition else []


# {layer: its arguments, of each kind}
CASES = {
    "AutoContrast": [{}],
    "Equalization": [{}, {"bins": 60}],
    "ContrastLimitedAdaptiveHistogramEqualization": [
        {"tile_grid_size": (3, 2)},
        {"tile_grid_size": (2, 4), "clip_limit": 0.0},
    ],
    "Solarization": [{"addition_factor": 0.3, "threshold_factor": (0.1, 0.9)}],
    "RandomBrightness": [{"factor": 0.4}, {"factor": (-0.3, 0.1)}],
    "RandomContrast": [{"factor": 0.7}, {"factor": (0.4, 0.9)}],
    "RandomColorDegeneration": [{"factor": 0.8}, {"factor": (0.2, 0.9)}],
    "RandomColorJitter": [
        {"brightness_factor": 0.2, "contrast_factor": 0.5},
        {"saturation_factor": (0.1, 0.5), "hue_factor": 0.9},
    ],
    "RandomGrayscale": [{}, {"factor": 0.8}],
    "RandomHue": [{"factor": 0.7}, {"factor": (0.1, 0.2)}],
    "RandomSaturation": [{"factor": 0.4}, {"factor": (0.3, 0.9)}],
    "RandomSharpness": [{"factor": 1.0}, {"factor": (0.1, 0.6)}],
    "RandomInvert": [{}, {"factor": (0.3, 0.9)}],
    "RandomPosterization": [{"factor": 6}, {"factor": (3, 3)}, {"factor": (2, 8)}],
    "RandomGaussianBlur": [{}, {"kernel_size": (5, 3), "sigma": (0.4, 2.0)}],
    "RandomErasing": [
        {},
        {"factor": (0.9, 1.0), "scale": (0.1, 0.9), "fill_value": 90},
    ],
    "CutMix": [{}, {"factor": (0.4, 0.9)}],
    "MixUp": [{}, {"alpha": 0.9}],
}
RANGED = set(CASES) - {"RandomGrayscale", "CutMix", "MixUp"}
POLICIES = {
    "RandAugment": [{"factor": 0.6}, {"num_ops": 3, "interpolation": "nearest"}],
    "AugMix": [{}, {"all_ops": False, "num_chains": 2, "chain_depth": 2}],
}
# Layers whose programs the others share, or that Keras computes in seconds.
LATER = {
    *("RandomSaturation", "RandomColorDegeneration", "RandomContrast", "RandomInvert"),
    *("RandomErasing", "MixUp", "Equalization"),
    "ContrastLimitedAdaptiveHistogramEqualization",
}
# The first arguments once; the others, and more inputs, in `make parity`.
GENERATED = [
    pytest.param(name, case, seed, marks=slow(seed + case > 0 or name in LATER))
    for name, cases in CASES.items()
    for case in range(len(cases))
    for seed in range(3)
]


def make(package, name, arguments):
    return getattr(package.layers, name)(**arguments)


def images(rng, arguments, single, dtype):
    """Random images of the value range, or bytes."""
    size = tuple(int(n) for n in rng.integers(5, 12, 2))
    first = arguments.get("data_format") == "channels_first"
    shape = (3, *size) if first else (*size, 3)
    shape = shape if single else (int(rng.integers(2, 5)), *shape)
    low, high = arguments.get("value_range", (0, 255))
    x = rng.integers(0, 256, shape)
    return (low + x / 255 * (high - low)).astype(dtype)


def settings(name, case, seed):
    """(arguments, images) of a case."""
    rng = np.random.default_rng([seed, case, len(name)])
    arguments = {**CASES[name][case], "data_format": "channels_last"}
    dtype, draws = "float32", name != "AutoContrast"
    if draws and rng.random() < 0.4:
        arguments["data_format"] = "channels_first"
    if name in RANGED and rng.random() < 0.5 and name != "RandomErasing":
        arguments["value_range"] = [(0, 1), (-1, 1), (0.0, 100.0)][rng.integers(3)]
    elif name not in ("RandomSaturation", "RandomBrightness") and rng.random() < 0.3:
        dtype = "uint8"
    if arguments["data_format"] == "channels_first":
        if name == "RandomColorJitter":  # Keras does not pass the format on
            arguments["data_format"] = "channels_last"
    seeded = "AutoContrast", "Equalization"
    if name not in seeded and "Histogram" not in name:
        arguments["seed"] = int(rng.integers(1, 1000))
    return arguments, images(rng, arguments, rng.random() < 0.3, dtype)


def assert_equal(name, ours, theirs, arguments):
    low, high = arguments.get("value_range", (0, 255))
    assert ours.dtype == str(theirs.dtype), name
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    np.testing.assert_allclose(ours, theirs, atol=(high - low) * 4e-6, rtol=1e-5)


@pytest.mark.parametrize("name, case, seed", GENERATED)
def test_layers_give_keras_images(name, case, seed):
    arguments, x = settings(name, case, seed)
    ours, theirs = (make(p, name, arguments) for p in (minikeras, keras))
    # Inference between two steps: it may draw too.
    for training in (True, False, True):
        result = ours(x, training=training)
        assert_equal(name, result, theirs(x, training=training), arguments)


@pytest.mark.parametrize("name, case", [(n, c) for n in CASES for c in range(2)])
def test_configs_are_keras_configs(name, case):
    arguments = (CASES | POLICIES)[name][case % len(CASES[name])]
    theirs = make(keras, name, arguments | {"name": "a"}).get_config()
    config = make(minikeras, name, arguments | {"name": "a"}).get_config()
    assert list(config) == list(theirs)
    assert {k: v for k, v in config.items() if k != "dtype"} == {
        k: v for k, v in theirs.items() if k != "dtype"
    }
    again = getattr(minikeras.layers, name).from_config(config)
    assert again.get_config() == config


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CASES))
def test_layers_under_jit_give_the_same_images(name):
    arguments, x = settings(name, 0, 1)
    eager, layer = (make(minikeras, name, arguments) for _ in range(2))
    layer.build(x.shape)
    variables = [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def run(x, variables):
        return layer.stateless_call([], variables, x, training=True)[0]

    assert_equal(name, run(x, variables), eager(x, training=True), arguments)


@pytest.mark.parametrize("name", ["RandomColorJitter", "RandomHue", "CutMix", "MixUp"])
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
def test_half_widths_draw_the_same_numbers(name, dtype):
    x = np.random.default_rng(6).integers(0, 256, (3, 7, 6, 3)).astype("float32")
    arguments = CASES[name][0] | {"dtype": dtype, "seed": 2}
    ours, theirs = (make(p, name, arguments)(x) for p in (minikeras, keras))
    assert ours.dtype == str(theirs.dtype)
    ours, theirs = (np.asarray(y, "float32") for y in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=4)


@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_labels_follow_the_images(name):
    rng = np.random.default_rng(4)
    data = {
        "images": rng.uniform(0, 255, (5, 7, 6, 3)).astype("float32"),
        "labels": np.eye(5, dtype="float32"),
    }
    theirs = make(keras, name, {"seed": 3})(dict(data), training=True)
    before = dict(data)
    ours = make(minikeras, name, {"seed": 3})(data, training=True)
    assert all(data[key] is before[key] for key in data)
    for key in data:
        np.testing.assert_allclose(ours[key], theirs[key], atol=1e-3)


@pytest.mark.parametrize(
    "name, case, seed",
    [
        pytest.param(*row, marks=slow(row != ("RandAugment", 1, 3)))
        for row in itertools.product(sorted(POLICIES), (0, 1), (3, 5))
    ],
)
def test_policies_give_keras_images(name, case, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (3, 9, 8, 3)).astype("float32")
    arguments = {**POLICIES[name][case], "seed": seed}
    results = []
    for package in (minikeras, keras):
        layer = make(package, name, arguments)
        random.seed(seed)
        results.append([np.asarray(layer(x, training=True)) for _ in range(2)])
    np.testing.assert_allclose(*results, atol=1e-2)
    configs = [make(p, name, arguments).get_config() for p in (minikeras, keras)]
    assert list(configs[0]) == list(configs[1])
