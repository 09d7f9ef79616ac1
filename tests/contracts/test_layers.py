"""What every layer promises, for every row of the table."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.core import registry
from tests.contracts.layer_table import ROWS

# Classes that are no layers to call: bases, the beginning of a graph, and refusals.
_BASES = {"Layer", "Wrapper", "InputLayer", "TFSMLayer", "TorchModuleWrapper"}
_BASES |= {"FlaxLayer"}  # needs Flax, see test_jax_layer.py
_BASES |= {"StringLookup", "TextVectorization"}  # text, see preprocessing/text/
_each = pytest.mark.parametrize("row", ROWS, ids=str)
# What takes long for all rows: the first of each class, the others in `make parity`.
_first_rows = {row.name: row for row in reversed(ROWS)}.values()
_each_class = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=[] if row in _first_rows else [pytest.mark.slow])
        for row in ROWS
    ],
    ids=str,
)
_map = jax.tree_util.tree_map


@pytest.fixture(autouse=True)
def _seed():
    minikeras.utils.set_random_seed(7)


def _leaves(x):
    return jax.tree_util.tree_leaves(x)


def _close(left, right, tolerance=1e-5):
    for a, b in zip(_leaves(left), _leaves(right), strict=True):
        a, b = (np.asarray(x, "float32") for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def _specs(x):
    return [(tuple(leaf.shape), str(leaf.dtype)) for leaf in _leaves(x)]


def _symbolic(row, batch):
    """KerasTensors of the row's shapes, with another batch size."""

    def one(x):
        return minikeras.KerasTensor((batch, *x.shape[1:]), x.dtype.name)

    return _map(one, row.inputs())


def _model(row, **more):
    """(model of the layer and a Dense on top, its inputs)."""

    def one(x):
        return minikeras.Input(x.shape[1:], dtype=x.dtype.name, batch_size=len(x))

    inputs = _map(one, row.inputs())
    outputs = _leaves(row.call(row.make(minikeras, **more), inputs))
    flat = [layers.Flatten()(x) for x in outputs]
    joined = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return minikeras.Model(inputs, layers.Dense(1)(joined)), row.inputs()


def _pure(row, layer, **mode):
    """(trainable, others, x) -> (outputs, new state) of a layer that is built."""

    def call(trainable, others, x):
        def stateless(*args, **kwargs):
            return layer.stateless_call(trainable, others, *args, **kwargs)

        return row.call(stateless, x, **mode)

    return call


