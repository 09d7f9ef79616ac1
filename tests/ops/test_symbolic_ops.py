"""Ops on KerasTensors with unknown sizes, and errors that show the call."""

import numpy as np
import pytest

from minikeras import Input, KerasTensor, Model, ops
from minikeras.saving import register_keras_serializable


def shape(x):
    return x.shape


def K(*shape, dtype="float32"):
    return KerasTensor(shape, dtype)


def test_unknown_sizes_are_inferred_from_other_arguments():
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


@pytest.mark.parametrize("sizes", [(None, None, 8), (None, None, None, 16)])
def test_indices_with_several_unknown_sizes(sizes):
    x = K(*sizes)
    assert shape(x[:, 0]) == shape(x[:, -1]) == (None, *sizes[2:])
    assert shape(x[..., -1]) == sizes[:-1]
    assert shape(x[:, 1:]) == shape(x[:, :5]) == sizes
    assert shape(x[:, 0, ...]) == (None, *sizes[2:])
    with pytest.raises(ValueError, match="index 20"):
        x[..., 20]


def test_unknown_sizes_that_must_fit_known_ones():
    joined = [K(2, None), K(None, 5), K(None, None)]
    assert shape(ops.dstack(joined)) == (2, 5, 3)
    assert shape(ops.concatenate([K(None, 3), K(4, None)], axis=0)) == (None, 3)
    assert shape(ops.concatenate([K(None, 1), K(None, None)], axis=0)) == (None, 1)
    assert shape(ops.add(K(None, None), K(None, 5040))) == (None, 5040)
    assert shape(ops.dot(K(None, None, 1), K(None, 1))) == (None, None, 1)
    assert shape(ops.correlate(K(None), K(None))) == (None,)
    indices, values = K(None, None, dtype="int32"), K(None, None)
    assert shape(ops.scatter(indices, values, (3, 4, 2))) == (3, 4, 2)
    assert shape(ops.scatter_update(K(None, 4), indices, values)) == (None, 4)
    assert shape(ops.view_as_complex(K(3, None))) == (3,)


def test_numbers_of_results_depend_on_values():
    ids = K(None, dtype="int32")
    assert shape(ops.segment_sum(K(None, 3), ids)) == (None, 3)
    assert shape(ops.segment_max(K(None, 3), ids, num_segments=5)) == (5, 3)
    start = K(2, dtype="int32")
    assert shape(ops.slice(K(3, 3), start, (-1, 2))) == (None, 2)
    assert [shape(x) for x in ops.where(K(2, None))] == [(None,), (None,)]


def test_reshape_to_sizes_computed_in_the_graph():
    x, sizes = Input((20,), batch_size=2), Input((), batch_size=2, dtype="int32")
    y = ops.reshape(x, sizes)
    assert shape(y) == (None, None)
    assert shape(ops.reshape(x, (4, K(dtype="int32")))) == (4, None)
    assert shape(ops.reshape(K(None, 20), (None, 5))) == (None, 5)
    model = Model([x, sizes], y)
    for one in (model, Model.from_config(model.get_config())):
        assert one([np.ones((2, 20)), np.int32([8, 5])]).shape == (8, 5)


def test_values_of_a_loop_keep_their_shapes():
    values = ops.while_loop(
        lambda x, i: i < 9, lambda x, i: (x, i + 1), (K(None, 3), 0)
    )
    assert [(shape(x), x.dtype) for x in values] == [
        ((None, 3), "float32"),
        ((), "int32"),
    ]


def test_jvp_of_graphs():
    x = K(None, 7)
    value, tangent = ops.jvp(ops.sin, (x,), (x,))
    assert shape(value) == shape(tangent) == (None, 7)
    *_, aux = ops.jvp(lambda x: (x, ops.sum(x)), (x,), (x,), has_aux=True)
    assert shape(aux) == ()


def test_functions_of_graphs_come_back_from_their_names():
    @register_keras_serializable(package="test_symbolic_ops")
    def twice(x):
        return x * 2

    x = Input((3,))
    model = Model(x, ops.vectorized_map(twice, x))
    again = Model.from_config(model.get_config())
    np.testing.assert_array_equal(again(np.ones((2, 3))), np.full((2, 3), 2.0))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ops.concatenate([K(None, 3), K(None, 3)], axis=None), "axis=None"),
        (lambda: ops.solve(K(20, 20), K(None, 5)), r"rows of `b`.*\(None, 5\)"),
        (lambda: ops.solve_triangular(K(2, 3, 3), K(2, None, 5)), "rows of `b`"),
        (lambda: ops.qr(K(None, 4)), "fully-defined"),
        (lambda: ops.scan(ops.add, 0.0, np.ones(3), unroll=-1), "unroll=-1"),
        (lambda: ops.scan(ops.add, 0.0), "`xs`.*`length`"),
    ],
)
def test_refused_in_graphs(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_meshgrid_flattens():
    x, y = np.arange(6.0).reshape(2, 3), np.arange(2.0)
    for indexing in ("xy", "ij"):
        expected = np.meshgrid(x, y, indexing=indexing)
        for a, b in zip(ops.meshgrid(x, y, indexing=indexing), expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert shape(ops.meshgrid(K(None, 3), K(4))[0]) == (4, None)


def test_running_sums_along_several_axes():
    x = np.float32([[1, np.nan, 3], [4, 5, np.nan]])
    zeros, ones = np.nan_to_num(x), np.where(np.isnan(x), 1, x)
    for axis in ((1,), [0, 1], ()):
        sums, products = zeros, ones
        for one in axis:
            sums, products = np.cumsum(sums, one), np.cumprod(products, one)
        np.testing.assert_array_equal(ops.nancumsum(x, axis), sums)
        np.testing.assert_array_equal(ops.nancumprod(x, axis), products)
    assert shape(ops.nancumsum(K(None, 3), axis=(1,))) == (None, 3)


def test_an_unknown_size_is_not_squeezed():
    assert shape(ops.squeeze(K(None, 1, 3, 1))) == (None, 3)
    assert shape(ops.squeeze(K(None, 1, 3), axis=[1])) == (None, 3)
    with pytest.raises(ValueError, match="axis 0 of shape"):
        ops.squeeze(K(None, 3), axis=0)
