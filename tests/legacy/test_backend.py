"""`keras.backend` of Keras 2: numbers of TensorFlow's Keras, graphs, gradients."""

import inspect
import json
import pathlib

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.legacy import backend as K
from tests.legacy import backend_cases

EXPECTED = json.loads(
    (pathlib.Path(__file__).parent / "backend_expected.json").read_text()
)
ARRAYS = backend_cases.arrays()


def check(result, expected):
    if "list" in expected:
        assert len(result) == len(expected["list"])
        for got, wanted in zip(result, expected["list"], strict=True):
            check(got, wanted)
        return
    array = np.asarray(result)
    assert list(array.shape) == expected["shape"]
    wanted = np.array(expected["values"]).reshape(array.shape)
    kind = {"int64": "int32"}.get(expected["dtype"], expected["dtype"])
    if array.dtype.kind != "U":
        assert array.dtype.name.replace("int64", "int32") == kind
        np.testing.assert_allclose(array, wanted, rtol=2e-5, atol=2e-6)
    else:
        assert (array == wanted).all()


@pytest.mark.parametrize("name", backend_cases.CASES)
def test_numbers_of_tensorflow(name):
    check(backend_cases.CASES[name](K, ARRAYS), EXPECTED["cases"][name])


def test_every_name_and_signature():
    for name, expected in EXPECTED["signatures"].items():
        assert name in K.__all__, name
        if name == "name_scope":
            continue
        own = str(inspect.signature(getattr(K, name)))
        assert own == expected, name


# What needs values: Variables, and functions that give no array.
_EAGER = """cast_to_floatx ctc eval eye in_top_k is_sparse moving_average ones to_dense
    update variable zeros foldl foldr map_fn gather one_hot arange constant""".split()
_SYMBOLIC = [n for n in backend_cases.CASES if not n.startswith(tuple(_EAGER))]


def test_the_same_of_keras_tensors():
    tensors = {k: keras.KerasTensor(v.shape, v.dtype) for k, v in ARRAYS.items()}
    outputs = {n: backend_cases.CASES[n](K, tensors) for n in _SYMBOLIC}
    known = {n: x for n, x in outputs.items() if keras.utils.is_keras_tensor(x)}
    assert len(known) > 90
    found = keras.Function(tensors, known)(ARRAYS)
    for name, result in found.items():
        check(result, EXPECTED["cases"][name])


def test_under_jit():
    names = "rnn with a mask|conv2d_transpose|batch_dot|ctc_batch_cost|foldl"

    @jax.jit
    def run(arrays):
        return {n: backend_cases.CASES[n](K, arrays) for n in names.split("|")}

    for name, result in run(ARRAYS).items():
        check(result, EXPECTED["cases"][name])


def test_random_numbers():
    keras.utils.set_random_seed(3)
    drawn = [K.random_normal((400, 2), 5.0, 2.0), K.truncated_normal((400, 2))]
    np.testing.assert_allclose(np.mean(drawn[0]), 5.0, atol=0.3)
    assert np.abs(drawn[1]).max() <= 2
    assert set(np.unique(K.random_bernoulli((50,), 0.5))) == {0.0, 1.0}
    assert (np.asarray(K.random_uniform((50,), 2.0, 3.0)) >= 2).all()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(K.random_normal((400, 2), 5.0, 2.0), drawn[0])
    a, b = (K.random_normal((3,), seed=4) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert K.random_uniform_variable((2, 3), 0, 1).shape == (2, 3)
    kept = np.asarray(K.dropout(np.ones((200,)), 0.25, seed=1))
    np.testing.assert_allclose(np.unique(kept), [0.0, 4 / 3], rtol=1e-6)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    x = keras.Input((4,))
    hidden = keras.layers.Dense(3, "tanh", name="hidden")(x)
    dropped = keras.layers.Dropout(0.5)(hidden)
    return keras.Model(x, keras.layers.Dense(2)(dropped))


X = np.random.RandomState(0).normal(size=(5, 4)).astype("float32")


def test_function(model):
    hidden = model.get_layer("hidden").output
    f = K.function([model.input, K.learning_phase()], [model.output, hidden])
    outputs, inner = f([X, 0])
    assert isinstance(outputs, np.ndarray)
    np.testing.assert_allclose(outputs, model.predict(X, verbose=0), rtol=1e-5)
    kernel, bias = model.get_layer("hidden").get_weights()
    np.testing.assert_allclose(inner, np.tanh(X @ kernel + bias), rtol=1e-5)
    first, second = f([X, 1])[0], f([X, 1])[0]
    assert np.abs(first - second).max() > 0.01  # dropout, anew in each call
    alone = K.function([model.input], model.output)
    np.testing.assert_allclose(alone([X.tolist()]), outputs, rtol=1e-5)
    with pytest.raises(ValueError, match="expected 2 inputs, got 1"):
        f([X])
    with pytest.raises(ValueError, match="Variable is no input"):
        K.function([K.variable(1.0)], [model.output])


def test_numbers_are_copies(model):
    (found,) = K.function([model.input], [model.output])([X])
    for array in (found, K.get_value(model.weights[0]), K.eval(K.ones((2, 2)))):
        array *= 2  # of one's own
    assert np.abs(model.predict(X, verbose=0) - found / 2).max() < 1e-5


def test_sizes_of_a_graph():
    x = keras.Input((None, None, 3))
    count = K.prod(K.cast(K.shape(x), "float32"))
    assert K.shape(x)[3] == 3 and K.int_shape(x) == (None, None, None, 3)
    (found,) = K.function([x], [K.sum(x) / count])([np.full((2, 5, 4, 3), 1.5)])
    np.testing.assert_allclose(found, 1.5, rtol=1e-6)


def test_function_sees_new_weights_and_updates_variables(model):
    total, seen = K.variable(1.5), K.variable(0.0)
    loss = K.sum(model.output) + total
    f = K.function([model.input], [loss, total], updates=[(seen, loss)])
    before, value = f([X])
    assert value == 1.5 and K.get_value(seen) == before
    K.set_value(total, 4.0)
    np.testing.assert_allclose(f([X])[0], before + 2.5, rtol=1e-5)
    weights = model.get_weights()
    model.set_weights([2 * w if w.ndim == 1 else w * 0 for w in weights])
    assert abs(f([X])[0] - before - 2.5) > 1e-3
    model.set_weights(weights)


def test_batch_norm_keeps_its_statistics():
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.BatchNormalization()(x))
    f = K.function([x, K.learning_phase()], [model.output])
    (found,) = f([X[:, :2], 1])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_array_equal(model.layers[1].moving_mean.numpy(), [0, 0])


