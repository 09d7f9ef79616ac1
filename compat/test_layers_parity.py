"""Layers against Keras: weights, outputs, gradients, configs, names, shapes."""

import inspect
import json
import math
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.layer_cases import DRAWS, generated

PACKAGES = (keras, minikeras)


COUNT = 20  # cases of each class


def as_json(x):
    """What a file would hold."""
    return json.loads(json.dumps(x))


def parameters(layer):
    """Names of the arguments of `call`."""
    return inspect.signature(layer.call).parameters


def made(package, name, case):
    """The layer, called once on the inputs under one seed: (layer, outputs, mask)."""

    class Begin(package.layers.Layer):
        def call(self, x):
            return x

        def compute_mask(self, x, previous_mask):
            return jnp.asarray(case.mask)

    class End(package.layers.Layer):
        def call(self, x, mask=None):
            return jax.tree_util.tree_leaves(mask)  # (None, None) in Keras is None here

    package.utils.clear_session()
    package.utils.set_random_seed(11)
    layer = getattr(package.layers, name)(**case.arguments(package), name="one")
    x = jax.tree_util.tree_map(jnp.asarray, case.inputs)
    if case.mask is not None:
        leaves, nest = jax.tree_util.tree_flatten(x)
        x = nest.unflatten([Begin()(leaves[0]), *leaves[1:]])
    outputs = layer(x, **case.call)
    return layer, outputs, End()(outputs)


def state(layer):
    """Values of the variables: (trainable, the others)."""
    values = (layer.trainable_variables, layer.non_trainable_variables)
    return [[jnp.asarray(v.value) for v in part] for part in values]


def is_float(x):
    return hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating)


def forward_and_gradients(layer, case, training):
    """Under jit: outputs, new state, gradients of weights and inputs."""
    trainable, others = state(layer)
    given = dict(case.call)
    if "training" in parameters(layer):
        given["training"] = training
    if case.mask is not None and "mask" in parameters(layer):
        given["mask"] = case.mask
    leaves, nest = jax.tree_util.tree_flatten((case.inputs, given))
    floats = [jnp.asarray(x) for x in leaves if is_float(x)]

    def loss(trainable, floats):
        rest = iter(floats)
        filled = [next(rest) if is_float(x) else x for x in leaves]
        x, more = nest.unflatten(filled)
        y, new = layer.stateless_call(trainable, others, x, **more)
        outs = [leaf for leaf in jax.tree_util.tree_leaves(y) if is_float(leaf)]
        return sum(jnp.sum(ramp(o.shape) * o**2) for o in outs), (y, new)

    step = jax.jit(jax.grad(loss, (0, 1), has_aux=True))
    return step(trainable, floats)


def ramp(shape):
    """Different factors around 0 for all entries."""
    size = math.prod(shape)
    return jnp.arange(size, dtype="float32").reshape(shape) / max(size, 1) - 0.3


def symbolic(package, layer, case):
    """Shape, dtype and presence of a mask for inputs with unknown sizes."""

    def one(x):
        if not isinstance(x, np.ndarray):
            return x
        shape = [None if i in case.free else n for i, n in enumerate(x.shape)]
        return package.KerasTensor(shape, x.dtype.name)

    x, call = jax.tree_util.tree_map(one, (case.inputs, case.call))
    outputs = jax.tree_util.tree_leaves(layer(x, **call))
    return [(tuple(y.shape), str(y.dtype)) for y in outputs]


def assert_equal_layers(ours, theirs):
    """Configs, names, flags and values of the weights."""
    assert as_json(ours.get_config()) == as_json(theirs.get_config())
    assert as_json(minikeras.layers.serialize(ours)) == as_json(
        keras.layers.serialize(theirs)
    )
    assert [v.path for v in ours.weights] == [v.path for v in theirs.weights]
    assert [v.trainable for v in ours.variables] == [
        v.trainable for v in theirs.variables
    ]
    assert ours.supports_masking == theirs.supports_masking
    assert str(ours.input_spec) == str(theirs.input_spec)


