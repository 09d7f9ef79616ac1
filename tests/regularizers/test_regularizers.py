"""Penalties against numpy; names, configs and bad arguments."""

import numpy as np
import pytest

from minikeras import regularizers
from minikeras.core.variable import Variable

W = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def cosines(rows):
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    count = len(rows)
    return np.abs((units @ units.T)[np.triu_indices(count, 1)]).mean()


CASES = [
    (regularizers.L1(0.5), 0.5 * np.abs(W).sum()),
    (regularizers.L2(0.5), 0.5 * (W**2).sum()),
    (regularizers.L1L2(0.5, 0.2), 0.5 * np.abs(W).sum() + 0.2 * (W**2).sum()),
    (regularizers.L1L2(None, 0.2), 0.2 * (W**2).sum()),
    (regularizers.L1L2(), 0.0),
    (regularizers.OrthogonalRegularizer(0.5), 0.5 * cosines(W)),
    (regularizers.OrthogonalRegularizer(0.5, "columns"), 0.5 * cosines(W.T)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: type(c[0]).__name__)
def test_values_and_round_trip(case):
    one, expected = case
    copy = regularizers.deserialize(regularizers.serialize(one))
    for regularizer in (one, copy):
        for x in (W, Variable(W)):
            assert float(regularizer(x)) == pytest.approx(expected, rel=1e-5)
    assert copy.get_config() == one.get_config()


def test_names():
    for name in ("l1", "L2", "l1l2", "l1_l2", "orthogonal_regularizer"):
        assert isinstance(regularizers.get(name), regularizers.Regularizer)
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
    assert regularizers.l1 is regularizers.L1
    with pytest.raises(ValueError, match="'l1'"):
        regularizers.get("l11")


@pytest.mark.parametrize("value", [-1, "a", float("nan"), float("inf"), [0.1]])
def test_bad_factors(value):
    for cls in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ValueError, match="non-negative float"):
            cls(value)


def test_bad_use():
    with pytest.raises(ValueError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonals")
    with pytest.raises(NotImplementedError, match="get_config"):
        regularizers.serialize(regularizers.Regularizer())
