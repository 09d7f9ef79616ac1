"""Layers against Keras: weights, outputs, gradients, configs, names, shapes."""

import inspect
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from tests.contracts.layer_table import ROWS

PACKAGES = (keras, minikeras)


def as_json(x):
    """What a file would hold."""
    return json.loads(json.dumps(x))


def made(row):
    """The row's layer of both packages, called once under the same seed."""
    pair = []
    for package in PACKAGES:
        keras.backend.clear_session()
        package.utils.set_random_seed(11)
        layer = row.make(package, name="one")
        layer(row.inputs())
        pair.append(layer)
    return pair


def has_mode(layer):
    """Does it take `training`?"""
    return "training" in inspect.signature(layer.call).parameters


def state(layer):
    """Values of the variables: (trainable, the others)."""
    values = (layer.trainable_variables, layer.non_trainable_variables)
    return [[jnp.asarray(v.value) for v in part] for part in values]


def forward_and_gradients(layer, x, training):
    """Under jit: outputs, new state, gradients of weights and inputs."""
    trainable, others = state(layer)
    mode = {"training": training} if has_mode(layer) else {}
    floating = jnp.issubdtype(jax.tree_util.tree_leaves(x)[0].dtype, jnp.floating)

    def loss(trainable, x):
        y, new = layer.stateless_call(trainable, others, x, **mode)
        ramp = jnp.arange(y.size, dtype="float32").reshape(y.shape) / y.size - 0.3
        return jnp.sum(ramp * y**2), (y, new)

    wanted = (0, 1) if floating else (0,)
    step = jax.jit(jax.grad(loss, wanted, has_aux=True))
    return step(trainable, x)


def assert_close(ours, theirs, tolerance=1e-6):
    """Within `tolerance` of the largest entry: sums may be taken in another order."""
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    assert ours.shape == theirs.shape
    scale = np.max(np.abs(theirs), initial=1e-3)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


def assert_close_slope(ours, theirs):
    """Gradients of normalized values are small differences of large sums."""
    assert_close(ours, theirs, tolerance=5e-6)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_layer_equals_keras(row):
    theirs, ours = made(row)
    assert as_json(ours.get_config()) == as_json(theirs.get_config())
    assert as_json(minikeras.layers.serialize(ours)) == as_json(
        keras.layers.serialize(theirs)
    )
    assert [v.path.split("/")[1:] for v in ours.weights] == [
        v.path.split("/")[1:] for v in theirs.weights
    ]
    assert [v.trainable for v in ours.variables] == [
        v.trainable for v in theirs.variables
    ]
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), np.asarray(b.value))
    jax.tree_util.tree_map(assert_close, ours.losses, theirs.losses)
    assert ours.supports_masking == theirs.supports_masking
    assert str(ours.input_spec) == str(theirs.input_spec)
    x = row.inputs()
    for training in (True, False):
        slopes, outputs = forward_and_gradients(ours, x, training)
        their_slopes, their_outputs = forward_and_gradients(theirs, x, training)
        jax.tree_util.tree_map(assert_close, outputs, their_outputs)
        jax.tree_util.tree_map(assert_close_slope, slopes, their_slopes)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_half_precision_equals_keras(row):
    outputs = []
    for package in PACKAGES:
        package.utils.set_random_seed(3)
        layer = row.make(package, dtype="mixed_float16")
        mode = {"training": True} if has_mode(layer) else {}
        outputs.append(layer(row.inputs(), **mode))
    theirs, ours = outputs
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(
        np.asarray(ours, "float32"), np.asarray(theirs, "float32"), rtol=2e-3, atol=2e-3
    )


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum"])
def test_merging_of_masked_inputs_equals_keras(name):
    x = np.array([[[9.0, 9], [1, 2], [9, 9], [3, 4]]], "float32")
    y = np.array([[[9.0, 9], [9, 9], [-5, 6], [7, 8]]], "float32")
    found = []
    for package in PACKAGES:
        masking = package.layers.Masking(mask_value=9.0)
        merge = getattr(package.layers, name)()
        found += [merge([masking(x), masking(y)]), merge([masking(x), y])]
    np.testing.assert_array_equal(found[2], found[0])
    np.testing.assert_array_equal(found[3], found[1])


def test_batch_normalization_with_mask_equals_keras():
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 3, 2)).astype("float32")
    mask = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], bool)
    found = []
    for package in PACKAGES:
        layer = package.layers.BatchNormalization(momentum=0.7)
        y = layer(x, training=True, mask=mask)
        found.append([y, *(np.asarray(v.value) for v in layer.weights)])
    for ours, theirs in zip(found[1], found[0], strict=True):
        assert_close(ours, theirs)


REFUSED = [
    ("Dense", {"units": 0}),
    ("Dense", {"units": 2.5}),
    ("Embedding", {"input_dim": 2.5, "output_dim": 2}),
    ("Dropout", {"rate": 1.5}),
    ("Dropout", {"rate": 0.5, "noise_shape": (0, 1)}),
    ("GaussianNoise", {"stddev": -0.1}),
    ("Conv2D", {"filters": 0, "kernel_size": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": (2, 0)}),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "groups": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "padding": "causal"}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "strides": 2, "dilation_rate": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "data_format": "last"}),
    ("MaxPooling2D", {"pool_size": 0}),
    ("Permute", {"dims": (1, 3)}),
    ("Reshape", {"target_shape": (-1, -1)}),
    ("RepeatVector", {"n": 0}),
    ("RepeatVector", {"n": "2"}),
    ("Cropping2D", {"cropping": (1, 2, 3)}),
    ("ZeroPadding1D", {"padding": (1,)}),
    ("UpSampling1D", {"size": 1.5}),
    ("UpSampling2D", {"size": 0}),
    ("ReLU", {"max_value": -1.0}),
    ("LeakyReLU", {"negative_slope": None}),
    ("Dot", {"axes": "1"}),
    ("Dot", {"axes": (1, 2, 3)}),
    ("LayerNormalization", {"axis": 1.5}),
    ("Dense", {"units": 2, "unit": 3}),
]


@pytest.mark.parametrize("name, kwargs", REFUSED, ids=str)
def test_bad_arguments_are_refused_as_in_keras(name, kwargs):
    with pytest.raises(Exception) as theirs:
        getattr(keras.layers, name)(**kwargs)
    with pytest.raises(theirs.type):
        getattr(minikeras.layers, name)(**kwargs)


def test_constructors_take_the_same_arguments():
    """Names and order; defaults are compared through the configs."""
    for name in sorted({row.name for row in ROWS}):
        theirs = inspect.signature(getattr(keras.layers, name)).parameters
        ours = inspect.signature(getattr(minikeras.layers, name)).parameters
        assert list(ours)[: len(theirs) - 1] == list(theirs)[: len(theirs) - 1], name
