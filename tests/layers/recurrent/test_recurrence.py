"""All steps of a cell at once, against the same steps one after another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import layers
from minikeras.core.bridge import apply
from minikeras.layers.recurrent.lstm import lstm_update
from minikeras.layers.recurrent.recurrence import recurrence
from minikeras.layers.recurrent.scan import select_unmasked

STEPS, BATCH, N, UNITS = 4, 3, 5, 2


def lstm(z, states):
    return lstm_update(z, states[1], jnp.tanh, jax.nn.sigmoid)


def simple(z, states):
    return [jnp.tanh(z)]


def one_by_one(apply_gates, reverse):
    def run(xs, weights, states, mask):
        kernel, bias, recurrent_kernel = weights
        outputs = [None] * STEPS
        for t in reversed(range(STEPS)) if reverse else range(STEPS):
            z = (
                xs[t] @ kernel
                + states[0] @ recurrent_kernel
                + (0 if bias is None else bias)
            )
            new = apply_gates(z, states)
            if mask is not None:
                pairs = zip(new, states, strict=True)
                new = [select_unmasked(mask[t], a, b) for a, b in pairs]
            states, outputs[t] = new, new[0]
        return jnp.stack(outputs), states

    return run


def arguments(count, gates, bias, masked):
    rng = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(rng.normal(size=shape), "float32")

    width = gates * UNITS
    weights = normal(N, width), normal(width) if bias else None, normal(UNITS, width)
    states = [normal(BATCH, UNITS) for _ in range(count)]
    mask = jnp.asarray(rng.random((STEPS, BATCH)) < 0.6) if masked else None
    return normal(STEPS, BATCH, N), weights, states, mask


@pytest.mark.parametrize("project_first", [True, False])
@pytest.mark.parametrize(
    ("apply_gates", "count", "gates", "bias", "reverse", "masked"),
    [
        (lstm, 2, 4, True, False, False),
        (lstm, 2, 4, False, True, True),
        (simple, 1, 1, True, True, False),
        (simple, 1, 1, False, False, True),
    ],
)
def test_values_and_gradients(
    apply_gates, count, gates, bias, reverse, masked, project_first
):
    xs, weights, states, mask = arguments(count, gates, bias, masked)
    ours, plain = (
        recurrence(apply_gates, project_first, reverse),
        one_by_one(apply_gates, reverse),
    )

    def results(run):
        def loss(*arrays):
            outputs, final = run(*arrays, mask)
            return sum(jnp.sum(jnp.sin(x + i)) for i, x in enumerate([outputs, *final]))

        arrays = xs, weights, states
        gradient = jax.grad(loss, (0, 1, 2))
        other = jax.tree_util.tree_map(jnp.cos, arrays)
        second = jax.jvp(gradient, arrays, other)[1]  # forward over reverse
        return run(xs, weights, states, mask), gradient(*arrays), second

    pairs = jax.tree_util.tree_map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6),
        *(jax.jit(results, static_argnums=0)(run) for run in (ours, plain)),
    )
    assert jax.tree_util.tree_structure(pairs) is not None


def gradient_of(layer, x):
    variables = {v.path: v for v in layer.trainable_variables}
    values = {path: v.value for path, v in variables.items()}

    def loss(values):
        return jnp.sum(jnp.sin(apply(layer, variables, values, x)[0]))

    return jax.jit(jax.grad(loss))(values)


@pytest.mark.parametrize(
    "make", [layers.LSTM, layers.SimpleRNN], ids=["LSTM", "SimpleRNN"]
)
def test_an_unknown_activation_takes_the_other_way(make):
    x = np.random.default_rng(1).normal(size=(BATCH, STEPS, N)).astype("float32")
    known = make(UNITS, return_sequences=True)
    other = make(UNITS, return_sequences=True, activation=lambda x: jnp.tanh(x))
    known.build(x.shape)
    other.build(x.shape)
    other.set_weights(known.get_weights())
    assert known.cell._mk_apply_gates_is_pure()
    assert not other.cell._mk_apply_gates_is_pure()
    expected = [g for _, g in sorted(gradient_of(known, x).items())]
    found = [g for _, g in sorted(gradient_of(other, x).items())]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_a_subclass_that_changes_a_step_is_asked():
    class Halved(layers.LSTMCell):
        def _mk_update_states(self, projected, states, masks):
            return [s / 2 for s in super()._mk_update_states(projected, states, masks)]

    x = np.random.default_rng(1).normal(size=(BATCH, 1, N)).astype("float32")
    cell = Halved(UNITS)
    whole = layers.LSTMCell(UNITS)
    halved = layers.RNN(cell)(x)
    whole.build((None, N))
    whole.set_weights(cell.get_weights())
    np.testing.assert_allclose(halved, layers.RNN(whole)(x) / 2, rtol=1e-6)


@pytest.mark.parametrize("project_first", [True, False])
def test_gradients_of_half_floats_are_sums_in_the_dtype_of_the_weights(project_first):
    xs, weights, states, _ = arguments(1, 1, True, False)
    xs, states = xs.repeat(99, 1), [s.repeat(99, 0) for s in states]
    scale = 2_000.0  # of each sample; the largest float16 is 65,504

    def gradient(dtype):
        def loss(weights):
            inputs, start = xs.astype(dtype), [s.astype(dtype) for s in states]
            outputs, _ = recurrence(simple, project_first, False)(
                inputs, weights, start, None
            )
            return scale * outputs.astype("float32").sum()

        return jax.grad(loss)(weights)

    for half, full in zip(gradient("float16"), gradient("float32"), strict=True):
        assert half.dtype == "float32" and float(jnp.abs(full).max()) > 65_504
        np.testing.assert_allclose(half, full, atol=4e-3 * float(jnp.abs(full).max()))


@pytest.mark.parametrize("layer", [layers.LSTM, layers.SimpleRNN])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
def test_inputs_that_are_no_floats(dtype, policy, layer):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (BATCH, STEPS, N)).astype(dtype)
    rnn = layer(UNITS, dtype=policy)
    rnn.build((BATCH, STEPS, N))

    def results(x):
        def loss(weights):
            outputs, _ = apply(rnn, rnn.weights, weights, x)
            return (outputs.astype("float32") ** 2).sum(), outputs

        return jax.grad(loss, has_aux=True)([w.value for w in rnn.weights])

    for found, expected in zip(
        *(jax.tree_util.tree_leaves(results(a)) for a in (x, x.astype("float32"))),
        strict=True,
    ):
        assert found.dtype == expected.dtype and np.abs(expected).max() > 0
        np.testing.assert_array_equal(found, expected)
