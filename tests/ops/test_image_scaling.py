"""Bilinear scaling by whole numbers, in slices, against JAX's products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras.ops.image_sizes import resized

X = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype("float32")


@pytest.mark.parametrize("size", [(10, 14), (5, 21), (20, 7)])
def test_as_jax(size):
    shape = (2, *size, 3)

    def of(scale):
        def energy(x):
            return jnp.sum(scale(x) ** 3)

        def slope(x):
            return jax.grad(energy)(x)

        def run(x):
            second = jax.grad(lambda x: jnp.sum(slope(x) ** 2))
            return scale(x), slope(x), second(x), jax.jvp(slope, (x,), (x + 1,))

        return jax.jit(run)(X)

    found = of(lambda x: resized(x, shape, "bilinear"))
    wanted = of(lambda x: jax.image.resize(x, shape, "bilinear", antialias=False))
    for a, b in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6 * float(jnp.max(jnp.abs(b))))
