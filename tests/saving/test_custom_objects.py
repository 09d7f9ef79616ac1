"""Classes of the user's own in files."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")


@keras.saving.register_keras_serializable("test_custom_objects")
class Outer(layers.Layer):
    def __init__(self, parts, table=None, activation=None, scale=None, **kwargs):
        super().__init__(**kwargs)
        self.parts, self.table = list(parts), table
        self.activation, self.scale = activation, scale

    def call(self, x):
        for part in (*self.parts, *(self.table or {}).values()):
            x = part(x)
        x = x if self.activation is None else self.activation(x)
        return x if self.scale is None else x * self.scale


@keras.saving.register_keras_serializable("test_custom_objects")
class Whole(keras.Model):
    def __init__(self, body, heads=(), **kwargs):
        super().__init__(**kwargs)
        self.body, self.heads = body, list(heads)

    def call(self, x):
        x = self.body(x)
        for head in self.heads:
            x = head(x)
        return x


def dense_model(units):
    return keras.Sequential([keras.Input((3,)), layers.Dense(units)])


def models():
    yield lambda: keras.Sequential([keras.Input((3,)), Outer([layers.Dense(4)])])
    yield lambda: keras.Sequential(
        [
            keras.Input((3,)),
            Outer(
                [layers.Dense(4), layers.Dense(3)],
                {"a": layers.Dense(2)},
                activation=keras.activations.relu,
                scale=np.array([1.0, 2.0]),
            ),
        ]
    )
    yield lambda: Whole(dense_model(4), [layers.Dense(2), dense_model_on(2)])


def dense_model_on(units):
    return keras.Sequential([keras.Input((units,)), layers.Dense(1)])


@pytest.mark.parametrize("make", [*models()])
def test_objects_as_constructor_arguments(make, tmp_path):
    model = make()
    expected = np.asarray(model(X))
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(np.asarray(again(X)), expected, rtol=1e-6)
    clone = type(model).from_config(model.get_config())
    assert np.asarray(clone(X)).shape == expected.shape


def test_dicts_that_look_like_configs_stay_dicts(tmp_path):
    table = {"class_name": "Dense", "config": {"units": 2}}
    model = keras.Sequential([keras.Input((3,)), Outer([], scale=2.0, name="o")])
    model.layers[0]._mk_init_arguments = ((), {"parts": [], "activation": None})
    config = model.get_config()["layers"][1]["config"] | {"scale": table}
    assert Outer.from_config(config).scale == table


@pytest.mark.parametrize("value", [object(), lambda x: x, {1: layers.Dense(2)}])
def test_arguments_that_no_file_holds(value):
    with pytest.raises(NotImplementedError, match="activation"):
        Outer([], activation=value).get_config()


def test_an_object_is_found_under_another_of_its_names(tmp_path):
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    class Renamed(keras.Model):
        def __init__(self):
            super().__init__()
            self.a_layer = layers.Dense(2)

        @property
        def dense(self):
            return self.a_layer

        def call(self, x):
            return self.a_layer(x)

    old, new = Plain(), Renamed()
    expected = np.asarray(old(X))
    new(X)
    old.save_weights(tmp_path / "a.weights.h5")
    new.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(np.asarray(new(X)), expected)


def test_lists_that_hold_themselves(tmp_path):
    @keras.saving.register_keras_serializable("test_custom_objects")
    class Cyclic(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [layers.Dense(2)]
            self.blocks.append(self.blocks)

        def call(self, x):
            return self.blocks[0](x)

    model = Cyclic()
    expected = np.asarray(model(X))
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(np.asarray(again(X)), expected)


def test_a_name_of_ours_for_a_class_of_the_user_is_an_error():
    config = {
        "class_name": "Dense",
        "module": "mine",
        "registered_name": "mine>Dense",
        "config": {"units": 2},
    }
    with pytest.raises(ValueError, match="resolved to a Keras built-in"):
        keras.saving.deserialize_keras_object(config)
