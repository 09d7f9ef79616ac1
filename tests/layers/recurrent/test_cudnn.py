"""The LSTM of cuDNN against the scan."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn

from minikeras import layers
from minikeras.core.bridge import apply
from minikeras.layers.recurrent.cudnn import right_padded_lengths

_GPU = jax.default_backend() == "gpu"


def reference(x, h, c, weights, lengths, *sizes, dropout, bidirectional):
    """What JAX's documentation says that its cuDNN LSTM computes."""
    n_in, units, count = sizes
    parts = rnn.unpack_lstm_weights(weights, n_in, units, count, bidirectional)
    return rnn.lstm_ref(x, h, c, *parts, lengths, *sizes, dropout, bidirectional)


def values_and_slopes(layer, run, x, states):
    """Under jit: outputs, and gradients of weights, inputs and states."""
    others = [v.value for v in layer.non_trainable_variables]

    def loss(weights, x, states):
        variables = layer.trainable_variables, layer.non_trainable_variables
        out, _ = apply(run, variables, (weights, others), x, states)
        leaves = jax.tree_util.tree_leaves(out)
        ramps = [jnp.linspace(-1, 2, a.size).reshape(a.shape) for a in leaves]
        return sum(jnp.sum(r * a**2) for r, a in zip(ramps, leaves, strict=True)), out

    weights = [v.value for v in layer.trainable_variables]
    step = jax.jit(jax.grad(loss, (0, 1, 2), has_aux=True))
    return step(weights, x, states)


@pytest.mark.parametrize(
    "kwargs, lengths",
    [
        ({}, None),
        ({"go_backwards": True, "use_bias": False}, None),
        ({"dropout": 0.4, "seed": 1, "return_sequences": True}, None),
        ({}, (2, 4, 1)),
        ({"zero_output_for_mask": True}, (4, 3, 1)),
    ],
)
def test_the_packing_equals_the_scan(monkeypatch, kwargs, lengths):
    monkeypatch.setattr(rnn, "lstm", reference)
    layer = layers.LSTM(5, bias_initializer="normal", **kwargs)
    rng = np.random.default_rng(0)
    x, h, c = (
        rng.normal(size=shape).astype("float32")
        for shape in ((3, 4, 2), (3, 5), (3, 5))
    )
    layer.build(x.shape)
    mask = None
    if lengths is not None:
        mask = np.arange(4) < np.array(lengths)[:, None]
        np.testing.assert_array_equal(right_padded_lengths(mask), lengths)

    def fused(x, states):
        layer.cell._mk_draw_masks(x[:, 0], states)
        out = layer._mk_run_cudnn(
            x, states, None if mask is None else right_padded_lengths(mask), True
        )
        layer.cell._mk_reset_masks()
        return out

    def scanned(x, states):
        layer.cell._mk_draw_masks(x[:, 0], states)
        out = layer.inner_loop(x, states, mask, True)
        layer.cell._mk_reset_masks()
        return out

    got = values_and_slopes(layer, fused, x, [h, c])
    expected = values_and_slopes(layer, scanned, x, [h, c])
    for a, b in zip(*map(jax.tree_util.tree_leaves, (got, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_lengths_of_right_padded_masks_only():
    assert right_padded_lengths(np.array([[1, 1, 0], [1, 0, 0]])).tolist() == [2, 1]
    assert right_padded_lengths(np.array([[0, 1, 1]])) is None
    assert right_padded_lengths(np.array([[1, 0, 1]])) is None
    assert right_padded_lengths(np.array([[0, 0, 0]])) is None
    assert jax.jit(lambda m: jnp.array(right_padded_lengths(m) is None))(
        np.ones((1, 2))
    )


@pytest.mark.skipif(_GPU, reason="there is cuDNN")
def test_cudnn_is_insisted_on_without_a_gpu():
    with pytest.raises(ValueError, match="use_cudnn"):
        layers.LSTM(2, use_cudnn=True)(np.ones((1, 2, 3)))


@pytest.mark.skipif(not _GPU, reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("kwargs", [{}, {"go_backwards": True}, {"return_state": True}])
def test_both_branches_on_a_gpu(kwargs):
    x = np.random.default_rng(0).normal(size=(4, 7, 3)).astype("float32")
    found, weights = [], None
    for use_cudnn in (True, False):
        layer = layers.LSTM(8, use_cudnn=use_cudnn, **kwargs)
        layer.build(x.shape)
        if weights is not None:
            layer.set_weights(weights)
        weights = layer.get_weights()

        def run(x, states, layer=layer):
            return layer(x, initial_state=states)

        states = [np.ones((4, 8), "float32")] * 2
        with jax.default_matmul_precision("highest"):
            found.append(values_and_slopes(layer, run, x, states))
    for a, b in zip(*map(jax.tree_util.tree_leaves, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
