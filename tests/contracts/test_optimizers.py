"""What every optimizer promises, for every row of the table."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minikeras import optimizers
from minikeras.core.variable import Variable, unique_paths

# (class, a learning rate that works on the test's problem, further arguments)
ROWS = [
    ("SGD", 0.1, {}),
    ("SGD", 0.05, {"momentum": 0.8, "nesterov": True}),
    ("RMSprop", 0.05, {"momentum": 0.3, "centered": True}),
    ("Adam", 0.1, {"amsgrad": True}),
    ("AdamW", 0.1, {}),
    ("Adagrad", 0.5, {}),
    ("Adadelta", 5.0, {}),
    ("Adafactor", 0.2, {}),
    ("Adamax", 0.2, {}),
    ("Nadam", 0.1, {}),
    ("Lion", 0.05, {}),
    ("Lamb", 0.1, {}),
    ("Ftrl", 0.5, {"l2_regularization_strength": 1e-4}),
    ("LossScaleOptimizer", 0.1, {"initial_scale": 16.0}),
    ("OptaxOptimizer", 1.0, {}),
    ("Muon", 0.2, {}),
    ("MultiOptimizer", 0.1, {}),
    ("ScheduleFreeAdamW", 0.2, {}),
]
_each = pytest.mark.parametrize(("name", "rate", "settings"), ROWS)
TARGET = np.array([[1.0, -2.0], [0.5, 1.5]], "float32")


def make(name, rate, settings):
    cls = getattr(optimizers, name)
    if name == "LossScaleOptimizer":
        return cls(optimizers.SGD(rate, name="inner"), **settings, name="o")
    if name == "OptaxOptimizer":
        return cls(optax.adam(0.1), rate, name="o")
    if name == "MultiOptimizer":
        by_path = {"bias": optimizers.Adam(rate, name="a")}
        rest = optimizers.SGD(rate, momentum=0.5, name="s")
        return cls(optimizers.OptimizerMap(rest, by_path), name="o")
    return cls(rate, **settings, name="o")


def weights(dtype="float32"):
    start = np.array([[0.2, 0.1], [-0.3, 0.4]], "float32")
    return {
        "kernel": Variable(jnp.asarray(start, dtype), name="kernel"),
        "bias": Variable(jnp.asarray(start[0], dtype), name="bias"),
    }


def loss(params):
    y = params["kernel"] + params["bias"]
    return jnp.mean(jnp.square(y - TARGET.astype(y.dtype)))


def run(optimizer, variables, steps, jitted=True):
    """The weights and the state after each step."""
    optimizer.build(list(variables.values()))
    traces = []

    def step(params, state):
        traces.append(1)
        grads = jax.grad(lambda p: optimizer.scale_loss(loss(p)))(params)
        return optimizer._mk_pure_step(variables, params, grads, state)

    fast = jax.jit(step) if jitted else step
    params = {key: v.value for key, v in variables.items()}
    state = {p: v.value for p, v in unique_paths(optimizer.variables).items()}
    for _ in range(steps):
        params, state = fast(params, state)
    return params, state, len(traces)


def test_table_covers_every_optimizer():
    public = {name for name in optimizers.__all__ if name[0].isupper()}
    assert public - {"Optimizer", "OptimizerMap"} == {name for name, _, _ in ROWS}


@_each
def test_trains_without_compiling_twice(name, rate, settings):
    variables = weights()
    before = loss({key: v.value for key, v in variables.items()})
    params, _, traces = run(make(name, rate, settings), variables, 60)
    assert loss(params) < 0.5 * before
    assert traces == 1


@_each
def test_jit_equals_eager(name, rate, settings):
    fast, fast_state, _ = run(make(name, rate, settings), weights(), 3)
    slow, slow_state, _ = run(make(name, rate, settings), weights(), 3, jitted=False)
    for key, value in (fast | fast_state).items():
        np.testing.assert_allclose(value, (slow | slow_state)[key], 1e-5, 1e-6)


@_each
def test_keeps_dtypes(name, rate, settings):
    params, state, _ = run(make(name, rate, settings), weights("bfloat16"), 2)
    assert {str(p.dtype) for p in params.values()} == {"bfloat16"}
    assert all(np.all(np.isfinite(np.float32(p))) for p in params.values())
    optimizer = make(name, rate, settings)
    optimizer.build(list(weights("bfloat16").values()))
    own = unique_paths(optimizer.variables)
    assert {p: x.dtype for p, x in state.items()} == {
        p: v.dtype for p, v in own.items()
    }


@_each
def test_config_and_state_round_trip(name, rate, settings):
    first, variables = make(name, rate, settings), weights()
    first.build(list(variables.values()))
    grads = [np.ones(v.shape, "float32") for v in variables.values()]
    step = jax.jit(first.stateless_apply)
    own, kept = step(
        [v.value for v in first.variables], grads, [v.value for v in variables.values()]
    )[::-1]
    for variable, value in zip(first.variables, own, strict=True):
        variable.assign(value)
    store = {}
    first.save_own_variables(store)
    second = optimizers.deserialize(optimizers.serialize(first))
    assert second.get_config() == first.get_config()
    second.build(list(variables.values()))
    second.load_own_variables(store)
    if name == "OptaxOptimizer":
        second.transformation = optax.adam(0.1)
    again = jax.jit(second.stateless_apply)(
        [v.value for v in second.variables], grads, kept
    )
    for x, y in zip(step(own, grads, kept)[0], again[0], strict=True):
        np.testing.assert_array_equal(x, y)
