"""Schedule-free AdamW: an average of the weights in place of a schedule."""

import jax.numpy as jnp

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer
from minikeras.optimizers.state import starting_at


def schedule_free_adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    """Gradients at y = (1 - beta_1) z + beta_1 x, where z takes Adam's steps.

    x is the mean of the z so far, z the slot `momentum`, y the parameter itself. With
    x eliminated, a step z = z - d moves y by (z - y) / t - (1 - beta_1) (1 - 1 / t) d.
    The learning rate rises on a line in the first `warmup_steps`.

    Source: Defazio et al., The Road Less Scheduled, 2024. Departs from it in giving
    all z the same weight in the mean, as Keras does.
    """

    def step(g, slots, p, lr, t):
        if warmup_steps:
            lr = lr * jnp.minimum(t / warmup_steps, 1.0)
        b1, b2 = (jnp.asarray(beta, p.dtype) for beta in (beta_1, beta_2))
        v = rules.ema(slots["velocity"], jnp.square(g), b2)
        v_hat = v / (1.0 - jnp.power(b2, t))
        d = lr * g / (jnp.sqrt(v_hat) + epsilon)
        z = slots["momentum"] - d
        delta = (z - p) / t - (1.0 - b1) * (1.0 - 1.0 / t) * d
        return delta, {"momentum": z, "velocity": v}

    return rules.transform({"momentum": dict, "velocity": rules.zeros}, step)


class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule of its learning rate. See `schedule_free_adam`.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: in [0, 1]; share of the mean in the weights.
        beta_2: in [0, 1); how slowly the mean of g² moves.
        epsilon: > 0.
        warmup_steps: >= 0; steps in which the learning rate rises from 0.
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.0025,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        warmup_steps=0,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        self._mk_set(warmup_steps=warmup_steps)

    def _mk_build_slots(self, variables):
        names = ["momentum", "velocity"]
        rows = [
            self.add_optimizer_variables([v], names, [starting_at(v), "zeros"])
            for v in variables
        ]
        for i, name in enumerate(names):
            self._mk_slots[name] = [row[i][0] for row in rows]

    def _mk_transform(self):
        """See `schedule_free_adam`."""
        return schedule_free_adam(
            self.beta_1, self.beta_2, self.epsilon, self.warmup_steps
        )
