"""Optimizers and schedules against Keras: weights, state, names and configs."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from minikeras.core.variable import Variable, unique_paths

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.8, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.7, "centered": True, "rho": 0.8}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_1": 0.7, "epsilon": 1e-3}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adagrad", {"initial_accumulator_value": 0.3}),
    ("Adadelta", {"rho": 0.8}),
    ("Adamax", {"beta_1": 0.7}),
    ("Nadam", {"beta_1": 0.8}),
    ("Lion", {"weight_decay": 0.1}),
    ("Lamb", {}),
    ("Adafactor", {}),
    ("Adafactor", {"relative_step": False, "learning_rate": 0.9}),
    ("Ftrl", {"l1_regularization_strength": 0.01, "beta": 0.2}),
    ("Ftrl", {"l2_regularization_strength": 0.1, "learning_rate_power": -0.3}),
    ("Ftrl", {"l2_shrinkage_regularization_strength": 0.1}),
]
SETTINGS = [
    {"weight_decay": 0.02},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.8},
    {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 3},
    {"use_ema": True, "gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.5, "weight_decay": 0.1},
    {"loss_scale_factor": 8.0},
]
SHAPES = {"kernel": (3, 4), "bias": (4,)}


def gradients(steps):
    rng = np.random.default_rng(0)
    return [
        [rng.normal(size=s).astype("float32") for s in SHAPES.values()]
        for _ in range(steps)
    ]


def weights(package_variable):
    rng = np.random.default_rng(1)
    return [
        package_variable(rng.normal(size=shape).astype("float32"), name=name)
        for name, shape in SHAPES.items()
    ]


def run_keras(optimizer, batches):
    """The weights and the state after each step, jitted, on Keras."""
    variables = weights(keras.Variable)
    optimizer.build(variables)

    @jax.jit
    def step(state, grads, params):
        return optimizer.stateless_apply(state, grads, params)

    params = [v.value for v in variables]
    state = [v.value for v in optimizer.variables]
    for grads in batches:
        params, state = step(state, grads, params)
        yield params, state


def run_ours(optimizer, batches):
    """The same through the pure `update`."""
    variables = dict(zip(SHAPES, weights(Variable), strict=True))
    optimizer.build(list(variables.values()))
    own = unique_paths(optimizer.variables)

    @jax.jit
    def step(state, grads, params):
        return optimizer.update(variables, params, grads, state)

    params = {key: v.value for key, v in variables.items()}
    state = {path: v.value for path, v in own.items()}
    for grads in batches:
        grads = dict(zip(SHAPES, grads, strict=True))
        params, state = step(state, grads, params)
        yield [params[key] for key in SHAPES], [state[path] for path in own]


def compare(theirs, ours, atol=1e-7):
    for want, got in zip(theirs, ours, strict=True):
        for x, y in zip(want[0] + want[1], got[0] + got[1], strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(y, x, rtol=1e-6, atol=atol)


def check(name, settings, steps=5):
    # Ftrl computes new weights, not steps: the sum p + (new - p) rounds once more.
    atol = 1e-6 if name == "Ftrl" else 1e-7
    theirs = getattr(keras.optimizers, name)(**settings, name="o")
    ours = getattr(minikeras.optimizers, name)(**settings, name="o")
    batches = gradients(steps)
    compare(run_keras(theirs, batches), run_ours(ours, batches), atol)
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        # Keras gives Nadam's product of betas no name of its own.
        assert mine.path == other.path or mine.name == "u_product"
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_rule(name, settings):
    check(name, {"learning_rate": 0.05, **settings})


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_settings(name, settings):
    check(name, {"learning_rate": 0.05, **settings}, steps=7)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_signature(name):
    ours, theirs = (getattr(p.optimizers, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)


SCHEDULES = [
    ("CosineDecay", {"decay_steps": 10, "alpha": 0.1}),
    ("CosineDecay", {"decay_steps": 10, "warmup_target": 0.5, "warmup_steps": 4}),
    ("CosineDecayRestarts", {"first_decay_steps": 3, "m_mul": 0.5, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 3, "t_mul": 1.0}),
    ("ExponentialDecay", {"decay_steps": 3, "decay_rate": 0.6}),
    ("ExponentialDecay", {"decay_steps": 3, "decay_rate": 0.6, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 3, "decay_rate": 0.6}),
    ("InverseTimeDecay", {"decay_steps": 3, "decay_rate": 0.6, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 5, "power": 2.0}),
    ("PolynomialDecay", {"decay_steps": 5, "power": 0.5, "cycle": True}),
]


@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
def test_schedule(name, settings):
    ours, theirs = (
        getattr(p.optimizers.schedules, name)(0.1, **settings)
        for p in (minikeras, keras)
    )
    assert ours.get_config() == theirs.get_config()
    steps = jnp.arange(0, 24)
    got, want = (jax.jit(jax.vmap(schedule))(steps) for schedule in (ours, theirs))
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


def test_scheduled_rate_counts_every_gradient():
    schedule = {"boundaries": [1, 3], "values": [1.0, 0.1, 0.01]}
    theirs, ours = (
        p.optimizers.SGD(
            p.optimizers.schedules.PiecewiseConstantDecay(**schedule),
            gradient_accumulation_steps=2,
            name="o",
        )
        for p in (keras, minikeras)
    )
    compare(run_keras(theirs, gradients(6)), run_ours(ours, gradients(6)))
    assert ours.get_config() == theirs.get_config()
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]


def test_scale_finds_itself():
    batches = [
        [g * (np.inf if i in (1, 4) else 64.0) for g in grads]
        for i, grads in enumerate(gradients(8))
    ]
    theirs, ours = (
        p.optimizers.LossScaleOptimizer(
            p.optimizers.Adam(0.1, name="inner", loss_scale_factor=8.0),
            initial_scale=64.0,
            dynamic_growth_steps=2,
            name="o",
        )
        for p in (keras, minikeras)
    )
    compare(run_keras(theirs, batches), run_ours(ours, batches))
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]


def test_state_file_is_keras_own():
    theirs, ours = (p.optimizers.Adam(amsgrad=True) for p in (keras, minikeras))
    params, state = list(run_keras(theirs, gradients(3)))[-1]
    store = {str(i): np.asarray(value) for i, value in enumerate(state)}
    ours.build(weights(Variable))
    ours.load_own_variables(store)
    back = {}
    ours.save_own_variables(back)
    assert list(back) == list(store)
    for key, value in store.items():
        np.testing.assert_array_equal(back[key], value)
