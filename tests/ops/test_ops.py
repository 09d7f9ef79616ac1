"""What `keras.ops` promises beyond jax.numpy: inputs, dtypes, records, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras
from minikeras import ops
from minikeras.core import registry
from minikeras.core.variable import Variable

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize(
    "x", [[[1, 2], [3, 4]], np.array([[1, 2], [3, 4]]), Variable([[1, 2], [3, 4]])]
)
def test_array_likes(x):
    assert ops.sum(x, axis=0).tolist() == [4, 6]
    assert ops.add(x, x)[1, 1] == 8
    assert ops.matmul(x, x).tolist() == [[7, 10], [15, 22]]
    assert ops.reshape(x, (-1,)).tolist() == [1, 2, 3, 4]
    assert ops.concatenate([x, [[5, 6]]]).shape == (3, 2)


def test_python_numbers_take_no_width():
    half = np.ones(2, "float16")
    assert ops.add(half, 2.5).dtype == "float16"
    assert ops.where(half > 0, half, 1.0).dtype == "float16"
    assert ops.maximum(np.ones(2, "int8"), 1).dtype == "int8"
    assert ops.add([1, 2], 3.5).dtype == "float32"
    assert ops.mean(np.ones(2, "int8")).dtype == "float32"
    assert ops.matmul(np.ones((2, 2), "int8"), np.ones((2, 2), "int8")).dtype == "int32"


def test_creation_dtypes():
    assert ops.arange(3).dtype == "int32"
    assert ops.arange(0, 1, 0.5).tolist() == [0.0, 0.5]
    assert ops.full((2,), 3).dtype == "float32"
    assert ops.linspace(0, 1, 3).tolist() == [0.0, 0.5, 1.0]
    assert ops.convert_to_tensor([1, 2.5]).dtype == "float32"
    assert ops.convert_to_tensor(np.float64(2)).dtype == "float32"


def test_saturate_cast():
    x = np.array([-300.0, 5.7, 1e20, np.inf], "float32")
    assert ops.saturate_cast(x, "int8").tolist() == [-128, 5, 127, 127]
    assert ops.saturate_cast(x, "int32")[2] == 2**31 - 128
    assert ops.saturate_cast(np.array([-1, 3]), "uint8").tolist() == [0, 3]


def test_moments_of_half_floats_are_summed_in_float32():
    x = np.full((70_000,), 0.1, "float16")
    mean, variance = ops.moments(x, axes=0)
    assert mean.dtype == variance.dtype == "float16"
    assert float(mean) == pytest.approx(0.1, rel=1e-3)
    assert float(variance) == pytest.approx(0, abs=1e-6)


def test_batch_normalization():
    mean, variance, scale, offset = X.mean(0), X.var(0), X[0], X[1]
    y = ops.batch_normalization(X, mean, variance, -1, offset, scale, epsilon=0.1)
    expected = (X - mean) / np.sqrt(variance + 0.1) * scale + offset
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_crossentropies():
    p = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
    labels = np.array([2, 0, 3])
    expected = -np.log(p[np.arange(3), labels])
    hot = np.eye(4, dtype="float32")[labels]
    for output, logits in ((p, False), (X, True)):
        sparse = ops.sparse_categorical_crossentropy(labels, output, logits)
        dense = ops.categorical_crossentropy(hot, output, logits)
        column = ops.sparse_categorical_crossentropy(labels[:, None], output, logits)
        for value in (sparse, dense, column):
            np.testing.assert_allclose(value, expected, rtol=1e-5)
    bits = (X > 0).astype("float32")
    expected = -np.log(np.where(bits == 1, p, 1 - p))
    np.testing.assert_allclose(ops.binary_crossentropy(bits, p), expected, rtol=1e-4)


def test_divide_no_nan_has_a_gradient():
    slope = jax.grad(lambda x: jnp.sum(ops.divide_no_nan(x, np.array([2.0, 0.0]))))
    assert slope(jnp.ones(2)).tolist() == [0.5, 0.0]


def test_loops():
    total = ops.while_loop(
        lambda i, s: i < 100, lambda i, s: (i + 1, s + i), (0, 0), maximum_iterations=5
    )
    assert [int(x) for x in total] == [5, 10]
    assert int(ops.fori_loop(0, 4, lambda i, s: s + i, 0)) == 6
    assert ops.vectorized_map(lambda x: x * 2, np.arange(3)).tolist() == [0, 2, 4]
    assert int(ops.switch(1, [lambda x: x, lambda x: -x], 3)) == -3
    assert float(ops.cond(True, lambda: 1.0, lambda: 2.0)) == 1.0
    assert ops.associative_scan(lambda a, b: a + b, np.arange(4)).tolist() == [
        0,
        1,
        3,
        6,
    ]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.einsum("ij,ik->jk", x, x),
        lambda x: ops.meshgrid(x[:, 0], x[:, 1])[0],
        lambda x: ops.stack([x, 2 * x], axis=1),
        lambda x: ops.where(x > 0, x, 0.0),
        lambda x: x[:, None, ::2],
        lambda x: ops.norm(x @ ops.transpose(x), axis=-1),
        lambda x: ops.split(x, 2, axis=1)[1],
        lambda x: -(abs(x) ** 2) % 3 // 1,
    ],
)
def test_a_recorded_call_computes_the_same(function):
    x = minikeras.Input(batch_shape=X.shape)
    model = minikeras.Model(x, function(x))
    copy = minikeras.Model.from_config(model.get_config())
    np.testing.assert_allclose(copy(X), function(jnp.asarray(X)), rtol=1e-6)
    assert copy.output.shape == function(jnp.asarray(X)).shape


def test_unknown_sizes_stay_unknown():
    x = minikeras.Input((None, 4))
    assert ops.reshape(x, (-1, 2)).shape == (None, 2)
    assert ops.matmul(x, np.ones((4, 5))).shape == (None, None, 5)
    assert ops.shape(x) == (None, None, 4)
    assert (ops.size(x).shape, ops.size(x).dtype) == ((), "int32")


def test_operators_of_keras_tensors_have_their_ops():
    names = "Add Subtract Multiply Divide FloorDivide Mod Power Matmul LogicalAnd "
    names += "LogicalOr LogicalXor Equal NotEqual Less LessEqual Greater GreaterEqual "
    names += "Negative Absolute LogicalNot GetItem Cast Reshape Squeeze Round"
    for name in names.split():
        assert registry.get_op(name).class_name == name


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.conv(np.ones((1, 5, 3)), np.ones((2, 2, 4))),
        lambda: ops.categorical_crossentropy(X, X[:2]),
        lambda: ops.sparse_categorical_crossentropy(np.array([1, 2]), X),
        lambda: ops.unstack(X, num=5),
        lambda: ops.pad(X, 1, mode="reflect", constant_values=2),
        lambda: ops.scatter_update(X, [[0, 0]], [1.0], reduction="sub"),
        lambda: ops.searchsorted(X, 1.0),
        lambda: ops.qr(X, mode="raw"),
        lambda: ops.multi_hot([1, 2]),
        lambda: ops.scan(lambda c, x: (c, x), 0),
    ],
)
def test_bad_arguments(call):
    with pytest.raises(ValueError):
        call()
