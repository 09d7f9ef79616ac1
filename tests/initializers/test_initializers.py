"""Values, variances and configs of the initializers."""

import numpy as np
import pytest

from minikeras import initializers, random
from minikeras.initializers.random import compute_fans

NAMES = [
    name
    for name in initializers.__all__
    if getattr(initializers, name).__name__ == name and name[0].isupper()
]
NAMES.remove("Initializer")


@pytest.mark.parametrize("name", NAMES)
def test_round_trip_dtype_and_clone(name):
    cls = getattr(initializers, name)
    shape = (6, 1, 4) if name == "STFT" else (3, 4)
    seeded = hasattr(cls(), "seed")
    one = cls(seed=3) if seeded else cls()
    again = initializers.deserialize(initializers.serialize(one))
    for copy in (again, one.clone(), initializers.get(initializers.serialize(one))):
        assert type(copy) is cls
        np.testing.assert_array_equal(one(shape), copy(shape))
    assert one(shape).shape == shape
    assert one(shape).dtype == "float32"
    assert one(shape, "bfloat16").dtype == "bfloat16"
    assert type(initializers.get(name)) is cls
    assert type(initializers.get(cls)) is cls
    if seeded:
        other = cls().clone()
        assert other.get_config()["seed"] is None
        assert not np.array_equal(cls()(shape), other(shape))


@pytest.mark.parametrize("distribution", ["uniform", "untruncated_normal"])
def test_variance(distribution):
    """Sample variance of 40,000 draws, within 5 %."""
    one = initializers.VarianceScaling(0.7, "fan_out", distribution, seed=1)
    assert np.var(one((200, 200))) == pytest.approx(0.7 / 200, rel=0.05)
    cut = initializers.VarianceScaling(0.7, "fan_out", seed=1)((200, 200))
    assert np.var(cut) == pytest.approx(0.7 / 200, rel=0.05)


def test_fans():
    assert compute_fans(()) == (1, 1)
    assert compute_fans((5,)) == (5, 5)
    assert compute_fans((3, 2, 4, 5)) == (24, 30)
    assert compute_fans((4, 5, 6), [0, 1], [2]) == (20, 6)
    assert compute_fans((4, 5, 6), [0]) == compute_fans((4, 5, 6))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4)])
def test_orthogonal(shape):
    x = np.asarray(initializers.Orthogonal(gain=2.0, seed=1)(shape))
    x = x.reshape(-1, shape[-1])
    x = x if x.shape[0] >= x.shape[1] else x.T
    np.testing.assert_allclose(x.T @ x, 4 * np.eye(x.shape[1]), atol=1e-5)


def test_constants():
    np.testing.assert_array_equal(initializers.Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    np.testing.assert_array_equal(
        initializers.Identity(3)((2, 3), "int32"), 3 * np.eye(2, 3)
    )
    value = np.array([[1.5, 2.5]])
    copy = initializers.deserialize(
        initializers.serialize(initializers.Constant(value))
    )
    np.testing.assert_array_equal(copy((1, 2)), value)


def test_a_given_array():
    value = np.array([1.0, 2.0], "float32")
    np.testing.assert_array_equal(initializers.get(value)((2,)), value)
    with pytest.raises(ValueError, match="Expected `shape` to be"):
        initializers.get(value)((3,))


def test_a_generator_gives_other_values_each_time():
    one = initializers.HeNormal(seed=random.SeedGenerator(3))
    assert not np.array_equal(one((2, 3)), one((2, 3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: initializers.VarianceScaling(scale=0.0),
        lambda: initializers.VarianceScaling(mode="fan"),
        lambda: initializers.VarianceScaling(distribution="cauchy"),
        lambda: initializers.RandomNormal(seed="a"),
        lambda: initializers.Orthogonal()((3,)),
        lambda: initializers.Identity()((2, 3, 4)),
        lambda: initializers.STFT("left"),
        lambda: initializers.STFT(window="unknown"),
        lambda: initializers.STFT(scaling="l2"),
        lambda: initializers.get("glorot_unifrom"),
        lambda: initializers.get(3),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ValueError):
        make()


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="glorot_uniform"):
        initializers.get("glorot_unifrom")
    with pytest.raises(NotImplementedError, match="__call__"):
        initializers.Initializer()((2,))
