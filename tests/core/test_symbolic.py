"""KerasTensors, the graph, and `@op`."""

import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.shape_inference import output_spec
from minikeras.core.symbolic import Operation


def test_shapes_with_unknown_sizes():
    x = keras.Input((None, 3))
    assert (x * 2).shape == (None, None, 3)
    assert x[:, -1].shape == (None, 3)
    assert x[:, 2:7].shape[0] is None
    assert ops.mean(x, axis=1).shape == (None, 3)
    assert ops.reshape(x, (-1, 6)).shape == (None, 6)
    assert ops.concatenate([x, x], axis=2).shape == (None, None, 6)
    assert ops.concatenate([x, x], axis=1).shape == (None, None, 6)[:2] + (3,)
    assert ops.transpose(x).shape == (3, None, None)
    assert (x @ jnp.ones((3, 5))).shape == (None, None, 5)
    assert layers.Flatten()(keras.Input((None, 3))).shape == (None, None)


def test_dtypes():
    x = keras.Input((2,), dtype="int32")
    assert (x > 1).dtype == "bool" and (x + 1).dtype == "int32"
    assert (x / 2).dtype == "float32" and ops.cast(x, "float16").dtype == "float16"


def test_a_node_says_where_a_tensor_comes_from():
    x = keras.Input((2,), name="x")
    y = layers.Dense(3, name="dense")(x)
    z = y - 1.0
    layer, node_index, tensor_index = y._keras_history
    assert (layer.name, node_index, tensor_index) == ("dense", 0, 0)
    assert layer.input is x and layer.output is y
    operation = z._keras_history[0]
    assert operation.class_name == "Subtract" and operation.input is y
    again = layer(keras.Input((2,)))
    assert again._keras_history[1] == 1


@pytest.mark.parametrize(
    "use",
    [
        np.asarray,
        bool,
        list,
        int,
        float,
    ],
)
def test_symbolic_tensors_have_no_values(use):
    errors = (TypeError, ValueError, NotImplementedError)
    with pytest.raises(errors, match="symbolic"):
        use(KerasTensor((2,)))


def test_the_graph_computes_what_the_ops_compute():
    rng = np.random.default_rng(2)
    a, b = (rng.normal(size=(4, 5, 3)).astype("float32") for _ in range(2))
    x, y = keras.Input((5, 3)), keras.Input((5, 3))
    z = ops.where(x > y, x**2, -y)[:, 1:4, ..., None]
    z = ops.stack([ops.max(z, axis=(1, 3)), 1 / (1 + abs(x[:, 0]))], axis=-1)
    model = keras.Model([x, y], [z, x // 0.5, 3 - y])
    expected = np.where(a > b, a**2, -b)[:, 1:4].max(1)
    out = model([a, b])
    np.testing.assert_allclose(
        out[0], np.stack([expected, 1 / (1 + abs(a[:, 0]))], -1), rtol=1e-6
    )
    np.testing.assert_allclose(out[1], a // 0.5)
    again = keras.Model.from_config(model.get_config())
    for left, right in zip(again([a, b]), out, strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_op_keeps_its_arguments_in_the_config():
    x = keras.Input((4, 3))
    operation = ops.sum(x, axis=1, keepdims=True)._keras_history[0]
    config = operation.get_config()
    assert (config["axis"], config["keepdims"]) == (1, True)
    same = type(operation).from_config("Sum", config)
    assert same.call(jnp.ones((2, 4, 3))).shape == (2, 1, 3)


def test_own_operations():
    class Scale(Operation):
        def __init__(self, factor, name=None):
            super().__init__(name=name)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    scale = Scale(3.0)
    assert scale.get_config()["factor"] == 3.0
    x = keras.Input((2,))
    model = keras.Model(x, scale(x))
    np.testing.assert_allclose(model(np.ones((1, 2))), 3 * np.ones((1, 2)))
    with pytest.raises(ValueError, match="`/`"):
        Scale(1.0, name="a/b")


def test_output_spec_keeps_the_nest_and_leaves_state_alone():
    v = keras.Variable(1.0)

    def run(x):
        v.assign(2.0)
        return {"a": x[0], "b": (x, None, 3)}

    out = output_spec(run, (KerasTensor((None, 4)),), {})
    assert out["a"].shape == (4,) and out["b"][0].shape == (None, 4)
    assert out["b"][1:] == (None, 3)
    assert float(v.value) == 1.0


def test_layers_take_unknown_sizes_for_the_known_ones_they_meet():
    a, b = keras.Input((None, 3)), keras.Input((4, None))
    assert layers.Add()([a, b]).shape == (None, 4, 3)
    x, y = keras.Input((None, None, 3)), keras.Input((4, None, 5))
    assert layers.Concatenate()([x, y]).shape == (None, 4, None, 8)
    with pytest.raises(ValueError, match=r"None, 4, 5.*broadcast"):
        layers.Add()([a, keras.Input((4, 5))])
