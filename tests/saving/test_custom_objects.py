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


@pytest.mark.parametrize("value", [object(), lambda x: x, {(1, 2): 3}])
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
        "module": "keras.layers",
        "registered_name": "mine>Dense",
        "config": {"units": 2},
    }
    with pytest.raises(ValueError, match="resolved to a Keras built-in"):
        keras.saving.deserialize_keras_object(config)


def test_layers_in_sets_have_one_order(tmp_path):
    class Sets(layers.Layer):
        def __init__(self):
            super().__init__()
            self.all = tuple(layers.Dense(3) for _ in range(12))
            self.a_set, self.others = set(self.all[:6]), list(self.all[3:])
            del self.all

        def call(self, x):
            number = {x: int(x.name[6:] or 0) for x in (*self.a_set, *self.others)}
            for part in sorted(number, key=number.get):
                x = part(x)
            return x

    model, again = (keras.Sequential([keras.Input((3,)), Sets()]) for _ in range(2))
    model.save_weights(tmp_path / "a.weights.h5")
    again.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(again(X), model(X), rtol=1e-6)


def test_a_layer_of_the_model_keeps_its_weights_from_a_namesake(tmp_path):
    class Old(keras.Model):
        def __init__(self):
            super().__init__()
            self._part = layers.Dense(3)

        def call(self, x):
            return self._part(x)

    class New(Old):
        def __init__(self):
            super().__init__()
            self.part = layers.Dense(3)

        def call(self, x):
            return self.part(super().call(x))

    old, new = Old(), New()
    old(X), new(X)
    old.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(keras.saving.FileError, match="layers/dense_1"):
        new.load_weights(tmp_path / "a.weights.h5")


def test_layers_that_are_not_built_are_named(tmp_path):
    class Parts(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(3), layers.Dense(3)

        def call(self, x, both=False):
            return self.b(self.a(x)) if both else self.a(x)

    model, again = Parts(), Parts()
    model(X, both=True), again(X)
    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.warns(UserWarning, match="Left out: b"):
        again.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(np.asarray(again(X)), np.asarray(model(X)))


def test_class_names_that_look_numbered(tmp_path):
    Dense_1 = type("Dense_1", (layers.Dense,), {})
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(3)])
    model.add(Dense_1(3))
    model.save_weights(tmp_path / "a.weights.h5")
    before = model.get_weights()
    model.set_weights([w + 1 for w in before])
    model.load_weights(tmp_path / "a.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def own_dense():
    class Dense(layers.Dense):
        def call(self, x):
            return super().call(x) * 100

    return Dense


@pytest.mark.parametrize("module", [None, "mine", "mine.layers"])
def test_a_class_named_as_one_of_keras(module, tmp_path):
    own = own_dense()
    own.__module__ = module or "__main__"
    model = keras.Sequential([keras.Input((3,)), own(2)])
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        with pytest.raises(keras.saving.FileError, match="'Dense'.*another one"):
            keras.models.load_model(tmp_path / name)
        again = keras.models.load_model(tmp_path / name, {"Dense": own})
        np.testing.assert_array_equal(again(X), model(X))
    with pytest.raises(ValueError, match="'Dense'.*another one"):
        keras.Sequential.from_config(model.get_config())


class Sum(layers.Layer):
    def __init__(self, units=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = units and layers.Dense(units)

    def call(self, x, y=None):
        x = self.dense(x) if self.dense else x
        return x if y is None else x + y

    def get_config(self):
        units = self.dense and self.dense.units
        return {**super().get_config(), "units": units}


@pytest.mark.parametrize("units", [None, 3])
@pytest.mark.parametrize(
    "graph",
    [
        lambda layer, a, b: layer(a, b),
        lambda layer, a, b: layer(a, y=b),
        lambda layer, a, b: layer(layer(a), b),
        lambda layer, a, b: layer(layer(a, b)),
    ],
)
def test_layers_of_several_arrays_without_a_build(graph, units, tmp_path):
    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], graph(Sum(units), a, b))
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name, {"Sum": Sum})
        np.testing.assert_array_equal(again([X, X + 1]), model([X, X + 1]))


def test_a_layer_that_drops_its_name(tmp_path):
    class Nameless(layers.Dense):
        def __init__(self, units, **kwargs):
            super().__init__(units)

    a = keras.Input((3,))
    model = keras.Model(a, layers.Dense(1)(Nameless(4)(Nameless(3)(a))))
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name, {"Nameless": Nameless})
        np.testing.assert_array_equal(again(X), model(X))


