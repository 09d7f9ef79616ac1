"""Ops on KerasTensors with unknown sizes, and errors that show the call."""

import numpy as np
import pytest

from minikeras import KerasTensor, ops


def shape(x):
    return x.shape


def K(*shape, dtype="float32"):
    return KerasTensor(shape, dtype)


def test_a_size_that_must_fit_is_found():
    assert shape(ops.add(K(None, 3), K(2, None))) == (2, 3)
    assert shape(ops.where(K(2, None, 1), K(None, 1), K(None, 3))) == (2, None, 3)
    assert shape(ops.broadcast_to(K(None, 3), (2, 5, 3))) == (2, 5, 3)
    assert shape(ops.reshape(K(None, 3), (3, 2))) == (3, 2)
    assert shape(ops.einsum("ij,jk->ik", K(None, 4), K(None, 5))) == (None, 5)
    with pytest.raises(ValueError, match="Called: concatenate"):
        ops.concatenate([K(None, 3, 5), K(None, 4, 6)], axis=1)


def test_sizes_that_may_be_small():
    assert shape(K(None, 3)[:5]) == (None, 3)
    assert shape(K(None, 3)[-1]) == (3,)
    assert shape(ops.diagonal(K(None, 3))) == (None,)
    with pytest.raises(ValueError, match="out of bounds"):
        K(None, 3)[:, 5]


def test_sizes_that_depend_on_values():
    assert [shape(x) for x in ops.nonzero(K(None, 3))] == [(None,), (None,)]
    values, inverse = ops.unique(K(4, 2), axis=0, return_inverse=True)
    assert (shape(values), shape(inverse)) == ((None, 2), (4,))
    assert shape(ops.bincount(K(2, 5, dtype="int32"))) == (2, None)
    assert len(ops.unstack(K(2, None), num=3, axis=1)) == 3
    with pytest.raises(ValueError, match="num"):
        ops.unstack(K(2, None), axis=1)


def test_functions_of_integers_are_recorded_for_floats():
    out = ops.take(K(None, 3), K(2), axis=0)
    assert (shape(out), out.dtype) == ((2, 3), "float32")


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda x: ops.sum(x, axis=4), ValueError, r"Called: sum\(float32\[2, 3\]"),
        (lambda x: ops.add(x, np.ones((4, 5))), TypeError, "Called: add"),
        (lambda x: ops.bitwise_and(x, x), TypeError, "bitwise_and"),
        (lambda x: ops.pad(x, 1, mode="no"), ValueError, "'reflect'"),
        (lambda x: ops.swapaxes(x, 0, 5), ValueError, "axis 5"),
        (lambda x: ops.split(x, 2, axis=5), ValueError, "axis 5"),
        (lambda x: ops.reshape(x, (-2, 3)), ValueError, r"\(-2, 3\)"),
        (lambda x: ops.transpose(x, (0, 0)), ValueError, "permutation"),
        (lambda x: ops.where(x, x), ValueError, "x2=None"),
        (lambda x: ops.cholesky(x), ValueError, "square"),
        (lambda x: ops.array_split(x, [1]), TypeError, "`split`"),
    ],
)
def test_errors(call, error, named):
    with pytest.raises(error, match=named):
        call(np.ones((2, 3), "float32"))


def test_zeros_have_a_sign():
    assert int(ops.argmax(np.float32([-1, -0.0, 0.0]))) == 2
    assert int(ops.argmin(np.float32([0.0, -0.0, 1]))) == 1


def test_integers_are_rounded_to_tens():
    x = np.int32([123, 155, 165, -155, 5])
    np.testing.assert_array_equal(ops.round(x, -1), [120, 160, 160, -160, 0])
