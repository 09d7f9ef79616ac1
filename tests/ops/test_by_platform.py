"""Functions with an implementation for CPUs: derivatives, batches, exports."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax

from minikeras import ops
from minikeras.ops.by_platform import ByPlatform
from minikeras.ops.pooling import max_by_windows
from minikeras.random import threefry

X = np.random.default_rng(0).normal(size=(3, 8, 8, 4)).astype("float32")


def kernel(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def everything(x):
    """One program with all functions that have an implementation for CPUs."""
    images = [
        ops.conv(x, kernel(3, 3, 4, 2), padding="same"),
        ops.conv(x, kernel(3, 3, 2, 6), 2, "same"),
        ops.conv(x, kernel(1, 1, 4, 8)),
        ops.conv_transpose(x, kernel(4, 4, 20, 4), 2, "same"),
        ops.conv_transpose(x, kernel(3, 3, 2, 4), 2, "same"),
        ops.separable_conv(x, kernel(5, 5, 4, 1), kernel(1, 1, 4, 3), padding="same"),
        ops.conv(x[..., None], kernel(2, 2, 2, 1, 3)),
        ops.conv_transpose(x[..., None], kernel(2, 2, 2, 3, 1), 2),
        ops.conv(x[:, 0], kernel(3, 4, 2), padding="valid", dilation_rate=2),
        ops.max_pool(x, 3, 2, "same"),
        ops.average_pool(x, 3, 2, "same"),
        ops.adaptive_max_pool(x, 3),
        ops.adaptive_average_pool(x, 3),
        ops.image.resize(x, (16, 16)),
    ]
    return jnp.stack([y.mean(range(1, y.ndim)) for y in images], -1)


def energy(x):
    return jnp.sum(everything(x) ** 2)


@pytest.mark.parametrize("platforms", [["cpu"], ["cpu", "cuda"], ["cuda"]])
def test_a_symbolic_batch(platforms):
    (batch,) = export.symbolic_shape("b")
    function = jax.jit(lambda x: (everything(x), jax.grad(energy)(x)))
    spec = jax.ShapeDtypeStruct((batch, *X.shape[1:]), "float32")
    exported = export.export(function, platforms=platforms)(spec)
    program = exported.mlir_module()
    assert ("stablehlo.case" in program) == (len(platforms) > 1)
    assert ("select_and_scatter" in program) == ("cuda" in platforms)
    if "cpu" in platforms:
        for found, wanted in zip(exported.call(X), function(X), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_jaxprs_hold_primitives_and_no_switch():
    jaxpr = jax.make_jaxpr(everything)(X)
    names = {eqn.primitive.name for eqn in jaxpr.eqns}
    assert {"conv_general_dilated", "reduce_window_max"} <= names
    assert "platform_index" not in str(jaxpr)
    drawn = jax.make_jaxpr(lambda key: threefry.random_bits(key, (2, 3)))(
        jnp.zeros(2, "uint32")
    )
    assert "platform_index" not in str(drawn)


def test_random_bits_of_a_symbolic_batch():
    (batch,) = export.symbolic_shape("b")
    key = jnp.array([1, 2], "uint32")

    def draw(x):
        return threefry.random_bits(key, x.shape)

    spec = jax.ShapeDtypeStruct((batch, 5), "float32")
    exported = export.export(jax.jit(draw), platforms=["cpu", "cuda"])(spec)
    expected = jax.random.bits(key, (4, 5), "uint32")
    np.testing.assert_array_equal(exported.call(jnp.zeros((4, 5))), expected)


def test_derivatives_of_pools_are_those_of_xla():
    window, steps = (1, 3, 3, 1), (1, 2, 2, 1)
    pads = tuple(lax.padtype_to_pads(X.shape, window, steps, "SAME"))

    def everything_of(pool):
        def slope(x):
            return jax.grad(lambda x: jnp.sum(pool(x) ** 3))(x)

        def run(x):
            return {
                "value": pool(x),
                "gradient": slope(x),
                "forward mode": jax.jvp(pool, (x,), (x + 1,))[1],
                "second": jax.jvp(slope, (x,), (x + 1,))[1],
                "again": jax.grad(lambda x: jnp.sum(slope(x) ** 2))(x),
                "batch": jax.vmap(slope)(jnp.stack([x, x[::-1]])),
                "no batch": slope(x[:0]),
                "checkpoint": jax.grad(lambda x: jnp.sum(jax.checkpoint(pool)(x)))(x),
            }

        return jax.jit(run)(X)

    found = everything_of(lambda x: ops.max_pool(x, 3, 2, "same"))
    wanted = everything_of(lambda x: max_by_windows(x, window, steps, pads))
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=name)


def test_two_arguments_and_parameters():
    def default(x, y, power):
        return x**power * y

    def on_cpu(x, y, power):
        return y * x**power

    function = ByPlatform("product", default, cpu=on_cpu)
    x, y = jnp.arange(1.0, 4.0), jnp.array([2.0, 0.5, -1.0])

    def of(f):
        def energy(x, y):
            return jnp.sum(f(x, y, power=3) ** 2)

        def slope(x, y):
            return sum(jnp.sum(g) for g in jax.grad(energy, (0, 1))(x, y))

        return (
            f(x, y, power=3),
            jax.grad(energy, (0, 1))(x, y),
            jax.grad(slope, (0, 1))(x, y),
            jax.vmap(jax.grad(energy), (0, None))(jnp.stack([x, -x]), y),
            jax.jvp(energy, (x, y), (y, x)),
        )

    for a, b in zip(*map(jax.tree.leaves, (of(function), of(default))), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