def test_half_a_character_comes_back(tmp_path):
    class Text(layers.Layer):
        def __init__(self, text, **kwargs):
            super().__init__(**kwargs)
            self.text = text

        def get_config(self):
            return {**super().get_config(), "text": self.text}

    model = keras.Sequential([keras.Input((3,)), Text("\udcff")])
    for name in ("a.keras", "a.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name, {"Text": Text})
        assert again.layers[0].text == "\udcff"


class Own(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(3,), initializer="ones")

    def call(self, x):
        return x * self.scale

    def get_build_config(self):
        return {"sizes": (1, 2)}

    def build_from_config(self, config):
        self.seen = config
        self.build(None)

    def save_own_variables(self, store):
        store["of/it/scale"] = np.full(3, 5.0)

    def load_own_variables(self, store):
        self.keys = list(store)
        self.scale.assign(store["of/it/scale"])


def test_own_build_configs_and_nested_keys(tmp_path):
    keras.Sequential([keras.Input((3,)), Own()]).save(tmp_path / "a.keras")
    layer = keras.models.load_model(tmp_path / "a.keras", {"Own": Own}).layers[0]
    assert layer.seen == {"sizes": [1, 2]}  # as JSON has it
    assert layer.keys == ["of/it/scale"]
    np.testing.assert_array_equal(layer.scale, np.full(3, 5.0))


class Graph(keras.Model):
    def __init__(self, inputs, outputs, scale, part=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.scale, self.part = scale, part

    def call(self, x):
        y = super().call(x) * self.scale
        return y if self.part is None else self.part(y)


class AnyGraph(keras.Model):
    def __init__(self, *args, scale=0.5, **kwargs):
        super().__init__(*args, **kwargs)
        self.scale = scale

    def call(self, x):
        return super().call(x) * self.scale


class NamedGraph(keras.Model):
    def __init__(self, inputs, outputs, name=None):
        super().__init__(inputs, outputs, name=name)


class Net(keras.Model):
    def __init__(self, units, scale=2, **kwargs):
        inputs = keras.Input((3,))
        super().__init__(inputs, layers.Dense(units)(inputs) * scale, **kwargs)


def test_subclasses_of_graphs_keep_their_arguments(tmp_path):
    a = keras.Input((3,))
    objects = {x.__name__: x for x in (Graph, AnyGraph, NamedGraph, Net)}
    for model in (
        Graph([a], layers.Dense(2)(a), 5.0),
        Graph(a, layers.Dense(2)(a), scale=3, part=layers.Dense(4), name="graph"),
        NamedGraph(a, layers.Dense(2)(a), "named"),
        AnyGraph([a], [layers.Dense(2)(a)], scale=0.25),
        Net(4, scale=7),
    ):
        model(X)
        for name in ("a.keras", "a.h5"):
            model.save(tmp_path / name)
            again = keras.models.load_model(tmp_path / name, objects)
            assert type(again) is type(model) and again.name == model.name
            np.testing.assert_array_equal(again(X), model(X))
        # As in Keras, a clone is the graph alone where the arguments follow it.
        clone = keras.models.clone_model(model)
        assert (type(clone) is type(model)) == isinstance(model, (AnyGraph, NamedGraph))
    model = Graph(a, layers.Dense(2)(a), object())
    with pytest.raises(NotImplementedError, match="Graph was made with scale=<object"):
        model.save(tmp_path / "b.keras")
    assert not (tmp_path / "b.keras").exists()


def test_custom_objects_come_before_registered_classes(tmp_path):
    class Other(Outer):
        pass

    keras.Sequential([keras.Input((3,)), Outer([])]).save(tmp_path / "a.keras")
    again = keras.models.load_model(
        tmp_path / "a.keras", {"test_custom_objects>Outer": Other}
    )
    assert type(again.layers[0]) is Other


@keras.saving.register_keras_serializable("test_custom_objects")
class Vars(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.vars = [layers.Dense(3), layers.Dense(3)]

    def call(self, x):
        return self.vars[1](self.vars[0](x))


def test_an_attribute_with_the_name_of_the_groups_of_weights(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Vars(), Own()])
    model.save(tmp_path / "a.keras")
    again = keras.models.load_model(tmp_path / "a.keras", {"Own": Own})
    for a, b in zip(again.layers[0].weights, model.layers[0].weights, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(again.layers[1].scale, np.full(3, 5.0))
