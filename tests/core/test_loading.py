"""While a file is loaded, Variables wait for values, and are counted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.loading import Loading, reserve
from minikeras.core.shape_inference import output_spec
from minikeras.core.variable import Variable


def counted(calls):
    def initializer(shape, dtype):
        calls.append(shape)
        return jnp.full(shape, 7, dtype)

    return initializer


def test_initializers_run_for_what_has_no_value_at_the_end():
    calls = []
    with Loading(10, 1):
        given = Variable(counted(calls), (2, 3), "float32")
        left = Variable(counted(calls), (4,), "float32")
        given.assign(np.arange(6.0).reshape(2, 3))
        assert calls == []
    assert calls == [(4,)]
    assert given.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert left.numpy().tolist() == [7] * 4


def test_who_asks_for_shapes_draws_nothing_and_other_code_sees_values():
    calls = []
    with Loading(10, 1):
        v = Variable(counted(calls), (2, 600), "float32")
        out = output_spec(lambda x: x @ v.value, [KerasTensor((5, 2))], {})
        assert out.shape == (5, 600) and calls == []
        assert float(jax.jit(lambda: v.value.sum())()) == 7 * 1200
        assert float(v.value.sum()) == 7 * 1200
    assert calls == [(2, 600)]


def test_what_a_file_does_not_store_is_not_created():
    with pytest.raises(ValueError, match="takes 80000000 numbers"):
        with Loading(1000, 10):
            Variable("zeros", (80_000, 1_000))
    with Loading(20_000_000, 10):
        reserve(1 << 22, "a table")
    with Loading(1000, 10):
        reserve(1 << 20, "a table")
    with pytest.raises(ValueError, match="a table takes"):
        with Loading(1000, 10):
            reserve(1 << 23, "a table")
    reserve(1 << 40, "a table")  # no file is loaded


def test_an_error_creates_nothing():
    calls = []
    with pytest.raises(KeyError):
        with Loading(10, 1):
            Variable(counted(calls), (2,), "float32")
            raise KeyError
    assert calls == []


def test_objects_are_counted():
    config = {"class_name": "A", "config": [{"class_name": "B"}] * 4_000}
    with pytest.raises(ValueError, match="more than 3050 objects"):
        Loading(10, 1).check_objects(config)
    Loading(10, 100).check_objects(config)
    ops = [{"class_name": "Add", "module": "keras.ops"}, {"class_name": "__numpy__"}]
    Loading(10, 1).check_objects(ops * 20_000)
