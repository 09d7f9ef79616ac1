"""ScheduleFreeAdamW: the recursion of the paper, with all three sequences kept."""

import numpy as np

from minikeras import optimizers
from minikeras.core.variable import Variable


def test_weights_are_between_the_last_point_and_the_mean():
    rng, rate, beta_1, beta_2 = np.random.default_rng(0), 0.1, 0.8, 0.9
    start = rng.normal(size=3).astype("float32")
    variable = Variable(start, name="w")
    optimizer = optimizers.ScheduleFreeAdamW(rate, beta_1, beta_2, 1e-3, warmup_steps=3)
    x = z = start.astype("float64")
    v = 0.0
    for t in range(1, 6):
        g = rng.normal(size=3).astype("float32")
        optimizer.apply([g], [variable])
        v = beta_2 * v + (1 - beta_2) * g.astype("float64") ** 2
        scale = np.sqrt(v / (1 - beta_2**t)) + 1e-3
        z = z - rate * min(1, t / 3) * g / scale
        x = x + (z - x) / t
        y = (1 - beta_1) * z + beta_1 * x
        np.testing.assert_allclose(variable.numpy(), y, rtol=2e-5, atol=1e-6)
