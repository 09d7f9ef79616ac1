"""Attention without projections."""

import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import Input, Model, layers, ops

QUERY = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
VALUE = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
QUERY_MASK = np.array([[True, True, False], [True, False, False]])
VALUE_MASK = np.array(
    [[True, True, False, True, True], [True, False, False, False, False]]
)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_dot_scores_against_numpy():
    weights = softmax(QUERY @ VALUE.transpose(0, 2, 1))
    out, got = layers.Attention()([QUERY, VALUE], return_attention_scores=True)
    np.testing.assert_allclose(got, weights, rtol=1e-5)
    np.testing.assert_allclose(out, weights @ VALUE, rtol=1e-5, atol=1e-6)


def test_additive_scores_against_numpy():
    layer = layers.AdditiveAttention()
    out = layer([QUERY, VALUE])
    pairs = np.tanh(QUERY[:, :, None] + VALUE[:, None])
    weights = softmax((pairs * layer.scale.numpy()).sum(-1))
    np.testing.assert_allclose(out, weights @ VALUE, rtol=1e-5, atol=1e-6)


def test_masks():
    out, weights = layers.Attention()(
        [QUERY, VALUE],
        mask=[QUERY_MASK, VALUE_MASK],
        use_causal_mask=True,
        return_attention_scores=True,
    )
    seen = VALUE_MASK[:, None] & np.tri(3, 5, dtype=bool)
    assert (np.asarray(weights)[~seen] == 0).all()
    assert (np.asarray(weights)[seen] > 0).all()
    assert (np.asarray(out)[~QUERY_MASK] == 0).all()


def test_half_precision_hides_sources():
    layer = layers.Attention(dtype="float16")
    half = [QUERY.astype("float16"), VALUE.astype("float16")]
    _, weights = layer(half, mask=[None, VALUE_MASK], return_attention_scores=True)
    np.testing.assert_array_equal(weights[1, :, 0], 1)


def test_the_mask_of_the_query_comes_out():
    mask = layers.Attention().compute_mask([QUERY, VALUE], [QUERY_MASK, None])
    np.testing.assert_array_equal(mask, QUERY_MASK)
    assert layers.Attention().compute_mask([QUERY, VALUE], [None, VALUE_MASK]) is None


def test_masks_travel_through_a_model():
    ids = Input((3,), dtype="int32")
    embedded = layers.Embedding(4, 2, mask_zero=True)(ids)
    pooled = layers.GlobalAveragePooling1D()(layers.Attention()([embedded, embedded]))
    model = Model(ids, pooled)
    short, long = (np.array([x]) for x in ([1, 2, 0], [1, 2, 3]))
    table = model.layers[1].embeddings.numpy()[[1, 2]]
    expected = (softmax(table @ table.T) @ table).mean(0)
    np.testing.assert_allclose(model(short)[0], expected, rtol=1e-5)
    assert abs(model(long)[0] - expected).max() > 1e-3


def test_symbolic_scores():
    pair = [Input((3, 4)), Input((None, 4))]
    out, weights = layers.Attention()(pair, return_attention_scores=True)
    assert (out.shape, weights.shape) == ((None, 3, 4), (None, 3, None))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Attention(score_mode="product"), "product"),
        (lambda: layers.Attention(dropout=1.5), "1.5"),
        (lambda: layers.Attention()(QUERY), "must be called on a list"),
        (lambda: layers.Attention()([QUERY]), "length 2 or 3"),
        (lambda: layers.Attention()([QUERY, VALUE], mask=QUERY_MASK), "must be a list"),
        (lambda: layers.Attention()([QUERY, VALUE], mask=[None]), "length 2 or 3"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_tuple_is_as_good_as_a_list():
    layer = layers.Attention()
    np.testing.assert_array_equal(layer((QUERY, VALUE)), layer([QUERY, VALUE]))


def test_more_axes_attend_along_the_last_but_one():
    x = jnp.asarray(QUERY)[:, None] * jnp.array([1.0, 2.0])[:, None, None]
    layer = layers.Attention()
    mask = [None, jnp.stack([QUERY_MASK] * 2, axis=1)]
    apart = [layer([x[:, i], x[:, i]], mask=[None, QUERY_MASK]) for i in range(2)]
    np.testing.assert_allclose(
        layer([x, x], mask=mask), ops.stack(apart, axis=1), rtol=1e-5, atol=1e-6
    )
