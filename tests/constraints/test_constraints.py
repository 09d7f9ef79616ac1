"""Constraints against numpy; names and configs."""

import numpy as np
import pytest

from minikeras import constraints

W = np.random.default_rng(0).normal(size=(3, 4)).astype("float32") * 2
NORMS = np.linalg.norm(W, axis=0, keepdims=True)
ROW_NORMS = np.linalg.norm(W, axis=1, keepdims=True)

CASES = [
    (constraints.MaxNorm(1.5), W * np.minimum(1, 1.5 / NORMS)),
    (
        constraints.MaxNorm(1.5, axis=[0, 1]),
        W * min(1, 1.5 / np.linalg.norm(W)),
    ),
    (
        constraints.MinMaxNorm(1.0, 2.0, rate=0.3, axis=1),
        W * (0.3 * np.clip(ROW_NORMS, 1, 2) + 0.7 * ROW_NORMS) / ROW_NORMS,
    ),
    (constraints.NonNeg(), np.maximum(W, 0)),
    (constraints.UnitNorm(), W / NORMS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: type(c[0]).__name__)
def test_values_and_round_trip(case):
    one, expected = case
    copy = constraints.deserialize(constraints.serialize(one))
    assert copy.get_config() == one.get_config()
    for constraint in (one, copy):
        np.testing.assert_allclose(constraint(W), expected, rtol=2e-6)


def test_a_zero_weight_stays_finite():
    for constraint, _ in CASES:
        np.testing.assert_array_equal(constraint(np.zeros((3, 4))), np.zeros((3, 4)))


def test_names():
    for name in ("max_norm", "MinMaxNorm", "non_neg", "unit_norm"):
        assert isinstance(constraints.get(name), constraints.Constraint)
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="unit_norm"):
        constraints.get("unitnorm")


def test_the_base_changes_nothing():
    np.testing.assert_array_equal(constraints.Constraint()(W), W)
