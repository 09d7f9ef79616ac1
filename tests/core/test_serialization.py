"""The registry and the reading and writing of objects: an allowlist."""

import threading

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, settings
from minikeras.core import registry
from minikeras.core.serialization import SafeModeScope, in_safe_mode
from minikeras.saving import deserialize_keras_object, serialize_keras_object


def test_names_are_suggested():
    for get, name, close in (
        (keras.losses.get, "meen_squared_error", "mean_squared_error"),
        (keras.optimizers.get, "rmspro", "rmsprop"),
        (keras.activations.get, "sigmod", "sigmoid"),
        (keras.metrics.get, "mean_squared_erro", "mean_squared_error"),
    ):
        with pytest.raises(ValueError, match=f"{name}.*Did you mean.*{close}"):
            get(name)
    assert registry.did_you_mean("zzzzzz", ["dense"]) == ""


@pytest.mark.parametrize(
    "value",
    [3, None, "a", [1, 2.5], {"a": [None]}, slice(1, None, 2), ..., b"bytes"],
)
def test_plain_values_come_back(value):
    assert deserialize_keras_object(serialize_keras_object(value)) == value


def test_arrays_come_back():
    array = np.array([[1.5, -2.0]], "float32")
    back = deserialize_keras_object(serialize_keras_object(array))
    np.testing.assert_array_equal(back, array)
    assert back.dtype == "float32"


@pytest.mark.parametrize(
    "module, name",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("minikeras.core.registry", "register"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.saving", "load_model"),
        ("keras.layers", "NoSuchLayer"),
        ("keras.utils", "get_file"),
    ],
)
def test_nothing_else_is_resolved(module, name):
    config = {"module": module, "class_name": name, "config": {}}
    with pytest.raises((ValueError, TypeError)):
        deserialize_keras_object(config)
    function = {"module": module, "class_name": "function", "config": name}
    with pytest.raises((ValueError, TypeError)):
        deserialize_keras_object(function)
    assert keras.config.is_safe_mode()


def test_lambdas_are_refused_until_the_caller_allows_them(tmp_path):
    marker = tmp_path / "ran"
    layer = layers.Lambda(lambda x, f=str(marker): open(f, "w").close())
    config = serialize_keras_object(layer)
    for safe in ({}, {"safe_mode": True}, {"safe_mode": None}):
        with pytest.raises(ValueError, match="safe"):
            deserialize_keras_object(config, **safe)
    assert not marker.exists()
    deserialize_keras_object(config, safe_mode=False).call(0)
    assert marker.exists()
    with pytest.raises(ValueError, match="safe"):
        deserialize_keras_object(config)


