"""CTC, adaptive pooling and rearrange, with values found by enumeration."""

import itertools

import jax
import numpy as np
import pytest

from minikeras import KerasTensor, ops

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(2, 4, 3)).astype("float32")


def collapsed(alignment, blank):
    kept = [label for label, _ in itertools.groupby(alignment)]
    return tuple(label for label in kept if label != blank)


def probabilities(scores, blank):
    """{labels: probability}, over all alignments."""
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    table = {}
    for alignment in itertools.product(range(p.shape[1]), repeat=len(p)):
        share = np.prod(p[np.arange(len(p)), alignment])
        key = collapsed(alignment, blank)
        table[key] = table.get(key, 0) + share
    return table


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_loss(blank):
    labels = np.array([[1, 1], [1, 0]]) if blank else np.array([[2, 1], [1, 0]])
    loss = jax.jit(ops.ctc_loss, static_argnums=4)
    out = loss(labels, SCORES, np.array([2, 1]), np.array([4, 3]), blank)
    expected = [
        -np.log(probabilities(SCORES[0], blank)[tuple(labels[0])]),
        -np.log(probabilities(SCORES[1, :3], blank)[tuple(labels[1, :1])]),
    ]
    np.testing.assert_allclose(out, expected, rtol=1e-4)


@pytest.mark.parametrize("blank", [0, 1, None])
def test_beam_search_finds_the_most_probable_labels(blank):
    paths, scores = ops.ctc_decode(
        SCORES, [4, 3], strategy="beam_search", top_paths=4, mask_index=blank
    )
    blank = 2 if blank is None else blank
    for i, frames in enumerate((4, 3)):
        table = probabilities(SCORES[i, :frames], blank)
        best = sorted(table, key=table.get, reverse=True)[:4]
        found = [tuple(x for x in path.tolist() if x >= 0) for path in paths[:, i]]
        assert found == best
        expected = np.log([table[path] for path in best])
        np.testing.assert_allclose(scores[i], expected, rtol=1e-4)


def test_greedy():
    one_hot = np.eye(3, dtype="float32")[[[1, 1, 0, 1, 2, 0]]]
    paths, scores = ops.ctc_decode(one_hot, [5])
    assert paths.tolist() == [[[1, 1, 2, -1, -1, -1]]] and scores.tolist() == [[-5.0]]
    paths, _ = ops.ctc_decode(one_hot, [6], merge_repeated=False)
    assert paths.tolist() == [[[1, 1, 1, 2, -1, -1]]]


@pytest.mark.parametrize("size", [(3, 2), (4, 5), 1, (7, 9)])
@pytest.mark.parametrize(
    ("pool", "reduce"),
    [(ops.adaptive_average_pool, np.mean), (ops.adaptive_max_pool, np.max)],
)
def test_adaptive_pooling(pool, reduce, size):
    x = RNG.normal(size=(2, 7, 5, 3)).astype("float32")
    high, wide = (size, size) if isinstance(size, int) else size
    rows = [slice(i * 7 // high, -(-(i + 1) * 7 // high)) for i in range(high)]
    columns = [slice(i * 5 // wide, -(-(i + 1) * 5 // wide)) for i in range(wide)]
    expected = [[reduce(x[:, r, c], (1, 2)) for c in columns] for r in rows]
    expected = np.moveaxis(expected, 2, 0)
    np.testing.assert_allclose(pool(x, size), expected, rtol=1e-5, atol=1e-6)
    first = pool(x.transpose(0, 3, 1, 2), size, data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, 3), expected, rtol=1e-5, atol=1e-6)
    assert pool(KerasTensor((None, None, 5, 3)), size).shape == (None, high, wide, 3)


def test_the_first_of_equal_entries_gets_the_gradient_of_a_maximum():
    gradient = jax.grad(lambda x: ops.adaptive_max_pool(x, 2).sum())
    assert gradient(np.ones((1, 3, 1), "float32")).ravel().tolist() == [1.0, 1.0, 0.0]


def test_rearrange():
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    out = ops.rearrange(x, "b (h w) c -> c (b w) h", h=2)
    expected = x.reshape(2, 2, 3, 3).transpose(3, 0, 2, 1).reshape(3, 6, 2)
    np.testing.assert_array_equal(out, expected)
    symbolic = ops.rearrange(KerasTensor((None, 6, 3)), "b (h w) c -> b c h w", h=2)
    assert symbolic.shape == (None, 3, 2, 3)
    with pytest.raises(ValueError, match="all of them but one"):
        ops.rearrange(x, "b (h w) c -> b h w c")
