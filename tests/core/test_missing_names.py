import pytest

import minikeras as keras
from minikeras.core import registry


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        (keras.layers, "Dens", "'minikeras.layers' has no attribute 'Dens'. Did you"),
        (keras.layers, "dense", "Did you mean 'Dense'"),
        (keras, "quantizers", "yet: Keras has it, and it is planned here"),
        (keras.layers, "CuDNNLSTM", "older versions of Keras. Use keras.layers.LSTM."),
        (keras.layers, "Adam", "it is keras.optimizers.Adam."),
        (keras, "Dense", "it is keras.layers.Dense."),
        (keras.backend, "mean", "Use keras.ops.mean."),
        (keras.backend, "int_shape", "Use x.shape."),
        (keras.config, "set_float", "Did you mean 'set_floatx'"),
        (keras.optimizers.schedules, "ExpDecay", "Did you mean 'ExponentialDecay'"),
        (keras.ops, "zzzzzz", "has no attribute 'zzzzzz'."),
    ],
)
def test_what_is_said_of_a_missing_name(module, name, text):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert text in str(caught.value)
    assert not hasattr(module, name)
    with pytest.raises(ImportError) as caught:
        exec(f"from {module.__name__} import {name}")
    assert text in str(caught.value)


def test_python_asks_modules_for_special_names():
    with pytest.raises(AttributeError, match="no attribute '__wrapped__'$"):
        _ = keras.layers.__wrapped__


def test_dir_shows_public_names():
    for module in (keras, keras.layers, keras.optimizers, keras.ops, keras.saving):
        shown = [name for name in dir(module) if name[0] != "_"]
        assert shown == sorted(n for n in module.__all__ if n[0] != "_")
    assert "floatx" in dir(keras.config) and "os" not in dir(keras.config)


@pytest.mark.parametrize(
    "obj",
    [
        keras.layers.Dense(2),
        keras.Sequential(),
        keras.optimizers.Adam(),
        keras.metrics.Mean(),
        keras.losses.Huber(),
        keras.callbacks.EarlyStopping(),
    ],
    ids=lambda x: type(x).__name__,
)
def test_dir_of_objects_has_no_private_members(obj):
    assert not [name for name in dir(obj) if name.startswith("_mk_")]
    assert any(name.startswith("_mk_") for name in vars(obj)) or not vars(obj)


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("dens", ["Dense", "dense"], " Did you mean 'Dense' or 'dense'?"),
        ("ADAM", ["Adam"], " Did you mean 'Adam'?"),
        ("zzz", ["Adam"], ""),
    ],
)
def test_did_you_mean(name, known, text):
    assert registry.did_you_mean(name, known) == text