def test_custom_objects():
    class Mine(layers.Layer):
        def __init__(self, factor=1, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    config = serialize_keras_object(Mine(4))
    with pytest.raises(ValueError, match="Mine"):
        deserialize_keras_object(config)
    assert deserialize_keras_object(config, {"Mine": Mine}).factor == 4
    with keras.saving.custom_object_scope({"Mine": Mine}):
        assert deserialize_keras_object(config).factor == 4
    with pytest.raises(ValueError, match="Mine"):
        deserialize_keras_object(config)


def test_an_object_without_a_config_is_refused():
    with pytest.raises(TypeError, match="get_config"):
        serialize_keras_object(object())


def in_thread(function):
    """What `function()` gives in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_scopes_are_of_a_thread_and_hold_anything():
    look = keras.saving.get_registered_object
    scope = keras.saving.custom_object_scope({"w": np.zeros(3)})
    with scope, keras.saving.custom_object_scope({"w": np.ones(3)}), scope:
        assert look("w").sum() == 0
        assert in_thread(lambda: look("w")) is None
        # One scope, opened in two threads at once.
        barrier = threading.Barrier(2)

        def use():
            with scope:
                barrier.wait()
                return look("w") is not None

        threads = [threading.Thread(target=use) for _ in range(2)]
        [t.start() for t in threads], [t.join() for t in threads]
        assert look("w").sum() == 0
    assert look("w") is None


def test_an_error_leaves_no_scope_open():
    with pytest.raises(ZeroDivisionError):
        with keras.saving.custom_object_scope({"Mine": dict}):
            raise ZeroDivisionError
    assert keras.saving.get_registered_object("Mine") is None


def test_safe_mode_is_of_a_call_and_its_thread():
    config = keras.saving.serialize_keras_object(lambda x: x * 2)
    read = keras.saving.deserialize_keras_object
    with SafeModeScope(False):
        assert read(config)(4) == 8
        assert in_thread(in_safe_mode)
        with SafeModeScope(True), pytest.raises(ValueError, match="safe mode"):
            read(config)
    with pytest.raises(ValueError, match="safe mode"):
        read(config)


def test_the_opt_out_that_the_message_names_works():
    config = keras.saving.serialize_keras_object(lambda x: x * 2)
    keras.config.enable_unsafe_deserialization()
    try:
        assert keras.saving.deserialize_keras_object(config, safe_mode=True)(4) == 8
    finally:
        settings._settings["safe_mode"] = None


def test_no_config_switches_safe_mode_off():
    for name in ("enable_unsafe_deserialization", "set_floatx", "load_model"):
        for module in ("keras.config", "keras.saving", "builtins", None):
            config = {"class_name": "function", "config": name, "module": module}
            with pytest.raises(ValueError, match="Unknown function"):
                keras.saving.deserialize_keras_object(
                    {**config, "registered_name": "function"}
                )


def test_names_are_counted_in_each_thread():
    keras.layers.Dense(1)
    assert in_thread(lambda: keras.layers.Dense(1).name) == "dense"


def test_a_copy_in_memory_goes_through_json_and_keeps_raw_functions():
    class Inside(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            is_text = isinstance(inner, str)
            self.inner = keras.models.model_from_json(inner) if is_text else inner

        def call(self, x):
            return self.inner(x)

        def get_config(self):
            return {**super().get_config(), "inner": self.inner.to_json()}

    class Applies(layers.Layer):
        def __init__(self, fn=None, **kwargs):
            super().__init__(**kwargs)
            self.fn = fn

        def call(self, x):
            return self.fn(x)

        def get_config(self):
            return {**super().get_config(), "fn": self.fn}

    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model = keras.Sequential([keras.Input((4,)), Inside(inner)])
    assert keras.models.clone_model(model).output_shape == (None, 2)
    stack = [keras.Input((5, 4)), layers.TimeDistributed(Applies(lambda x: 3 * x))]
    clone = keras.models.clone_model(keras.Sequential(stack))
    np.testing.assert_array_equal(clone(np.ones((1, 5, 4))), 3 * np.ones((1, 5, 4)))


@pytest.mark.parametrize("config", [None, {}, "x", {"number": 0}, 3])
def test_no_file_has_live_objects(config):
    with pytest.raises((ValueError, TypeError, KeyError)):
        deserialize_keras_object({"class_name": "__live__", "config": config})


@pytest.mark.parametrize("key", ["class_name", "module", "registered_name"])
@pytest.mark.parametrize("value", [3, ["Dense"], {}])
def test_names_in_a_config_are_strings(key, value):
    config = layers.serialize(layers.Dense(2)) | {key: value}
    with pytest.raises(ValueError, match=f"{key}.* is a string"):
        deserialize_keras_object(config)


class Positional(layers.Layer):
    def __init__(self, size, /, *more, rate=1, **kwargs):
        super().__init__(**kwargs)


class Variadic(layers.Layer):
    def __init__(self, *sizes, **kwargs):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ("cls", "name"), [(Positional, "size"), (Variadic, r"\*sizes")]
)
def test_values_that_a_config_cannot_name(cls, name):
    with pytest.raises(NotImplementedError, match=f"`{name}`.*Define `get_config"):
        cls(3).get_config()
    assert "name" in Variadic().get_config()
