"""Schedule-free AdamW: an average of the weights instead of a schedule."""

import jax.numpy as jnp

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer
from minikeras.optimizers.state import initial_value_of


def schedule_free_adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    """Take gradients at y = (1 - beta_1) z + beta_1 x, where Adam steps move z.

    z is the slot `momentum`, x the mean of all z so far, y the parameter. With x
    eliminated, a step z -> z - d moves y by (z - y) / t - (1 - beta_1) (1 - 1 / t) d.
    The learning rate rises linearly in the first `warmup_steps` steps.

    Source: Defazio et al., The Road Less Scheduled, 2024. Differs from it: all z have
    the same weight in the mean, as in Keras.
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
    """AdamW that averages its iterates instead of lowering the learning rate.

    Adam steps move z; x is the mean of all z so far. Gradients are taken at the
    weights y = (1 - beta_1) z + beta_1 x.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_1: in [0, 1]; share of x in the weights.
        beta_2: in [0, 1); v, the average of g², moves by (1 - beta_2) (g² - v).
        epsilon: > 0; avoids a division by 0.
        warmup_steps: >= 0; number of steps in which the learning rate rises linearly.
        *common, **settings: the arguments that all optimizers take.

    Source: Defazio et al., The Road Less Scheduled, 2024.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.ScheduleFreeAdamW(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.5, -2.5]
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
        self._mk_store_arguments(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        self._mk_store_arguments(warmup_steps=warmup_steps)

    def _mk_build_slots(self, variables):
        names = ["momentum", "velocity"]
        self._mk_slots |= {name: [] for name in names}
        for v in variables:
            starts = [initial_value_of(v), "zeros"]
            columns = self.add_optimizer_variables([v], names, starts)
            for name, column in zip(names, columns, strict=True):
                self._mk_slots[name] += column

    def _mk_transform(self):
        """See `schedule_free_adam`."""
        return schedule_free_adam(
            self.beta_1, self.beta_2, self.epsilon, self.warmup_steps
        )
