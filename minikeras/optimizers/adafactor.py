"""Adafactor: the average of g² of a matrix as the product of a row and a column."""

import jax
import jax.numpy as jnp

from minikeras.core.variable import Variable
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


def rms(x):
    """Root of the mean square."""
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def adafactor(beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """-max(epsilon_2, rms(p)) min(lr, 1 / sqrt(t)) u, where u = g / sqrt(v).

    u is scaled down to rms(u) <= clip_threshold. The slots `r` and `c` are the moving
    averages of g² over the rows and the columns of a parameter, whose product gives
    `v`. For parameters of rank < 2, `v` is the average of g² itself.
    """

    def step(g, slots, p, lr, t):
        """Return (update, new slots); a matrix has means of g² by row and column."""
        rate = jnp.minimum(lr, 1.0 / jnp.sqrt(t))
        beta = 1.0 - jnp.power(t, jnp.asarray(beta_2_decay, p.dtype))
        square = jnp.square(g) + epsilon_1
        if p.ndim >= 2:
            r = beta * slots["r"] + (1.0 - beta) * jnp.mean(square, axis=-1)
            c = beta * slots["c"] + (1.0 - beta) * jnp.mean(square, axis=-2)
            share = r / jnp.mean(r, axis=-1, keepdims=True)
            v = share[..., None] * c[..., None, :]
            new = {"r": r, "c": c, "v": v}
        else:
            v = beta * slots["v"] + (1.0 - beta) * square
            new = {"v": v}
        u = g * jax.lax.rsqrt(v)
        u = u / jnp.maximum(1.0, rms(u) / clip_threshold)
        return -(jnp.maximum(epsilon_2, rms(p)) * rate * u), new

    def init(params):
        def means(axis):
            return {
                k: jnp.mean(jnp.zeros_like(p), axis=axis)
                if p.ndim >= 2
                else jnp.int32(0)
                for k, p in params.items()
            }

        return {"r": means(-1), "c": means(-2), "v": rules.zeros(params)}

    def update(grads, state, params, *, learning_rate, iteration):
        return rules.for_each(step, grads, state, params, learning_rate, iteration)

    return rules.gradient_transformation(init, update)


class Adafactor(Optimizer):
    """p - max(epsilon_2, rms(p)) min(lr, 1 / sqrt(t)) g / sqrt(v) in step t.

    v is a moving average of g². Of a matrix (m, n) only the m averages of its rows
    and the n averages of its columns are needed, whose product gives v.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_2_decay: < 0; averages move by t^beta_2_decay (g² - v) in step t.
        epsilon_1: > 0; added to g².
        epsilon_2: > 0; least value of rms(p), the root of the mean of p².
        clip_threshold: > 0; g / sqrt(v) is scaled down to this root mean square.
        relative_step: no effect, as in Keras: the rate never exceeds 1 / sqrt(t).
        *common, **settings: the arguments that all optimizers take.

    Source: Shazeer and Stern, Adafactor, 2018.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Adafactor(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.209, -2.791]
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_store_arguments(
            beta_2_decay=beta_2_decay,
            epsilon_1=epsilon_1,
            epsilon_2=epsilon_2,
            clip_threshold=clip_threshold,
            relative_step=relative_step,
        )

    def _mk_build_slots(self, variables):
        self._mk_slots = {"r": [], "c": [], "v": []}
        for v in variables:
            row = self._mk_add_average(v, v.shape[:-1])
            column = self._mk_add_average(v, v.shape[:-2] + v.shape[-1:])
            product = None
            if not v.overwrite_with_gradient:
                product = self.add_variable_from_reference(v, "velocity")
            for slot, variable in zip("rcv", (row, column, product), strict=True):
                self._mk_slots[slot].append(variable)

    def _mk_add_average(self, weight, shape):
        """A Variable for the averages of a matrix's rows or columns."""
        if len(weight.shape) >= 2:
            return self.add_variable(shape, dtype=weight.dtype, name=weight.name)
        # Never read, but the files of Keras have a zero in this place.
        variable = Variable(0, name=weight.name, trainable=False)
        self._mk_variables.append(variable)
        return variable

    def _mk_transform(self):
        """See `adafactor`."""
        return adafactor(
            self.beta_2_decay, self.epsilon_1, self.epsilon_2, self.clip_threshold
        )
