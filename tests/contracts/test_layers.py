"""What every layer promises, for every row of the table."""

import json

import jax
import numpy as np
import pytest

import minikeras
from minikeras import layers
from tests.contracts.layer_table import ROWS

# Classes that are no layers to call: bases, and the beginning of a graph.
_BASES = {"Layer", "Wrapper", "InputLayer"}
_each = pytest.mark.parametrize("row", ROWS, ids=str)


@pytest.fixture(autouse=True)
def _seed():
    minikeras.utils.set_random_seed(7)


def _leaf_shapes(x):
    return [tuple(leaf.shape) for leaf in jax.tree_util.tree_leaves(x)]


def _symbolic(row, batch):
    """KerasTensors of the row's shapes, with another batch size."""

    def one(shape):
        return minikeras.KerasTensor(
            (batch, *shape[1:]), "float32" if row.ints is None else "int32"
        )

    return list(map(one, row.shape)) if isinstance(row.shape, list) else one(row.shape)


def test_table_covers_every_layer():
    public = {
        value.__name__
        for value in vars(layers).values()
        if isinstance(value, type) and issubclass(value, layers.Layer)
    }
    assert public - _BASES - {row.name for row in ROWS} == set()


@_each
def test_config_round_trip(row):
    layer = row.make(minikeras, name="one")
    config = json.loads(json.dumps(layers.serialize(layer)))
    custom = {"double_plus": row.kwargs.get("function")}
    again = layers.deserialize(config, custom_objects=custom)
    assert type(again) is type(layer)
    assert json.loads(json.dumps(layers.serialize(again))) == config
    x = row.inputs()
    again(x)
    layer(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), layer(x))


@_each
def test_jit_equals_eager(row):
    layer, x = row.make(minikeras), row.inputs()
    layer(x)
    trainable = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    eager, after = layer.stateless_call(trainable, others, x, training=True)
    call = jax.jit(lambda *args: layer.stateless_call(*args, training=True))
    jitted, after_jit = call(trainable, others, x)
    np.testing.assert_allclose(jitted, eager, rtol=1e-5, atol=1e-6)
    for a, b in zip(after_jit, after, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@_each
def test_bfloat16_is_close(row):
    layer, half = row.make(minikeras), row.make(minikeras, dtype="mixed_bfloat16")
    x = row.inputs()
    expected, _ = layer(x), half(x)
    half.set_weights(layer.get_weights())
    got = half(x)
    assert got.dtype == "bfloat16"
    assert all(v.dtype == "float32" for v in half.weights)
    np.testing.assert_allclose(
        np.asarray(got, "float32"), expected, rtol=row.half, atol=row.half
    )


@_each
def test_batch_of_one_is_a_row_of_the_batch(row):
    layer, x = row.make(minikeras), row.inputs()
    whole = layer(x)
    first = jax.tree_util.tree_map(lambda a: a[:1], x)
    np.testing.assert_allclose(layer(first), whole[:1], rtol=1e-5, atol=1e-6)


@_each
def test_symbolic_shape_equals_eager_shape(row):
    layer, x = row.make(minikeras), row.inputs()
    batch = jax.tree_util.tree_leaves(x)[0].shape[0]
    symbolic = layer(_symbolic(row, batch))
    eager = layer(x)
    assert _leaf_shapes(symbolic) == _leaf_shapes(eager)
    assert symbolic.dtype == eager.dtype
    shapes = [tuple(s) for s in row.shape] if isinstance(row.shape, list) else row.shape
    assert layer.compute_output_shape(shapes) == eager.shape


@_each
def test_unknown_batch_size(row):
    layer = row.make(minikeras)
    assert layer(_symbolic(row, None)).shape == (None, *layer(row.inputs()).shape[1:])
