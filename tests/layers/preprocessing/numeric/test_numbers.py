"""Normalization and Discretization."""

import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.layers.preprocessing.numeric import discretization

X = np.random.default_rng(3).gamma(2.0, 3.0, (40, 4)).astype("float32")


class Batches(minikeras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[10 * index : 10 * index + 10], np.zeros(10)


@pytest.mark.parametrize(
    "data",
    [X, [X[:7], X[7:]], Batches(), ((x, 0) for x in (X[:30], X[30:]))],
    ids=["array", "list", "PyDataset", "generator of pairs"],
)
def test_normalization_of_all_kinds_of_data(data):
    layer = layers.Normalization()
    layer.adapt(data)
    expected = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)
    back = layers.Normalization(mean=X.mean(0), variance=X.var(0), invert=True)
    np.testing.assert_allclose(back(layer(X)), X, rtol=1e-4)


def test_normalization_of_pandas():
    pandas = pytest.importorskip("pandas")
    layer = layers.Normalization()
    layer.adapt(pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 7.0]}))
    assert layer.mean.tolist() == [[1.5, 5.0]]
    assert layer.variance.tolist() == [[0.25, 4.0]]


def test_a_later_adapt_reaches_the_model():
    layer = layers.Normalization(axis=None)
    layer.adapt(X)
    model = minikeras.Sequential([minikeras.Input((4,)), layer])
    before = model.predict(X, verbose=0)
    layer.adapt(2 * X)
    np.testing.assert_allclose(
        model.predict(2 * X, verbose=0), before, rtol=1e-5, atol=1e-5
    )


def test_a_later_adapt_reaches_compiled_constants():
    bins, ids = layers.Discretization(num_bins=2), layers.IntegerLookup()
    bins.adapt(X)
    ids.adapt(np.array([1, 2]))
    for layer, x in ((bins, X), (ids, np.array([[7], [1]]))):
        model = minikeras.Sequential([minikeras.Input(x.shape[1:]), layer])
        model.predict(x, verbose=0)
        layer.adapt(10 + x)
        np.testing.assert_array_equal(model.predict(10 + x, verbose=0), layer(10 + x))


def test_bins_hold_equal_shares():
    values = np.random.default_rng(0).normal(size=5000)
    layer = layers.Discretization(num_bins=4)
    layer.adapt(values[i : i + 100] for i in range(0, 5000, 100))
    shares = np.bincount(np.asarray(layer(values)), minlength=4) / 5000
    np.testing.assert_allclose(shares, 0.25, atol=0.05)
    assert layer.summary.shape[1] <= 101  # memory does not grow with the data


def test_summaries():
    summary = discretization.summarize(np.arange(10.0), 0.2)
    assert summary.tolist() == [[1.0, 3.0, 5.0, 7.0, 9.0], [2.0] * 5]
    both = discretization.merge(summary, summary, 0.5)
    assert both.tolist() == [[5.0, 9.0], [10.0, 10.0]]


def test_boundaries_of_adapt_are_in_the_config():
    layer = layers.Discretization(num_bins=3)
    layer.adapt(X)
    again = layers.Discretization.from_config(layer.get_config())
    assert again(X).tolist() == layer(X).tolist()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.Normalization().adapt([1.0, 2.0]), "make|Make an array"),
        (lambda: layers.Normalization().adapt([]), "empty iterable"),
        (lambda: layers.Normalization().adapt([X, X[:, :2]]), "incompatible shape"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(X), "given mean"),
        (lambda: layers.Normalization(mean=1.0), "both `mean` and `variance`"),
        (lambda: layers.Discretization(num_bins=3).adapt([]), "no data"),
        (lambda: layers.Discretization(num_bins=3)(X), "call `adapt"),
        (lambda: layers.Discretization([0.0]).adapt(X), "use `num_bins`"),
        (lambda: layers.Discretization(num_bins=3).adapt(None), "unsupported"),
    ],
)
def test_errors(make, error):
    with pytest.raises((TypeError, ValueError), match=error):
        make()
