"""`GradientTape` beside `jax.grad`: eager, nested, in traced code."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import GradientTape
from minikeras.core.bridge import apply

RNG = np.random.default_rng(7)


def array(*shape):
    return jnp.asarray(RNG.normal(size=shape), "float32")


def close(a, b, tolerance=1e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def smooth(x):
    """Operations with and without derivatives of their own."""
    y = jax.nn.relu(x) * x + jax.nn.silu(x) + jnp.sort(x)[::-1] * jnp.tanh(x)
    return jnp.sum(y**2) + jax.nn.logsumexp(x) + jnp.max(x)


def scanned(x):
    return jax.lax.scan(lambda c, t: (c * x + t, jnp.sum(c)), x, jnp.ones((3, 4)))[1]


@jax.custom_vjp
def tripled(x):
    return 2 * x


tripled.defvjp(lambda x: (2 * x, None), lambda _, g: (3 * g,))

FUNCTIONS = {
    "smooth": smooth,
    "scan": lambda x: jnp.sum(scanned(x)),
    "while": lambda x: jnp.sum(jax.lax.fori_loop(0, 3, lambda i, c: c * x, x)),
    "cond": lambda x: jax.lax.cond(x[0] > 0, jnp.sum, lambda x: jnp.sum(x * x), x),
    "custom": lambda x: jnp.sum(tripled(x) * x),
    "jitted": lambda x: jax.jit(smooth)(x) * 2,
    "stopped": lambda x: jnp.sum(jax.lax.stop_gradient(x) * x),
    "indexed": lambda x: jnp.sum(x[jnp.argsort(x)[:2]] ** 2) + x.at[1].set(3.0).sum(),
    "integers": lambda x: jnp.sum(x * jnp.argmax(x)) + jnp.round(x).astype(int).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_is_that_of_jax(name):
    f, x = FUNCTIONS[name], array(4)
    for _ in range(2):  # the second time all programs are compiled
        with GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        close(tape.gradient(y, x), jax.grad(f)(x))


@pytest.mark.parametrize("name", ["smooth", "jitted"])
def test_in_traced_code(name):
    f = FUNCTIONS[name]

    def taped(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    x = array(3, 4)
    close(jax.jit(taped)(x[0]), jax.grad(f)(x[0]))
    close(jax.vmap(taped)(x), jax.vmap(jax.grad(f))(x))
    second = jax.grad(lambda x: jnp.sum(jax.grad(f)(x)))
    close(jax.grad(lambda x: jnp.sum(taped(x)))(x[0]), second(x[0]), 1e-4)


def test_tracing_adds_nothing_to_the_program():
    def taped(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = jnp.sum(jnp.sin(x))
        return tape.gradient(y, x)

    names = [e.primitive.name for e in jax.make_jaxpr(taped)(array(3)).eqns]
    assert names.count("sin") == names.count("cos") == 1


def test_nested_tapes_give_higher_derivatives():
    x = jnp.float32(1.5)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as middle:
            middle.watch(x)
            with GradientTape() as inner:
                inner.watch(x)
                y = x**4 + jax.nn.silu(x)
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    third = jax.grad(jax.grad(jax.grad(lambda x: x**4 + jax.nn.silu(x))))
    close(outer.gradient(second, x), third(x), 1e-4)


def test_second_derivatives_of_one_persistent_tape():
    v = keras.Variable(array(4))
    with GradientTape(persistent=True) as tape:
        y = smooth(v.value)
        first = tape.gradient(y, v)
    close(first, jax.grad(smooth)(v.value))
    expected = jax.grad(lambda x: jnp.sum(jax.grad(smooth)(x)))(v.value)
    close(tape.gradient(first, v), expected, 1e-4)


def test_jacobians():
    x = array(3, 2)

    def f(x):
        return jnp.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2, jnp.sin(x[:, 1])], 1)

    def tapes():
        with GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape, y

    for at_once in (True, False):
        tape, y = tapes()
        found = tape.jacobian(y, [x], experimental_use_pfor=at_once)
        close(found[0], jax.jacobian(f)(x))
        tape, y = tapes()
        found = tape.batch_jacobian(y, x, experimental_use_pfor=at_once)
        close(found, jax.vmap(jax.jacobian(lambda r: f(r[None])[0]))(x))


def test_variables_are_watched_when_read():
    a, b = keras.Variable([1.0, 2.0]), keras.Variable([3.0, 5.0], trainable=False)
    with GradientTape() as tape:
        y = a * b * a
    assert [v is a for v in tape.watched_variables()] == [True]
    grad_a, grad_b = tape.gradient(y, [a, b])
    assert grad_a.tolist() == [6.0, 20.0] and grad_b is None
    with GradientTape() as tape:
        tape.watch(b)
        y = a * b
    assert tape.gradient(y, {"b": b, "a": a})["b"].tolist() == [1.0, 2.0]
    with GradientTape(watch_accessed_variables=False) as tape:
        y = a * b
    assert tape.gradient(y, a) is None


def test_an_assigned_variable_is_a_source_of_its_own():
    v = keras.Variable(3.0)
    with GradientTape() as tape:
        v.assign_add(1.0)
        y = v * v
    assert float(tape.gradient(y, v)) == 8.0
    # All reads count, also after an optimizer has changed the value.
    with GradientTape(persistent=True) as tape:
        y = v * v
    v.assign(100.0)
    assert float(tape.gradient(y, v)) == 8.0


def test_what_is_not_connected():
    x, c = array(3), array(3)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, constant = jnp.sum(x * c), jnp.sum(c)
        with tape.stop_recording():
            hidden = jnp.sum(x**2)
    assert tape.gradient(y, c) is None
    assert tape.gradient(constant, x) is None and tape.gradient(hidden, x) is None
    zeros = tape.gradient(constant, [x], unconnected_gradients="zero")
    assert zeros[0].tolist() == [0.0] * 3
    close(tape.gradient([y, y], x, output_gradients=[jnp.float32(2), 3.0]), 5 * c)


def test_gradients_of_intermediates_and_a_model():
    model = keras.Sequential(
        [keras.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dense(2, "relu")]
    )
    x = array(2, 5, 3)

    def loss():
        return keras.ops.mean(model(x, training=True) ** 2)

    with GradientTape() as tape:
        y = loss()
    weights = model.trainable_variables
    expected = jax.grad(lambda values: apply(loss, weights, values)[0])(
        [v.value for v in weights]
    )
    for found, value in zip(tape.gradient(y, weights), expected, strict=True):
        close(found, value)
    with GradientTape() as tape:
        hidden = model.layers[0](x)
        y = keras.ops.sum(hidden**2)
    close(tape.gradient(y, hidden), 2 * hidden)


def test_mistakes():
    x = array(3)
    with GradientTape() as tape:
        tape.watch(x)
        y = jnp.sum(x)
        with pytest.raises(ValueError, match="recording already"):
            tape.__enter__()
    with pytest.raises(ValueError, match="does not record"):
        with tape.stop_recording():
            pass
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="ones")
    with pytest.raises(ValueError, match="output_gradients"):
        tape.gradient(y, x, output_gradients=array(2))
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)
    for wrong in (np.ones(3, "float32"), 2.0, keras.Input((2,))):
        with pytest.raises(ValueError, match="convert_to_tensor"):
            tape.watch(wrong)
    with tape:  # a used tape starts anew
        tape.watch(x)
        y = jnp.sum(x * x)
    close(tape.gradient(y, x), 2 * x)


def test_an_error_in_the_block_ends_the_recording():
    x = array(3)
    tape = GradientTape()
    with pytest.raises(ZeroDivisionError):
        with tape:
            tape.watch(x)
            raise ZeroDivisionError
    assert jax.core.trace_state_clean() if hasattr(jax.core, "trace_state_clean") else 1
    assert not tape._recording.records
    y = jnp.sum(x**2)  # not recorded
    assert tape.gradient(y, x) is None


def test_threads_have_their_own_tapes():
    x, found = array(4), {}

    def work(i):
        for _ in range(20):
            with GradientTape() as tape:
                tape.watch(x)
                y = jnp.sum(x**2 * i)
            found[i] = tape.gradient(y, x)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(1, 5):
        close(found[i], 2 * i * x)


def test_tapes_may_end_in_any_order():
    x = jnp.float32(3.0)
    first, second = GradientTape(), GradientTape()
    first.__enter__(), first.watch(x)
    second.__enter__(), second.watch(x)
    y = x * x
    first.__exit__(None, None, None)
    z = y * x
    second.__exit__(None, None, None)
    assert float(first.gradient(y, x)) == 6.0 and float(second.gradient(z, x)) == 27.0
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = x * x
            assert float(outer.gradient(y, x)) == 6.0
            z = y * x
    assert float(inner.gradient(z, x)) == 27.0
    with GradientTape(persistent=True) as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            with outer.stop_recording():
                y = x * x
            z = y * x
    assert float(inner.gradient(z, x)) == 27.0 and float(outer.gradient(z, x)) == 9.0
    with GradientTape() as last:
        last.watch(x)
        y = x**3
    assert float(last.gradient(y, x)) == 27.0


def test_variables_that_share_an_array():
    v = keras.Variable([1.0, 1.0])
    w = keras.Variable([0.0, 0.0])
    w.assign(v.value)
    with GradientTape() as tape:
        y = keras.ops.sum(v * 2 + w * 3)
    assert [g.tolist() for g in tape.gradient(y, [v, w])] == [[2, 2], [3, 3]]
    x = v.value
    with GradientTape() as tape:
        tape.watch(x)
        y = jnp.sum(x * 3) + keras.ops.sum(v * 5)
    assert [g.tolist() for g in tape.gradient(y, [x, v])] == [[3, 3], [5, 5]]


def test_code_that_refers_to_what_changes():
    x = jnp.ones(3)
    for c in (2.0, 5.0):
        captured = jnp.full(3, c)
        times = jax.jit(lambda x, a=captured: x * a)
        body = lambda a, _, f=times: (f(a), None)  # noqa: E731
        with GradientTape() as tape:
            tape.watch(x)
            y = jax.lax.scan(body, x, None, length=2)[0]
        assert y.tolist() == tape.gradient(y, x).tolist() == [c * c] * 3


def test_a_tape_within_a_tape_in_a_program():
    def step(x, w):
        with GradientTape() as outer:
            outer.watch(w)
            with GradientTape() as inner:
                inner.watch(x)
                y = jnp.tanh(x * w) + jnp.exp(x * w)
            penalty = jnp.sum(inner.gradient(y, x) ** 2)
        return outer.gradient(penalty, w)

    x, w = array(4), array(4)
    close(jax.jit(step)(x, w), step(x, w))


def test_gradients_of_complex_numbers_are_tensorflows():
    z = jnp.complex64(3 + 4j)
    with GradientTape() as tape:
        tape.watch(z)
        y = jnp.abs(z) ** 2
    close(tape.gradient(y, z), 6 + 8j)


def test_fit_within_a_tape():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with GradientTape() as tape:
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        y = keras.ops.sum(model(np.ones((1, 2))))
    assert tape.gradient(y, model.trainable_variables)[1].tolist() == [1.0]
