"""Attention between projections: several heads, and heads that share keys."""

import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import Input, config, layers
from minikeras.core.bridge import get_mask, set_mask
from minikeras.layers.attention.projected_attention import ProjectedAttention

QUERY = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
VALUE = np.random.default_rng(1).normal(size=(2, 5, 4)).astype("float32")
VALUE_MASK = np.array(
    [[True, True, False, True, True], [True, False, False, False, False]]
)


def multi(**kwargs):
    return layers.MultiHeadAttention(**{"num_heads": 2, "key_dim": 3} | kwargs)


def grouped(**kwargs):
    sizes = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    return layers.GroupQueryAttention(**sizes | kwargs)


both = pytest.mark.parametrize("make", [multi, grouped])


def masked(x, mask):
    x = jnp.array(x)
    set_mask(x, mask)
    return x


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_against_numpy():
    layer = multi(bias_initializer="uniform", value_dim=2)
    out = layer(QUERY, VALUE)
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()
    q, k, v = (
        np.einsum("btn,nhd->bhtd", x, w) + b[:, None]
        for x, w, b in ((QUERY, wq, bq), (VALUE, wk, bk), (VALUE, wv, bv))
    )
    e = np.exp(q @ k.transpose(0, 1, 3, 2) / np.sqrt(3))
    heads = e / e.sum(-1, keepdims=True) @ v
    close(out, np.einsum("bhtd,hdn->btn", heads, wo) + bo)


@both
def test_fused_and_stepwise_attention_agree(make):
    layer = make()
    calls = [{}, {"use_causal_mask": True}, {"value_mask": VALUE_MASK}]
    calls.append({"attention_mask": np.tri(3, 5)[None] > 0})
    for call in calls:
        stepwise, _ = layer(QUERY, VALUE, return_attention_scores=True, **call)
        close(layer(QUERY, VALUE, **call), stepwise)


@both
def test_hidden_sources_do_not_matter(make):
    layer, other = make(), VALUE.copy()
    other[~VALUE_MASK] += 1
    for value_mask in ({"value_mask": VALUE_MASK}, {"key_mask": VALUE_MASK}):
        close(layer(QUERY, VALUE, **value_mask), layer(QUERY, other, **value_mask))
    later = VALUE.copy()
    later[:, 2:] += 1
    out = [layer(QUERY, x, use_causal_mask=True) for x in (VALUE, later)]
    close(out[0][:, :2], out[1][:, :2])
    assert abs(out[0][:, 2] - out[1][:, 2]).max() > 1e-3


@both
def test_sliding_window(make):
    _, weights = make(sliding_window=2)(QUERY, VALUE, return_attention_scores=True)
    near = abs(np.arange(3)[:, None] - np.arange(5)) < 2
    assert ((np.asarray(weights) > 0) == near).all()


def test_masks_of_heads_and_of_steps_together():
    layer = multi()
    heads = np.ones((2, 2, 3, 5), bool)
    heads[:, 1, :, 4] = False
    call = {"attention_mask": heads, "value_mask": VALUE_MASK}
    _, weights = layer(QUERY, VALUE, return_attention_scores=True, **call)
    seen = heads & VALUE_MASK[:, None, None]
    assert ((np.asarray(weights) > 0) == seen).all()


def test_the_masks_of_the_inputs_end_at_multi_head_attention():
    mask = jnp.array([[True, True, False], [True, False, False]])
    query, value = masked(QUERY, mask), masked(VALUE, jnp.asarray(VALUE_MASK))
    out = multi()(query, value)
    np.testing.assert_array_equal(get_mask(out), mask)
    assert get_mask(query) is None
    assert get_mask(value) is None


def test_the_masks_of_the_inputs_stay_in_grouped_attention(recwarn):
    mask = jnp.array([[True, True, False], [True, False, False]])
    query = masked(QUERY, mask)
    layer = grouped()
    out = layer(query, VALUE)
    np.testing.assert_array_equal(get_mask(out), mask)
    assert get_mask(query) is mask
    close(out, layer(QUERY, VALUE, query_mask=mask))
    assert not recwarn


def test_one_key_for_all_queries_is_each_head_with_that_key():
    layer = grouped(num_key_value_heads=1)
    out = layer(QUERY, VALUE)
    whole = multi(num_heads=4)
    whole.build(QUERY.shape, VALUE.shape)
    weights = layer.get_weights()
    for i in (2, 3, 4, 5):
        weights[i] = np.repeat(weights[i], 4, axis=-2)
    whole.set_weights(weights)
    close(whole(QUERY, VALUE), out)


def test_a_subclass_replaces_the_attention():
    class Uniform(layers.MultiHeadAttention):
        def _compute_attention(
            self, query, key, value, attention_mask=None, training=None
        ):
            assert attention_mask.shape == (1, 3, 5)
            return jnp.broadcast_to(value.mean(1)[:, None], query.shape), None

    out = Uniform(2, 3)(QUERY, VALUE, use_causal_mask=True)
    close(out[:, 0], out[:, 2])


def test_both_masks_reach_a_direct_call():
    layer = multi()
    layer.build(QUERY.shape, VALUE.shape)
    arrays = [np.stack([x[..., :3]] * 2, 2) for x in (QUERY, VALUE, VALUE)]
    extra = np.ones((1, 3, 5), bool)
    extra[:, 2, 1] = False
    merged = extra & np.tri(3, 5, dtype=bool)
    attend = ProjectedAttention._compute_attention
    both, _ = attend(layer, *arrays, jnp.asarray(extra), use_causal_mask=True)
    one, _ = attend(layer, *arrays, jnp.asarray(merged))
    close(both, one)


def test_symbolic_scores():
    pair = Input((None, 4)), Input((5, 4))
    out, weights = multi()(*pair, return_attention_scores=True)
    assert (out.shape, weights.shape) == ((None, None, 4), (None, 2, None, 5))
    wide = multi(attention_axes=(1, 2))
    pair = Input((3, 2, 4)), Input((5, 6, 4))
    _, weights = wide(*pair, return_attention_scores=True)
    assert weights.shape == (None, 2, 3, 2, 5, 6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: multi(num_heads=0), "num_heads.*0"),
        (lambda: multi(key_dim=1.5), "key_dim.*1.5"),
        (lambda: multi(value_dim=-1), "value_dim.*-1"),
        (lambda: multi(output_shape=8.0), "Invalid `output_shape`: 8.0"),
        (lambda: multi(sliding_window=0), "sliding_window.*0"),
        (lambda: multi(dropout=-0.1), "dropout"),
        (lambda: multi(dropout=0.1, flash_attention=True), "Dropout is not supported"),
        (lambda: grouped(num_query_heads=3), "divisible.*3 and 2"),
        (lambda: multi()(QUERY, VALUE, VALUE[:, :4]), "must be equal.*5.*4"),
        (
            lambda: multi(flash_attention=True)(
                QUERY, VALUE, None, return_attention_scores=True
            ),
            "disable flash",
        ),
        (lambda: multi()(QUERY, VALUE, attention_mask=np.ones(5)), r"\(5,\)"),
        (
            lambda: multi(attention_axes=(1, 2))(
                QUERY[:, None], VALUE[:, None], use_causal_mask=True
            ),
            "one axis",
        ),
        (lambda: grouped().compute_output_shape((1, 2, 3), (1, 2, 4)), "must be equal"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_flash_attention_can_be_turned_off_for_all():
    config.disable_flash_attention()
    try:
        off = multi()(QUERY.astype("float16"), VALUE.astype("float16"))
    finally:
        config.enable_flash_attention()
    assert np.isfinite(off).all()