@pytest.mark.parametrize(("name", "seed"), draw.cases(DRAWS, COUNT, every=6, first=3))
def test_drawn_layer(name, seed):
    case = generated(name, seed)
    size = {"rtol": case.tolerance, "reduction": case.terms}

    def close(ours, theirs):
        draw.assert_close(ours, theirs, **size)

    def close_slope(ours, theirs):
        # Slopes of normalized values are small differences of large sums.
        draw.assert_close(ours, theirs, case.terms, 5 * case.tolerance)

    (theirs, *their_out), (ours, *our_out) = draw.both(
        lambda package: made(package, name, case), PACKAGES
    )
    assert_equal_layers(ours, theirs)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        if a.trainable:
            np.testing.assert_array_equal(a.numpy(), np.asarray(b.value), a.path)
    jax.tree_util.tree_map(close, our_out, their_out)
    jax.tree_util.tree_map(close, ours.losses, theirs.losses)
    modes = (True, False) if "training" in parameters(theirs) else (None,)
    for training in modes:
        slopes, outputs = forward_and_gradients(ours, case, training)
        their_slopes, their_outputs = forward_and_gradients(theirs, case, training)
        jax.tree_util.tree_map(close, outputs, their_outputs)
        jax.tree_util.tree_map(close_slope, slopes, their_slopes)
    expected, refused = draw.outcome(symbolic, keras, theirs, case)
    if refused is None:
        assert symbolic(minikeras, ours, case) == expected


def test_every_layer_has_draws():
    public = {
        name
        for name, value in vars(keras.layers).items()
        if isinstance(value, type)
        and issubclass(value, keras.layers.Layer)
        and value.__name__ == name
        and ".preprocessing." not in value.__module__
    }
    # Flax is no dependency of the tests: `FlaxLayer` is drawn where it is installed.
    assert public - set(DRAWS) - {"FlaxLayer"} == {"Layer", "Wrapper", "InputLayer"}


@pytest.mark.parametrize(("name", "seed"), draw.cases(DRAWS, 9, every=6, first=1))
def test_half_precision(name, seed):
    case = generated(name, seed)
    policy = ("mixed_float16", "mixed_bfloat16", "float16")[(seed + len(name)) % 3]

    def run(package):
        package.utils.set_random_seed(3)
        arguments = {**case.arguments(package), "dtype": policy}
        layer = getattr(package.layers, name)(**arguments)
        mode = {"training": True} if "training" in parameters(layer) else {}
        return layer(case.inputs, **{**case.call, **mode}), layer.weights

    (theirs, their_weights), (ours, our_weights) = draw.both(run, PACKAGES)
    assert [v.dtype for v in our_weights] == [v.dtype for v in their_weights]
    jax.tree_util.tree_map(
        lambda a, b: draw.assert_close(a, b, 4, least=1.0), ours, theirs
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
        draw.assert_close(ours, theirs)


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
    for name in sorted(DRAWS):
        theirs = inspect.signature(getattr(keras.layers, name)).parameters
        ours = inspect.signature(getattr(minikeras.layers, name)).parameters
        assert list(ours)[: len(theirs) - 1] == list(theirs)[: len(theirs) - 1], name


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"unroll": True}, {"recurrent_dropout": 0.3}])
def test_dtypes_around_recurrent_layers(name, options):
    """TimeDistributed casts for the layer within; cells have dtypes of their own."""
    x = np.random.default_rng(4).normal(size=(2, 4, 3, 2)).astype("float32")

    def run(package):
        package.utils.set_random_seed(3)
        inner = getattr(package.layers, name)(2, **options)
        return package.layers.TimeDistributed(inner, dtype="mixed_bfloat16")(x)

    theirs, ours = draw.both(run, PACKAGES)
    draw.assert_close(ours, theirs, 4)
