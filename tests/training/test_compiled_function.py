"""`function`: compiled code that updates Variables in place."""

import gc
import threading
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import data as keras_data
from minikeras.training.compiled_function import function

X = np.random.default_rng(3).normal(size=(16, 4)).astype("float32")
Y = X[:, :1] - 2 * X[:, 1:2]


def parts():
    keras.utils.set_random_seed(4)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    return model, keras.optimizers.Adam(0.01), keras.metrics.Mean()


def step_of(model, optimizer, metric, wrap):
    loss_of = keras.losses.MeanSquaredError()

    @wrap
    def step(x, y):
        with keras.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        weights = model.trainable_variables
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        metric.update_state(loss)
        return loss

    return step


def test_a_training_loop_equals_the_eager_one():
    losses, ends = [], []
    for wrap in (function, lambda f: f):
        model, optimizer, metric = parts()
        model.build((None, 4))
        step = step_of(model, optimizer, metric, wrap)
        losses.append([float(step(X, Y)) for _ in range(5)])
        ends.append(int(optimizer.iterations.value))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert ends == [5, 5] and losses[0][-1] != losses[0][0]


def test_it_is_traced_once_for_each_kind_of_arguments():
    traced = []

    @function
    def f(x, k=2, name="a"):
        traced.append((x.shape, k, name))
        return x * k

    for x in (np.ones(2, "float32"), np.full(2, 3.0, "float32")):
        assert f(x).tolist() == (2 * x).tolist()
    first = len(traced)
    f(np.ones(2, "float32"))
    assert len(traced) == first
    for call in (lambda: f(np.ones(3, "float32")), lambda: f(np.ones(2), k=3)):
        count = len(traced)
        call()
        assert len(traced) > count


def test_draws_without_a_seed_differ_from_call_to_call():
    keras.utils.set_random_seed(1)
    draw = function(lambda: keras.random.normal((3,)))
    a, b = draw(), draw()
    assert a.tolist() != b.tolist()
    keras.utils.set_random_seed(1)
    assert function(lambda: keras.random.normal((3,)))().tolist() == a.tolist()


def test_a_tape_sees_through_it():
    v = keras.Variable([1.0, 2.0])
    square = function(lambda x: keras.ops.sum(v * v * x))
    x = jnp.float32(3.0)
    with keras.GradientTape() as tape:
        y = square(x)
    assert tape.gradient(y, v).tolist() == [6.0, 12.0]


def test_code_that_needs_values_runs_eagerly_with_one_warning():
    v = keras.Variable(0.0)

    @function
    def f(x):
        v.assign_add(1.0)
        return x if x > 0 else -x

    with pytest.warns(UserWarning, match="needs the values of arrays"):
        assert float(f(jnp.float32(-2.0))) == 2.0
    assert float(f(jnp.float32(3.0))) == 3.0
    assert float(v.value) == 2.0


def test_methods_and_their_instances():
    class Counter:
        def __init__(self):
            self.n = keras.Variable(0.0)

        @function(jit_compile=True)
        def add(self, x):
            """Add."""
            return self.n.assign_add(x)

    a, b = Counter(), Counter()
    a.add(jnp.float32(1)), a.add(jnp.float32(2)), b.add(jnp.float32(5))
    assert (float(a.n.value), float(b.n.value)) == (3.0, 5.0)
    assert Counter.add.__doc__ == "Add."
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


def test_mistakes():
    with pytest.raises(TypeError, match="unexpected keyword arguments: \\['jit'\\]"):
        function(jit=True)

    @function
    def makes(x):
        return keras.Variable(0.0).assign_add(x)

    with pytest.raises(ValueError, match="each call makes anew"):
        makes(jnp.float32(1))

    @function
    def fails(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        fails(jnp.float32(1))
    assert jax.jit(lambda x: x + 1)(1) == 2  # no trace is left open


def test_what_a_function_refers_to_has_a_gradient():
    x = jnp.float32(3.0)
    square = function(lambda: x * x)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = square()
    assert float(y) == 9.0 and float(tape.gradient(y, x)) == 6.0


def test_batches_are_not_compiled_in():
    pytest.importorskip("grain")
    batches = iter(keras_data.Dataset.from_tensor_slices(np.arange(3.0)))
    take = function(lambda: next(batches) * 2)
    with pytest.warns(UserWarning, match="iterators of data"):
        assert [float(take()) for _ in range(3)] == [0.0, 2.0, 4.0]


def test_instances_and_sets_and_signs():
    class Equal:
        def __init__(self, k):
            self.k = k

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

        @function
        def f(self, x):
            return x * self.k

    one = jnp.float32(1.0)
    assert [float(Equal(k).f(one)) for k in (1, 2)] == [1.0, 2.0]
    numbers, total = {1, 2}, function(lambda x, s: x + sum(s))
    first = float(total(one, numbers))
    numbers.add(5)
    assert (first, float(total(one, numbers))) == (4.0, 9.0)
    invert = function(lambda x, k: x / k)
    with np.errstate(divide="ignore"):
        assert [float(invert(one, jnp.float32(k))) for k in (0.0, -0.0)] == [
            float("inf"), float("-inf")
        ]  # fmt: skip


def test_threads_lose_no_update():
    v = keras.Variable(0.0)
    add = function(lambda x: v.assign_add(x))
    add(jnp.float32(0.0))
    work = lambda: [add(jnp.float32(1.0)) for _ in range(100)]  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert float(v.value) == 400.0


def test_an_input_signature_converts_and_checks():
    spec = jax.ShapeDtypeStruct((), "float32")
    f = function(lambda x: x * 2, input_signature=[spec])
    assert f(3).dtype == "float32"
    with pytest.raises(ValueError, match="input_signature expected"):
        f([1, 2])
