"""Sparse (`BCOO`) arrays through ops: what stays sparse, and the values."""

import jax
import numpy as np
import pytest
from jax.experimental.sparse import BCOO

import minikeras
from minikeras import KerasTensor, ops

RNG = np.random.default_rng(0)


def dense(seed):
    x = np.random.default_rng(seed).normal(size=(3, 4)).astype("float32")
    return np.where(np.abs(x) > 0.7, x, 0).astype("float32")


X, Y = dense(1), dense(2)
SPARSE, OTHER = BCOO.fromdense(X), BCOO.fromdense(Y)
FULL = RNG.uniform(0.5, 1.5, (3, 4)).astype("float32")


@pytest.mark.parametrize("name", ["sin", "sqrt", "negative", "copy", "floor", "round"])
def test_functions_that_keep_zero(name):
    function = getattr(ops, name)
    x = SPARSE if name != "sqrt" else BCOO.fromdense(np.abs(X))
    y = function(x)
    assert isinstance(y, BCOO)
    np.testing.assert_allclose(y.todense(), function(x.todense()), rtol=1e-6)


@pytest.mark.parametrize("name", ["exp", "cos", "softmax", "std", "isfinite"])
def test_others_are_computed_densely(name):
    function = getattr(ops, name)
    assert isinstance(function(SPARSE), jax.Array)
    np.testing.assert_allclose(function(SPARSE), function(X), rtol=1e-6)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "minimum"])
@pytest.mark.parametrize("jit", [False, True])
def test_pairs(name, jit):
    function = getattr(ops, name)
    call = jax.jit(function) if jit else function
    both = call(SPARSE, OTHER)
    assert isinstance(both, BCOO)
    np.testing.assert_allclose(both.todense(), function(X, Y), rtol=1e-6)
    mixed = call(SPARSE, FULL)
    assert isinstance(mixed, BCOO) == (name == "multiply")
    mixed = mixed.todense() if isinstance(mixed, BCOO) else mixed
    np.testing.assert_allclose(mixed, function(X, FULL), rtol=1e-6)


def test_quotients_keep_what_is_not_a_number():
    assert isinstance(ops.divide(SPARSE, FULL), BCOO)
    holes = np.where(FULL > 1, FULL, 0).astype("float32")
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ops.divide(SPARSE, holes), X / holes)


MOVES = {
    "sum": {"axis": 0},
    "mean": {"axis": 1, "keepdims": True},
    "reshape": {"newshape": (2, 6)},
    "transpose": {},
    "expand_dims": {"axis": 1},
}


@pytest.mark.parametrize("name", MOVES)
def test_sums_and_moves(name):
    function = getattr(ops, name)
    y = function(SPARSE, **MOVES[name])
    assert isinstance(y, BCOO)
    np.testing.assert_allclose(y.todense(), function(X, **MOVES[name]), rtol=1e-6)
    symbol = minikeras.KerasTensor((None, 4), sparse=True)
    if name != "reshape":
        assert function(symbol, **MOVES[name]).sparse


def test_products_and_joins():
    np.testing.assert_allclose(ops.matmul(SPARSE, FULL.T), X @ FULL.T, rtol=1e-5)
    joined = ops.concatenate([SPARSE, OTHER], axis=1)
    assert isinstance(joined, BCOO)
    np.testing.assert_array_equal(joined.todense(), np.concatenate([X, Y], 1))
    mixed = ops.concatenate([SPARSE, FULL])
    np.testing.assert_array_equal(mixed, np.concatenate([X, FULL]))


def test_counts():
    x = BCOO.fromdense(np.int32([0, 2, 2, 0, 5]))
    np.testing.assert_array_equal(ops.bincount(x).todense(), [0, 0, 2, 0, 0, 1])
    plain = ops.bincount(np.int32([1, 1, 3]), sparse=True)
    np.testing.assert_array_equal(plain.todense(), [0, 2, 0, 1])


def test_entries_stored_twice_are_one():
    twice = BCOO(
        (np.float32([1, 2, 3]), np.int32([[0, 0], [0, 0], [1, 2]])), shape=(2, 3)
    )
    np.testing.assert_array_equal(ops.square(twice).todense(), [[9, 0, 0], [0, 0, 9]])
    squared = jax.jit(ops.square)(twice).todense()
    np.testing.assert_array_equal(squared, [[9, 0, 0], [0, 0, 9]])


def test_rows_as_entries():
    rows = BCOO.fromdense(X, n_dense=1)
    assert ops.sin(rows).n_dense == 1
    np.testing.assert_allclose(ops.transpose(rows), X.T)


@pytest.mark.parametrize("batch_axes", [0, 1])
def test_products_of_sparse_batches(batch_axes):
    x = np.where(np.arange(18.0).reshape(2, 3, 3) % 3 == 0, 0, 2).astype("float32")
    sparse = BCOO.fromdense(x, n_batch=batch_axes)
    product = ops.matmul(sparse, sparse)
    assert isinstance(product, BCOO)
    np.testing.assert_array_equal(product.todense(), x @ x)
    symbol = KerasTensor((None, 3, 3), sparse=True)
    assert ops.matmul(symbol, symbol).sparse
