"""What every regularizer and every constraint promises, for every class."""

import inspect
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import constraints, regularizers
from minikeras.core.naming import to_snake_case

W = np.array([[3.0, -0.3], [4.0, 0.4], [0.0, -1.2]], "float32")
NORMS = np.sqrt(np.sum(W**2, axis=0))
COSINE = W[:, 0] @ W[:, 1] / NORMS[0] / NORMS[1]

# (room, class, arguments, what it gives for W)
ROWS = [
    (regularizers, "L1", {"l1": 0.5}, 0.5 * np.abs(W).sum()),
    (regularizers, "L1L2", {"l1": 0.5, "l2": 2.0}, (0.5 * np.abs(W) + 2 * W**2).sum()),
    (regularizers, "L2", {"l2": 0.5}, 0.5 * (W**2).sum()),
    (
        regularizers,
        "OrthogonalRegularizer",
        {"factor": 0.5, "mode": "columns"},
        0.5 * abs(COSINE),
    ),
    (constraints, "MaxNorm", {"max_value": 2.5}, W * np.minimum(NORMS, 2.5) / NORMS),
    (
        constraints,
        "MinMaxNorm",
        {"min_value": 2.0, "max_value": 2.5, "rate": 0.5},
        W * (0.5 * np.clip(NORMS, 2.0, 2.5) + 0.5 * NORMS) / NORMS,
    ),
    (constraints, "NonNeg", {}, np.maximum(W, 0)),
    (constraints, "UnitNorm", {}, W / NORMS),
]
_each = pytest.mark.parametrize(
    ("room", "name", "settings", "want"), ROWS, ids=[row[1] for row in ROWS]
)


@pytest.mark.parametrize("room", [regularizers, constraints])
def test_table_covers_every_class(room):
    public = {getattr(room, name) for name in room.__all__}
    classes = {cls.__name__ for cls in public if inspect.isclass(cls)}
    mine = {name for where, name, _, _ in ROWS if where is room}
    assert classes - {"Regularizer", "Constraint"} == mine


@_each
def test_value(room, name, settings, want):
    value = getattr(room, name)(**settings)(jnp.asarray(W))
    np.testing.assert_allclose(value, want, rtol=1e-5, atol=1e-6)


@_each
def test_config_round_trip(room, name, settings, want):
    made = getattr(room, name)(**settings)
    again = room.deserialize(json.loads(json.dumps(room.serialize(made))))
    assert type(again) is type(made) and again.get_config() == made.get_config()
    assert made.get_config().items() >= settings.items()
    assert room.get(made) is made


@_each
def test_get_by_name(room, name, settings, want):
    assert type(room.get(name)) is getattr(room, name)
    assert type(room.get(to_snake_case(name))) is getattr(room, name)
    assert room.get(None) is None


@_each
def test_jit_equals_eager(room, name, settings, want):
    made, w = getattr(room, name)(**settings), jnp.asarray(W)
    np.testing.assert_allclose(jax.jit(made)(w), made(w), rtol=1e-5, atol=1e-6)


@_each
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_width(room, name, settings, want, dtype):
    value = getattr(room, name)(**settings)(jnp.asarray(W, dtype))
    assert value.dtype == jnp.dtype(dtype)
    np.testing.assert_allclose(np.float32(value), want, rtol=0.03, atol=0.03)


@_each
def test_trains_with_it(room, name, settings, want):
    key = "kernel_" + room.__name__.rpartition(".")[2].removesuffix("s")
    layer = keras.layers.Dense(2, **{key: getattr(room, name)(**settings)})
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
    kernel = layer.kernel.numpy()
    assert np.all(np.isfinite(kernel))
    if name == "UnitNorm":
        np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, rtol=1e-5)
    if room is regularizers:
        np.testing.assert_allclose(
            layer.losses[0], layer.kernel_regularizer(kernel), rtol=1e-6
        )


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: regularizers.L1(-0.1), "argument l1: expected a non-negative"),
        (lambda: regularizers.L2("x"), "argument l2: expected a non-negative"),
        (lambda: regularizers.L1L2(l2=float("inf")), "argument l2"),
        (lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), "`mode`"),
        (lambda: regularizers.OrthogonalRegularizer()(jnp.ones(2)), "rank 2"),
        (lambda: regularizers.get("l3"), "Unknown regularizer"),
        (lambda: constraints.get("max_nrm"), "Did you mean"),
        (lambda: constraints.get(3.5), "Could not interpret constraint"),
        (lambda: regularizers.Regularizer().get_config(), "must define `get_config"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises((ValueError, NotImplementedError), match=match):
        make()
