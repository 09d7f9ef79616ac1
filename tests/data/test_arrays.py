import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras.data import ArrayAdapter, get_adapter

rng = np.random.default_rng(3)
X = rng.normal(size=(10, 3)).astype("float32")
Y = rng.integers(0, 5, (10, 1))


def first(*args, **kwargs):
    return next(iter(ArrayAdapter(*args, **kwargs)))


def rows(adapter):
    return [batch[1].tolist() for batch in adapter]


def test_batches_in_order():
    adapter = ArrayAdapter(X, Y, batch_size=4)
    assert (adapter.num_batches, adapter.batch_size) == (3, 4)
    assert adapter.has_partial_batch and adapter.partial_batch_size == 2
    for _ in range(2):
        x, y = map(np.concatenate, zip(*adapter, strict=True))
        np.testing.assert_array_equal(x, X)
        np.testing.assert_array_equal(y, Y)


def test_whole_batches_only():
    adapter = ArrayAdapter(X, batch_size=5)
    assert adapter.num_batches == 2
    assert not adapter.has_partial_batch and adapter.partial_batch_size is None


@pytest.mark.parametrize(
    ("batch_size", "steps", "expected"),
    [(None, None, (32, 1)), (None, 3, (4, 3)), (4, 2, (4, 3)), (32, None, (32, 1))],
)
def test_batch_size_from_steps(batch_size, steps, expected):
    adapter = ArrayAdapter(X, batch_size=batch_size, steps=steps)
    assert (adapter.batch_size, adapter.num_batches) == expected


def test_shuffle_draws_one_permutation_an_epoch_when_the_first_batch_is_asked_for():
    adapter = ArrayAdapter(X, np.arange(10), batch_size=4, shuffle=True)
    np.random.seed(5)
    orders = [np.random.permutation(10) for _ in range(2)]
    np.random.seed(5)
    iterator = iter(adapter)
    assert np.random.get_state()[2] == 624  # nothing drawn yet
    next(iterator)
    np.random.seed(5)
    for order in orders:
        assert rows(adapter) == [a.tolist() for a in np.split(order, [4, 8])]


def test_shuffle_within_batches():
    adapter = ArrayAdapter(X, np.arange(10), batch_size=4, shuffle="batch")
    np.random.seed(5)
    expected = [(s + np.random.permutation(n)).tolist() for s, n in [(0, 4), (4, 4)]]
    expected.append((8 + np.random.permutation(2)).tolist())
    np.random.seed(5)
    assert rows(adapter) == expected


def test_index_batches():
    plain = ArrayAdapter(X, batch_size=6)
    assert list(plain.index_batches()) == [slice(0, 6), slice(6, 10)]
    mixed = list(ArrayAdapter(X, batch_size=6, shuffle=True).index_batches())
    assert [i.dtype for i in mixed] == [np.int32] * 2
    assert sorted(np.concatenate(mixed).tolist()) == list(range(10))


def test_short_forms():
    np.testing.assert_array_equal(first(X, batch_size=10), X)
    assert isinstance(first([X, X]), tuple) and len(first([X, X])) == 1
    assert len(first(X, Y)) == 2 and len(first(X, Y, np.ones(10))) == 3
    np.testing.assert_array_equal(first(X, None, np.ones(10)), X)


def test_dtypes():
    for dtype in ("float64", "float16", "float32", ">f8"):
        assert first(X.astype(dtype)).dtype == np.float32
    for dtype in ("int64", "int32", "uint8", "bool", "complex64"):
        assert first(X.astype(dtype)).dtype == dtype
    assert isinstance(first(jnp.asarray(X)), jax.Array)
    assert first(jnp.asarray(X, "bfloat16")).dtype == np.float32
    assert first([[1, 2], [3, 4], [5, 6]]).shape == (3, 2)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    assert first(pandas.DataFrame(X)).dtype == np.float32
    x, y = first(pandas.Series(X[:, 0]), pandas.Series(Y[:, 0], index=range(5, 15)))
    assert x.shape == y.shape == (10, 1)
    np.testing.assert_array_equal(y, Y)


def test_structures_are_kept():
    x = {"a": X, "b": (X[:, 0], [X[:, 1]])}
    bx, by = first(x, [Y, None], batch_size=2)
    assert bx["b"][1][0].shape == (2,) and by[1] is None
    np.testing.assert_array_equal(bx["b"][0], X[:2, 0])


def test_one_weight_for_all_outputs():
    w = rng.random(10).astype("float32")
    _, _, weights = first(X, {"p": Y, "q": [X]}, w, batch_size=3)
    np.testing.assert_array_equal(weights["p"], w[:3])
    np.testing.assert_array_equal(weights["q"][0], w[:3])
    partial = first(X, {"p": Y, "q": X}, {"p": w, "q": None})[2]
    assert partial["q"] is None


def test_class_weight():
    _, y, weights = first(X, Y, class_weight={0: 0.25, 3: 4.0})
    expected = np.select([y[:, 0] == 0, y[:, 0] == 3], [0.25, 4.0], 1.0)
    np.testing.assert_array_equal(weights, expected.astype("float32"))


def test_peek_draws_like_an_epoch():
    adapter = ArrayAdapter(X, np.arange(10), batch_size=4, shuffle=True)
    np.random.seed(7)
    order = np.random.permutation(10)
    second = np.random.permutation(10)
    np.random.seed(7)
    assert adapter.peek()[1].tolist() == order[:4].tolist()
    assert rows(adapter)[0] == second[:4].tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(x=X, y=Y[:7]), r"`x`: 10; `y`: 7"),
        (dict(x={"a": X, "b": X[:3]}, y=Y), r"`x`: 10, 3; `y`: 10"),
        (dict(x="words"), "elements of `x` to be arrays.*'words'"),
        (dict(x=X, y=object()), "elements of `y` to be arrays"),
        (dict(x=np.float32(3)), "`x` holds a scalar"),
        (dict(x=np.array(["2026-01-01"], "datetime64[D]")), "expected numbers or text"),
        (dict(x=X, shuffle="sometimes"), "shuffle='sometimes'"),
        (dict(x=X, class_weight={0: 1}), "NoneType"),
        (dict(x=X, y=[Y], class_weight={0: 1}), "single output"),
        (dict(x=X, y=Y, sample_weight=X[:, 0], class_weight={0: 1}), "same time"),
        (dict(x=X, y=[Y, Y], sample_weight=X), r"\(samples,\); got \(10, 3\)"),
        (dict(x=X, y={"p": Y, "q": Y}, sample_weight={"p": X[:, 0]}), "per output"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArrayAdapter(**arguments)


@pytest.mark.parametrize("x", [np.array(["a", "b"]), np.array([1, None]), ["a", "b"]])
def test_text_is_for_models_that_read_it(x):
    with pytest.raises(ValueError, match=r"`x` holds .*dtype (<U1|object).*numbers"):
        get_adapter(x)
    assert len(get_adapter(x, takes_text=True).peek()) == 2


def test_empty():
    with pytest.raises(ValueError, match="no batch"):
        ArrayAdapter(X[:0]).peek()