def test_gradients(model):
    hidden, last = model.get_layer("hidden"), model.layers[-1]
    variables = [model.input, hidden.output, last.kernel, K.variable(1.0)]
    gradients = K.gradients(K.sum(model.output[:, 0]), variables)
    assert gradients[3] is None
    found = K.function([model.input], gradients[:3])([X])
    kernel, bias = hidden.get_weights()
    inner, column = np.tanh(X @ kernel + bias), last.kernel.numpy()[:, 0]
    expected = ((1 - inner**2) * column) @ kernel.T
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], np.tile(column, (5, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[2][:, 0], inner.sum(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found[2][:, 1], 0)
    with pytest.raises(ValueError, match="an array has no history"):
        K.gradients(np.ones(3), [model.input])


def test_gradients_of_gradients_and_new_weights(model):
    """A step of DeepDream, and a second derivative."""
    loss = K.mean(K.square(model.output))
    (grads,) = K.gradients(loss, [model.input])
    grads /= K.maximum(K.mean(K.abs(grads)), K.constant(1e-7))
    iterate = K.function([model.input], [loss, grads])
    first, step = iterate([X])
    np.testing.assert_allclose(np.abs(step).mean(), 1, rtol=1e-5)
    assert iterate([X + 0.01 * step])[0] > first
    (slope,) = K.gradients(model.output, model.input)
    (curve,) = K.gradients(K.square(slope), model.input)
    (found,) = K.function([model.input], [curve])([X])
    kernel, bias = model.get_layer("hidden").get_weights()
    both = model.layers[-1].kernel.numpy().sum(axis=1)

    def total(x):
        inner = np.tanh(x.astype("float64") @ kernel + bias)
        return ((((1 - inner**2) * both) @ kernel.T) ** 2).sum(axis=1)

    shift = np.zeros((1, 4))
    shift[0, 1] = 1e-5
    numeric = (total(X + shift) - total(X - shift)) / 2e-5
    np.testing.assert_allclose(found[:, 1], numeric, rtol=1e-3, atol=1e-5)


def test_sessions_placeholders_and_phases(model):
    session = K.get_session()
    with session as s:
        found = s.run({"y": model.output}, feed_dict={model.input: X})
    np.testing.assert_allclose(found["y"], model.predict(X, verbose=0), rtol=1e-5)
    assert session.run(None) is None
    K.set_session(session)
    x = K.placeholder(shape=(1, 2))
    y = K.concatenate([K.variable(np.ones((1, 2))), x], axis=0)
    (both,) = K.function([x], [y])([np.full((1, 2), 3.0)])
    np.testing.assert_array_equal(both, [[1, 1], [3, 3]])
    assert K.int_shape(K.placeholder(ndim=2)) == (None, None)
    assert K.is_placeholder(x) and not K.is_placeholder(y)
    layer = keras.layers.Dropout(0.5)
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1 and (np.asarray(layer(X)) == 0).any()
        assert K.in_train_phase(lambda: "train", "test") == "train"
    assert K.learning_phase() == 0 and K.in_test_phase(1, 2) == 1
    with pytest.raises(ValueError, match="has no value yet"):
        K.eval(y)
    with pytest.raises(ValueError, match="expected 0 or 1"):
        K.set_learning_phase("train")


def test_bad_input():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="the first of which is the batch"):
        K.batch_dot(x, x[0])
    with pytest.raises(ValueError, match='pool_mode must be "max" or "avg"'):
        K.pool2d(ARRAYS["image"], (2, 2), pool_mode="min")
    with pytest.raises(ValueError, match="expected a bias of 1 or 3 axes"):
        K.bias_add(ARRAYS["image"], x)
    sparse = K.ctc_label_dense_to_sparse(ARRAYS["labels"], ARRAYS["label_lengths"])
    np.testing.assert_array_equal(sparse.todense(), [[1, 2], [0, 0]])
    assert K.is_sparse(sparse) and sparse.nse == 3