def _state(layer):
    return [
        [v.value for v in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    ]


def _jitted(row, layer, transform=lambda call: call):
    """x -> outputs of a layer that is built: one program, not one for each op."""
    state, pure = _state(layer), _pure(row, layer)
    return jax.jit(transform(lambda x: pure(*state, x)[0]))


def test_table_covers_every_layer():
    public = {
        registry.public_name(value)
        for value in vars(layers).values()
        if isinstance(value, type) and issubclass(value, layers.Layer)
    }
    assert public - _BASES - {row.name for row in ROWS} == set()


@_each
def test_config_round_trip(row):
    layer = row.make(minikeras, name="one")
    config = json.loads(json.dumps(layers.serialize(layer)))
    custom = {f.__name__: f for f in row.functions()}
    again = layers.deserialize(config, custom_objects=custom)
    assert type(again) is type(layer)
    assert json.loads(json.dumps(layers.serialize(again))) == config
    x = row.inputs()
    row.call(again, x)
    row.call(layer, x)
    again.set_weights(layer.get_weights())
    _close(row.call(again, x), row.call(layer, x), 0)


@_each
def test_save_and_load(row, tmp_path):
    model, x = _model(row)
    model.save(tmp_path / "model.keras")
    custom = {f.__name__: f for f in row.functions()}
    again = minikeras.saving.load_model(tmp_path / "model.keras", custom)
    _close(again(x), model(x), 0)


@_each_class
def test_jit_equals_eager(row):
    if not row.same_compiled:
        pytest.skip("chooses by Python's generator in eager calls")
    layer, x = row.make(minikeras), row.inputs()
    row.call(layer, x)
    call, state = _pure(row, layer, training=True), _state(layer)
    _close(jax.jit(call)(*state, x), call(*state, x))


@_each_class
def test_bfloat16_is_close(row):
    if row.half is None:
        pytest.skip("the layers within have the dtypes")
    layer, half = row.make(minikeras), row.make(minikeras, dtype="mixed_bfloat16")
    x = row.inputs()
    row.call(layer, x)
    row.call(half, x)
    half.set_weights(layer.get_weights())
    expected, got = row.call(layer, x), row.call(half, x)
    assert all(y.dtype in ("bfloat16", "bool") for y in _leaves(got))
    assert all(v.dtype == "float32" for v in half.weights)
    _close(got, expected, row.half)


@_each_class
def test_batch_of_one_is_a_row_of_the_batch(row):
    if not row.rowwise:
        pytest.skip("rows depend on each other")
    layer, x = row.make(minikeras), row.inputs()
    whole = row.call(layer, x)
    one = row.inputs(batch=1)
    sized = row.sized and row.make(minikeras)
    first = row.call(sized, one) if sized else _jitted(row, layer)(one)
    _close(first, _map(lambda y: y[:1], whole))


@_each
def test_batch_of_none(row):
    if not row.empty:
        pytest.skip("needs a row")
    layer, x = row.make(minikeras), row.inputs()
    whole = row.call(layer, x)
    nothing = _jitted(row, layer)(row.inputs(batch=0))
    for a, b in zip(_leaves(nothing), _leaves(whole), strict=True):
        assert a.shape == (0, *b.shape[1:])


@_each_class
def test_vmap_over_rows_equals_the_batch(row):
    if not row.rowwise:
        pytest.skip("rows depend on each other")
    layer, x = row.make(minikeras), _map(jnp.asarray, row.inputs())
    whole = row.call(layer, x)

    def over_rows(call):
        def one(x):
            return _map(lambda y: y[0], call(_map(lambda a: a[None], x)))

        return jax.vmap(one)

    _close(_jitted(row, layer, over_rows)(x), whole)


@_each
def test_symbolic_shape_equals_eager_shape(row):
    layer, x = row.make(minikeras), row.inputs()
    batch = _leaves(x)[0].shape[0]
    symbolic = row.call(layer, _symbolic(row, batch))
    eager = row.call(layer, x)
    assert _specs(symbolic) == _specs(eager)


@_each
def test_unknown_batch_size(row):
    symbolic = _leaves(row.call(row.make(minikeras), _symbolic(row, None)))
    eager = _leaves(row.call(row.make(minikeras), row.inputs()))
    for a, b in zip(symbolic, eager, strict=True):
        assert a.shape == (None, *b.shape[1:])


@_each_class
def test_trains_and_is_traced_once(row):
    traces = []

    class Counted(layers.Layer):
        def call(self, x):
            traces.append(x)
            return x

    trained, x = _model(row)
    model = minikeras.Model(trained.inputs, Counted()(trained.output))
    model.compile(minikeras.optimizers.SGD(1e-3), "mse")
    y = np.linspace(-1, 2, len(_leaves(x)[0]))[:, None]
    before = [v.numpy() for v in model.trainable_variables]
    model.train_on_batch(x, y)
    count = len(traces)
    loss = model.train_on_batch(x, y)
    assert len(traces) == count
    assert np.isfinite(loss)
    after = [v.numpy() for v in model.trainable_variables]
    assert any((a != b).any() for a, b in zip(after, before, strict=True))
    assert all(np.isfinite(v).all() for v in after)


@_each
def test_masks_pass_where_they_are_supported(row):
    layer = row.make(minikeras)
    overridden = type(layer).compute_mask is not layers.Layer.compute_mask
    if overridden or not layer.supports_masking or not isinstance(row.shape, tuple):
        pytest.skip("has a rule of its own, or drops masks with a warning")
    shape = row.shape if row.name == "Softmax" else row.shape[:-1]
    mask = jnp.arange(np.prod(shape)).reshape(shape) % 3 > 0

    class Begin(layers.Layer):
        def call(self, x):
            return x

        def compute_mask(self, x, previous_mask):
            return mask

    class End(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            return mask

    found = End()(layer(Begin()(row.inputs())))
    np.testing.assert_array_equal(found, mask)
