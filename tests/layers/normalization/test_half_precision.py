"""What half floats hold badly is normalized before it is cast to them."""

import numpy as np
import pytest

from minikeras import layers, ops

RIGHT = [-1.342, -0.447, 0.447, 1.342]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16"])
@pytest.mark.parametrize(
    "make",
    [
        layers.LayerNormalization,
        lambda dtype: layers.GroupNormalization(1, dtype=dtype),
    ],
    ids=["layer", "group"],
)
@pytest.mark.parametrize("x", [[300.1, 300.2, 300.3, 300.4], [6e4, 7e4, 8e4, 9e4]])
def test_large_and_offset_values(policy, make, x):
    y = make(dtype=policy)(np.array([x], "float32"))
    assert str(y.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(ops.cast(y, "float32")[0], RIGHT, atol=0.06)


def test_layers_that_do_not_cast_their_inputs():
    makers = (layers.LayerNormalization, layers.GroupNormalization)
    assert not any(make().autocast for make in makers)
    assert layers.BatchNormalization().autocast


def test_integers_are_normalized_as_floats():
    y = layers.LayerNormalization()(np.array([[1, 2, 3, 4]]))
    assert str(y.dtype) == "float32"
    np.testing.assert_allclose(y[0], RIGHT, atol=1e-2)
