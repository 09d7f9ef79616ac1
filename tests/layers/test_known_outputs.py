"""Equal calls of equal layers are traced once; all others are."""

import functools

import jax.numpy as jnp
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.layers import known_outputs


@pytest.fixture
def traces(monkeypatch):
    """The layers that are traced, by their classes."""
    traced = []
    monkeypatch.setattr(
        "minikeras.layers.layer.known_outputs", known_outputs.KnownOutputs()
    )
    from minikeras.layers import layer

    original = layer.output_spec

    def counting(fn, args, kwargs, **options):
        traced.append(fn)
        return original(fn, args, kwargs, **options)

    monkeypatch.setattr(layer, "output_spec", counting)
    return traced


def image(channels=3, dtype=None):
    return keras.Input((8, None, channels), dtype=dtype)


def test_equal_calls_are_traced_once(traces):
    x = image()
    outputs = [layers.Conv2D(4, 3, name=name)(x) for name in ("first", "second")]
    assert len(traces) == 1
    assert outputs[0].shape == outputs[1].shape == (None, 6, None, 4)
    assert outputs[0] is not outputs[1]
    model = keras.Model(x, outputs)
    first, second = model(jnp.ones((1, 8, 9, 3)))
    assert first.shape == (1, 6, 7, 4) and (first != second).any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dict(filters=4), dict(filters=5)),
        (dict(strides=1), dict(strides=2)),
        (dict(activation="relu"), dict(activation="elu")),
        (dict(dtype="float16"), dict(dtype="bfloat16")),
        (dict(data_format="channels_last"), dict(data_format="channels_first")),
        (dict(use_bias=True), dict(use_bias=False)),
    ],
)
def test_other_settings_are_traced(traces, one, other):
    for settings in (one, other):
        layers.Conv2D(**{"filters": 4, "kernel_size": 1, **settings})(
            keras.Input((8, 8, 8))
        )
    assert len(traces) == 2


@pytest.mark.parametrize(
    "other",
    [image(4), image(dtype="float16"), keras.Input((8, 8, 3)), image(dtype="int32")],
)
def test_other_inputs_are_traced(traces, other):
    for x in (image(), other):
        layers.UpSampling2D(2)(x)
    assert len(traces) == 2


def test_training_and_setting_changed_afterwards_are_traced(traces):
    x = image()
    layers.BatchNormalization()(x)
    layers.BatchNormalization()(x, training=True)
    changed = layers.BatchNormalization()
    changed.center = False
    changed(x)
    assert len(traces) == 3


def test_one_is_not_true_and_not_a_float(traces):
    for scale in (1, 1.0, True):
        layers.Rescaling(scale)(keras.Input((3,), dtype="uint8"))
    assert len(traces) == 3


def test_code_of_users_is_always_traced(traces):
    class Grows(layers.Activation):
        def call(self, x):
            return keras.ops.concatenate([x] * next(sizes), -1)

    sizes = iter([1, 1, 2, 2])  # each trace of an unknown size runs twice
    x = keras.Input((3,))
    assert [Grows("relu")(x).shape[-1] for _ in range(2)] == [3, 6]
    own = iter([1, 1, 2, 2])

    def grow(x):
        return keras.ops.concatenate([x] * next(own), -1)

    assert [layers.Activation(grow)(x).shape[-1] for _ in range(2)] == [3, 6]


def test_functions_that_are_no_activations_may_mix_samples(traces):
    """The matrix with a given diagonal has two sizes that follow from the batch."""
    for _ in range(2):
        matrix = layers.Activation(keras.ops.diag)(keras.Input(()))
        assert matrix.shape == (None, None)
    assert len(traces) == 2


def test_a_function_that_calls_itself_an_activation_is_traced(traces):
    @functools.wraps(keras.activations.relu)
    def wrapped(x):
        return keras.ops.concatenate([x] * next(sizes), -1)

    sizes = iter([1, 1, 2, 2])
    x = keras.Input((3,))
    assert [layers.Activation(wrapped)(x).shape[-1] for _ in range(2)] == [3, 6]


def test_old_calls_make_room(monkeypatch, traces):
    monkeypatch.setattr(known_outputs, "_MAX_CALLS", 2)
    for size in (3, 4, 5, 3):
        layers.ReLU()(keras.Input((size,)))
    assert len(traces) == 4


def test_failed_calls_are_not_known(traces):
    for _ in range(2):
        with pytest.raises(ValueError, match="MaxPooling2D"):
            layers.MaxPooling2D(5)(keras.Input((2, 2, 3)))
    assert len(traces) == 2
