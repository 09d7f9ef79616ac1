"""Layers and models compared: what agrees, and planted faults by their names."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import minikeras
from minikeras.parity.asserts import assert_layer_parity, assert_model_parity
from minikeras.parity.exchange import value_of


def random_array(*shape, seed=0):
    return np.random.default_rng(seed).normal(0.3, 1.0, shape).astype("float32")


X = random_array(4, 3)
SEQUENCE = random_array(2, 5, 3)
MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], bool)


@pytest.mark.parametrize("package", [keras, minikeras])
def test_a_layer_agrees(package):
    layer = package.layers.BatchNormalization(momentum=0.7, name="bn")
    report = assert_layer_parity(layer, X, training=True)
    assert {*report.differences} >= {
        "the output",
        "the state bn/moving_mean after the call",
        "the gradient of bn/gamma",
        "the gradient of the inputs[0]",
    }
    assert all(
        gap < 1e-6 for what, gap in report.differences.items() if "inputs" not in what
    )
    # A difference of large sums: of a gradient of 0.006, 2e-5 are one epsilon of 1.
    assert report.worst < 1e-4
    assert "values agree" in str(report)
    # The call of the comparison has changed nothing.
    np.testing.assert_array_equal(value_of(layer.moving_mean), np.zeros(3))


def test_losses_masks_and_draws_agree():
    layer = keras.layers.Dense(2, activity_regularizer="l2", name="dense")
    report = assert_layer_parity(layer, SEQUENCE, gradients=False)
    assert "the added loss[0]" in report.differences
    layer = minikeras.layers.Dropout(0.5)
    report = assert_layer_parity(layer, X, training=True)
    assert any("seed" in what for what in report.differences)
    layer = keras.layers.Masking(0.0)
    x = SEQUENCE * MASK[..., None]
    report = assert_layer_parity(layer, x, gradients=False)
    assert "the mask of the output[0]" in report.differences


def test_further_arguments_have_gradients():
    layer = minikeras.layers.Attention(use_scale=True, name="attention")
    pair = [SEQUENCE, random_array(2, 5, 3, seed=1)]
    report = assert_layer_parity(layer, pair, kwargs={"mask": [MASK, MASK]})
    gradients = [x for x in report.differences if x.startswith("the gradient of the")]
    assert len(gradients) == 2


class Planted:
    """A layer of Keras, and one of minikeras with a fault: `fault` of its class."""

    def __init__(self, base, **faults):
        self.theirs = type("Mine", (getattr(keras.layers, base),), {})
        self.ours = type("Mine", (getattr(minikeras.layers, base),), faults)

    @property
    def custom(self):
        return {"Mine": self.ours}


def with_epsilon(self, **config):
    minikeras.layers.BatchNormalization.__init__(self, **{**config, "epsilon": 2e-3})


def with_momentum(self, **config):
    minikeras.layers.BatchNormalization.__init__(self, **{**config, "momentum": 0.9})


def without_bias(self, x):
    return self.activation(x @ self.kernel)


def without_mask(self, x, previous_mask=None):
    return None


def no_loss(self, loss):
    return None


def wrong_gradient(self, x):
    import jax

    y = minikeras.layers.Dense.call(self, x)
    return jax.lax.stop_gradient(y) + 0.999 * (y - jax.lax.stop_gradient(y))


def half(self, x):
    return minikeras.layers.Dense.call(self, x).astype("float16")


BN, DENSE = "BatchNormalization", "Dense"
FAULTS = {
    "epsilon": (BN, {"__init__": with_epsilon}, {}, "the output differs: .* there"),
    "momentum": (BN, {"__init__": with_momentum}, {}, "state mine/moving_mean after"),
    "bias": (DENSE, {"call": without_bias}, {"bias_initializer": "ones"}, "the output"),
    "mask": ("Masking", {"compute_mask": without_mask}, {}, "structure of the mask"),
    "loss": (
        DENSE,
        {"add_loss": no_loss},
        {"activity_regularizer": "l1"},
        "of added l",
    ),
    "gradient": (DENSE, {"call": wrong_gradient}, {}, "the gradient of mine/kernel"),
    "dtype": (DENSE, {"call": half}, {}, "the dtype of the output.* float32 in Keras"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name):
    base, fault, kwargs, message = FAULTS[name]
    planted = Planted(base, **fault)
    kwargs = {**kwargs, **({"units": 2} if base == DENSE else {}), "name": "mine"}
    x = SEQUENCE if base == "Masking" else X
    with pytest.raises(AssertionError, match=rf"^Mine 'mine': .*{message}"):
        assert_layer_parity(
            planted.theirs(**kwargs), x, training=True, custom_objects=planted.custom
        )


def network(package, middle):
    """Two inputs, a nested model with the layer in the middle."""
    layers = package.layers
    inputs = [package.Input((3,)), package.Input((3,))]
    inner = package.Sequential(
        [package.Input((3,)), layers.Dense(4, "tanh", name="first"), middle]
    )
    joined = layers.Add()([inner(inputs[0]), inner(inputs[1])])
    model = package.Model(inputs, layers.Dense(2, name="last")(joined), name="net")
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_a_model_agrees_with_targets():
    model = network(minikeras, minikeras.layers.BatchNormalization(name="middle"))
    before = [value_of(v) for v in model.variables]
    inputs = [X, random_array(4, 3, seed=2)]
    weights = np.array([0.5, 1.0, 2.0, 0.1], "float32")
    report = assert_model_parity(
        model, inputs, random_array(4, 2), sample_weight=weights, training=True
    )
    assert {*report.differences} >= {
        "the output of middle",
        "the metric mae",
        "the loss",
    }
    # The mean of a batch is subtracted again, so what this bias adds has no effect.
    assert "last/kernel" in " ".join(report.differences)
    for value, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(value, value_of(variable), variable.path)
    assert "call" not in vars(model.layers[-1])


def test_the_first_layer_that_parts_is_named():
    planted = Planted(BN, __init__=with_epsilon)
    model = network(keras, planted.theirs(name="middle"))
    with pytest.raises(AssertionError, match="'net', layer Mine 'middle': the output"):
        assert_model_parity(
            model, [X, X + 1], gradients=False, custom_objects=planted.custom
        )
    assert all("call" not in vars(layer) for layer in model.layers)


def test_a_zero_gradient_is_no_difference():
    """A bias before batch normalization is subtracted again."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, bias_initializer="uniform", name="dense"),
            layers.BatchNormalization(),
        ]
    )
    x = 50 * random_array(64, 3)
    report = assert_model_parity(model, x, training=True)
    known = [*report.zero_gradients, *report.differences]
    assert any("dense/bias" in what for what in known)
    assert not {"dense/kernel"} & {*report.zero_gradients}


def test_half_precision_is_measured_by_its_epsilon():
    layer = keras.layers.Dense(3, "gelu", dtype="mixed_bfloat16")
    report = assert_layer_parity(layer, random_array(8, 5))
    assert report.worst < 6e-2


def test_a_model_without_compile_takes_no_targets():
    model = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(1)])
    with pytest.raises(ValueError, match="is not compiled: call its compile"):
        assert_model_parity(model, X, random_array(4, 1))


def test_other_backends_have_no_gradients(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax.*'torch'.*gradients=False"):
        assert_layer_parity(minikeras.layers.Dense(2), X)


def test_what_keras_cannot_differentiate_is_said():
    layer = keras.layers.Discretization(bin_boundaries=[0.0, 0.5])
    report = assert_layer_parity(layer, X)
    assert "gradients" in report.not_compared
    assert "not compared: gradients" in str(report)
