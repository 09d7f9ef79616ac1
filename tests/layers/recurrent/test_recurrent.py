"""What the tables of layers do not say about recurrent ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.layers.recurrent.cell import RecurrentCell

X = np.random.default_rng(0).normal(0.3, 1.0, (3, 4, 2)).astype("float32")
MASK = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_lstm(x, kernel, recurrent_kernel, bias):
    h = c = np.zeros((len(x), len(recurrent_kernel)))
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent_kernel + bias
        i, f, g, o = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def numpy_gru(x, kernel, recurrent_kernel, bias):
    h = np.zeros((len(x), len(recurrent_kernel)))
    for t in range(x.shape[1]):
        zs = np.split(x[:, t] @ kernel + bias[0], 3, axis=1)
        hs = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
        update, reset = sigmoid(zs[0] + hs[0]), sigmoid(zs[1] + hs[1])
        h = update * h + (1 - update) * np.tanh(zs[2] + reset * hs[2])
    return h


@pytest.mark.parametrize("project_first", [True, False])
@pytest.mark.parametrize("name, expected", [("LSTM", numpy_lstm), ("GRU", numpy_gru)])
def test_against_numpy_with_either_loop(monkeypatch, name, expected, project_first):
    monkeypatch.setattr(
        RecurrentCell, "_mk_projects_all_steps_first", lambda cell: project_first
    )
    layer = getattr(layers, name)(5, bias_initializer="normal")
    layer.build(X.shape)
    y = jax.jit(layer)(X)
    expected = expected(X, *layer.get_weights())
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_both_loops_agree_with_dropout(monkeypatch, name):
    found = []
    for project_first in (True, False):
        monkeypatch.setattr(
            RecurrentCell,
            "_mk_projects_all_steps_first",
            lambda cell, first=project_first: first,
        )
        minikeras.utils.set_random_seed(1)
        layer = getattr(layers, name)(3, dropout=0.4, recurrent_dropout=0.3)
        found.append(layer(X, training=True, mask=MASK))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_implementation_1_drops_for_each_gate(name):
    layer = getattr(layers, name)(3, dropout=0.5, seed=1, implementation=1)
    layer(X, training=True)
    assert layer.cell.seed_generator.state[1] == layer.cell._mk_gates
    assert "implementation" not in layer.get_config()


class Counter(layers.Layer):
    """Its output is not its state; counts what it has seen in a weight."""

    state_size = 2

    def build(self, input_shape):
        self.calls = self.add_weight(initializer="zeros", trainable=False)

    def call(self, inputs, states):
        self.calls.assign_add(1.0)
        return inputs * 10, [states[0] + inputs]


@pytest.mark.parametrize(
    "kwargs, rows",
    [
        ({}, [[10, 101, 30, 104], [100] * 4, [100, 20, 30, 40]]),
        ({"zero_output_for_mask": True}, [[10, 0, 30, 0], [0] * 4, [0, 20, 30, 40]]),
        ({"unroll": True}, [[10, 10, 30, 30], [0] * 4, [0, 20, 30, 40]]),
        ({"go_backwards": True}, [[100, 30, 103, 10], [100] * 4, [40, 30, 20, 109]]),
    ],
)
def test_masked_steps_hold_the_state_and_unrolled_ones_the_output(kwargs, rows):
    x = np.arange(1, 5, dtype="float32")[None, :, None] * np.ones((3, 1, 2))
    layer = layers.RNN(Counter(), return_sequences=True, return_state=True, **kwargs)
    y, state = layer(x, mask=MASK, initial_state=np.full((3, 2), 100.0))
    np.testing.assert_array_equal(y[..., 0], rows)
    np.testing.assert_array_equal(state[:, 0], [104, 100, 109])
    # What a cell writes in a compiled loop is dropped, as in Keras.
    assert layer.cell.calls == (4.0 if "unroll" in kwargs else 0.0)


def test_stateful_goes_on_until_it_is_reset():
    layer = layers.GRU(2, stateful=True)
    plain = layers.GRU(2)
    first, second = layer(X), layer(X)
    plain.build(X.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(second, plain(X, initial_state=first), rtol=1e-5)
    layer.reset_state()
    np.testing.assert_allclose(layer(X), first, rtol=1e-5)
    assert len(layer.weights) == 3
    with pytest.raises(ValueError, match="batch size"):
        layer(X[:2])
    with pytest.raises(ValueError, match="batch_size="):
        layers.GRU(2, stateful=True)(minikeras.KerasTensor((None, 4, 2)))


def test_states_of_a_graph():
    inputs, state = minikeras.Input((4, 2)), minikeras.Input((3,))
    layer = layers.GRU(3, return_state=True)
    model = minikeras.Model([inputs, state], layer(inputs, initial_state=state))
    h = np.ones((3, 3), "float32")
    for a, b in zip(model([X, h]), layer(X, initial_state=[h]), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="2 arrays"):
        layers.LSTM(3)(X, initial_state=h)


def test_cells_and_layers_that_do_not_fit():
    class NoSize(layers.Layer):
        def call(self, inputs, states):
            return inputs, states

    for cell in (object(), NoSize(), [NoSize()]):
        with pytest.raises(ValueError, match="`call`|state_size"):
            layers.RNN(cell)
    with pytest.raises(ValueError, match="use_cudnn"):
        layers.LSTM(2, use_cudnn="yes")
    with pytest.raises(ValueError, match="go_backwards"):
        layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2))
    with pytest.raises(ValueError, match="merge mode"):
        layers.Bidirectional(layers.GRU(2), merge_mode="max")
    with pytest.raises(TypeError, match="Dense"):
        layers.Bidirectional(layers.Dense(2))
    with pytest.raises(ValueError, match="not compatible"):
        layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match="static"):
        layers.ConvLSTM1D(2, 3)(minikeras.KerasTensor((None, 3, None, 1)))
    with pytest.raises(ValueError, match="3 dimensions"):
        layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3)))


def test_bidirectional_is_two_layers():
    layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both")
    y = layer(X)
    weights = layer.get_weights()
    forward = layers.LSTM(2, return_sequences=True, weights=weights[:3])
    backward = layers.LSTM(2, return_sequences=True, weights=weights[3:])
    np.testing.assert_allclose(y[..., :2], forward(X), rtol=1e-5)
    np.testing.assert_allclose(y[..., 2:], backward(X[:, ::-1])[:, ::-1], rtol=1e-5)
    sub = layers.LSTM(2, return_sequences=True)
    again = layers.Bidirectional(sub, weights=weights)
    np.testing.assert_array_equal(again(X), y)


def test_time_distributed_runs_all_steps_at_once_unless_state_is_written():
    shapes = []

    class Watched(layers.Layer):
        def __init__(self, writes):
            super().__init__()
            self.count = self.add_weight(initializer="zeros", trainable=False)
            self.writes = writes

        def call(self, x):
            shapes.append(x.shape)
            if self.writes:
                self.count.assign_add(1.0)
            return x + self.count

    layer = layers.TimeDistributed(Watched(True))
    np.testing.assert_allclose(layer(X), X + np.arange(1, 5)[:, None], rtol=1e-6)
    shapes.clear()
    np.testing.assert_array_equal(layers.TimeDistributed(Watched(False))(X), X)
    assert shapes == [(3, 2)] * 2  # once to see what it writes, once to run


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
@pytest.mark.parametrize("options", [{}, {"unroll": True}, {"reset_after": False}])
def test_a_gru_of_another_policy_within_time_distributed(policy, options):
    x = np.random.default_rng(8).normal(size=(2, 3, 5, 3)).astype("float32")
    inner = layers.GRU(2, dtype=policy, **options)
    y = layers.TimeDistributed(inner)(x)
    assert y.dtype == inner.compute_dtype
    one_by_one = np.stack([inner(x[:, i]) for i in range(3)], axis=1)
    # Some processors round products in half precision later than others.
    y, one_by_one = np.asarray(y, "float32"), np.asarray(one_by_one, "float32")
    eps = float(jnp.finfo(inner.compute_dtype).eps)
    np.testing.assert_allclose(y, one_by_one, atol=2 * eps)
