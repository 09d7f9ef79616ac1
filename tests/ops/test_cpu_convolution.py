"""Convolutions with CPU rules against XLA's own."""

import random
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from minikeras import ops
from minikeras.core.bridge import Frame
from minikeras.ops import cpu_convolution
from minikeras.ops.convolution import transposed_padding
from minikeras.ops.cpu_convolution import with_cpu_rules

FAST, SLOW = 2, 120


@pytest.fixture(autouse=True)
def _no_size_is_too_small(monkeypatch):
    for name in ("_MIN_SUMMED_SIZE", "_MIN_PHASE_WINDOW_SIZE"):
        monkeypatch.setattr(cpu_convolution, name, 0)


def seeds(family, fast=FAST):
    marks = [()] * fast + [pytest.mark.slow] * (SLOW - fast)
    return [pytest.param(family, i, marks=mark) for i, mark in enumerate(marks)]


def generated(family, seed):
    """(convolution by XLA, inputs, kernel)."""
    rng, values = random.Random(f"{family} {seed}"), np.random.default_rng(seed)
    rank = rng.choice([1, 2, 2, 3])
    channels = rng.choice([1, 2, 4, 16, 32])
    depthwise = family == "grouped" and rng.random() < 0.5
    groups = {"plain": 1, "transposed": 1}.get(
        family, channels if depthwise else min(2, channels)
    )
    filters = groups * rng.choice([1, 2, 3, 8, 20, 20])
    space = [rng.randint(5, 8) for _ in range(rank)]
    entries = [2, 3, 4, 5] if family == "transposed" else [1, 1, 2, 3]
    window = [rng.choice(entries) for _ in range(rank)]
    moves = {"window_strides": [1] * rank, "rhs_dilation": [1] * rank}
    moved = None if family == "transposed" else rng.choice([*moves, None])
    if moved:
        moves[moved] = [rng.randint(1, 3 if "s" in moved else 2) for _ in range(rank)]
    # More padding than the window reaches makes XLA's own gradient read beyond arrays.
    explicit = [(rng.randint(0, k - 1), rng.randint(0, k - 1)) for k in window]
    first = rng.random() < 0.3
    axes = "DHW"[3 - rank :]
    layout = f"NC{axes}" if first else f"N{axes}C"
    convolve = partial(
        lax.conv_general_dilated,
        **moves,
        padding=rng.choice(["SAME", "VALID", explicit]),
        dimension_numbers=(layout, f"{axes}IO", layout),
        feature_group_count=groups,
    )
    if family == "transposed":
        convolve = transposed(convolve, rng, rank)
    shape = (3, channels, *space) if first else (3, *space, channels)
    kernel = values.normal(size=(*window, channels // groups, filters))
    return convolve, *map(jnp.float32, (values.normal(size=shape), kernel))


def transposed(convolve, rng, rank):
    """The same layout, as a transposed convolution with strides."""
    layout, kernel, _ = convolve.keywords["dimension_numbers"]
    strides = [rng.choice([2, 2, 3]) for _ in range(rank)]
    strides[0] = rng.randint(1, 2)
    dilation = [rng.choice([1, 1, 1, 2])] * rank
    padding, extra = rng.choice(["same", "valid"]), rng.choice([None, 0, 1])

    def run(x, w):
        pads = [
            transposed_padding(n, stride, d, padding, extra)
            for n, stride, d in zip(w.shape, strides, dilation, strict=False)
        ]
        return lax.conv_transpose(
            x, w, strides, pads, dilation, (layout, kernel, layout)
        )

    return run


def everything(convolve):
    """Values, both gradients, forward mode, second derivatives, batches."""

    def energy(x, w):
        y = convolve(x, w)
        return jnp.sum(y * y * jnp.cos(jnp.arange(y.size)).reshape(y.shape))

    def slope(x, w):
        return sum(jnp.sum(g * g) for g in jax.grad(energy, (0, 1))(x, w))

    def run(x, w):
        xs, ws = jnp.stack([x, x + 1]), jnp.stack([w, w - 1])
        return {
            "value": convolve(x, w),
            "gradients": jax.grad(jax.checkpoint(energy), (0, 1))(x, w),
            "forward mode": jax.jvp(convolve, (x, w), (x * 2, w + 1)),
            "second": jax.grad(slope, (0, 1))(x, w),
            "batch of inputs": jax.vmap(convolve, (0, None))(xs, w),
            "batch of kernels": jax.vmap(convolve, (None, 0))(x, ws),
            "batch of both": jax.vmap(convolve)(xs, ws),
        }

    return jax.jit(run)


SEEDS = [*seeds("plain"), *seeds("grouped"), *seeds("transposed")]


@pytest.mark.parametrize("family, seed", SEEDS)
def test_as_xla(family, seed):
    convolve, x, w = generated(family, seed)
    expected = everything(convolve)(x, w)
    found = everything(with_cpu_rules(convolve, loop=seed % 3 == 0))(x, w)
    for name, wanted in expected.items():
        for a, b in zip(*map(jax.tree.leaves, (found[name], wanted)), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            scale = float(jnp.max(jnp.abs(b), initial=1e-6))
            np.testing.assert_allclose(a, b, atol=4e-6 * scale, err_msg=name)


def called(monkeypatch, function, *args):
    """Names of the functions that compute the convolutions of a compiled function."""
    names = []
    for name in (
        "row_products",
        "shifted_sums",
        "depthwise",
        "kernel_gradient_by_rows",
    ):
        recorded = spy(name, getattr(cpu_convolution, name), names)
        monkeypatch.setattr(cpu_convolution, name, recorded)
    jax.jit(function).lower(*args)
    return names


def spy(name, function, names):
    def run(*args):
        names.append(name)
        return function(*args)

    return run


def test_the_choice_and_dead_input_gradients(monkeypatch):
    x, w = jnp.ones((2, 9, 9, 1)), jnp.ones((3, 3, 1, 32))

    def loss(w):
        return jnp.sum(ops.conv(x, w) ** 2)

    names = called(monkeypatch, jax.grad(loss), w)
    assert sorted(names) == ["depthwise", "kernel_gradient_by_rows"]  # no gradient in x


def test_a_loop_has_products(monkeypatch):
    x, w = jnp.ones((2, 6, 6, 8)), jnp.ones((3, 3, 8, 8))

    def steps(x):
        with Frame(in_loop=True):
            return lax.fori_loop(0, 2, lambda _, x: ops.conv(x, w, padding="same"), x)

    assert called(monkeypatch, steps, x) == ["row_products"]
    assert called(monkeypatch, lambda x: ops.conv(x, w), x) == []


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("groups", [1, 8])
def test_half_precision_sums_in_float32(dtype, groups):
    values = np.random.default_rng(0)
    x = jnp.asarray(values.normal(size=(2, 6, 6, 6, 8)), dtype)
    w = jnp.asarray(values.normal(size=(3, 3, 3, 8 // groups, 8)), dtype)
    y = ops.conv(x, w)
    exact = ops.conv(x.astype("float32"), w.astype("float32"))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, exact.astype(dtype))


def test_gradients_have_no_convolution_of_xla():
    x, w = jnp.ones((2, 6, 6, 4)), jnp.ones((3, 3, 4, 4))

    def loss(x, w):
        return jnp.sum(jax.vmap(ops.conv, (None, 0))(x, jnp.stack([w, w])))

    jaxpr = jax.make_jaxpr(jax.grad(loss, (0, 1)))(x, w)
    found = {eqn.primitive for eqn in jaxpr.eqns if "conv" in eqn.primitive.name}
    assert lax.conv_general_dilated_p not in found
    assert cpu_convolution.convolution_p in found
