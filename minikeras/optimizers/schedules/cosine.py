"""Schedules along half a cosine wave. Source: Loshchilov and Hutter, SGDR, 2016."""

import math

import jax.numpy as jnp

from minikeras.core.checks import positive_number
from minikeras.core.variable import convert_to_tensor
from minikeras.optimizers.schedules.schedule import NamedSchedule


def _half_wave(fraction):
    """(1 + cos(pi fraction)) / 2: falls from 1 at 0 to 0 at 1."""
    pi = jnp.asarray(math.pi, fraction.dtype)
    return 0.5 * (1.0 + jnp.cos(pi * fraction))


def cosine_decay(step, initial, decay_steps, alpha=0.0):
    """initial ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha)."""
    decayed = (1.0 - alpha) * _half_wave(step / decay_steps) + alpha
    return initial * decayed


def cosine_decay_with_warmup(
    step, initial, decay_steps, alpha, warmup_target, warmup_steps
):
    """Rise linearly from `initial` to `warmup_target`, then decay by a cosine."""
    initial = convert_to_tensor(initial)
    dtype = initial.dtype
    step, steps = convert_to_tensor(step, dtype), jnp.asarray(decay_steps, dtype)
    if warmup_target is None:
        return cosine_decay(jnp.minimum(step, steps), initial, steps, alpha)
    target, warmup = jnp.asarray(warmup_target, dtype), jnp.asarray(warmup_steps, dtype)
    step = jnp.minimum(step, steps + warmup)
    # With 0 warm-up steps, `where` never takes `rising`, but its 0 / 0 would be NaN.
    rising = initial + (target - initial) * (step / jnp.maximum(warmup, 1))
    falling = cosine_decay(step - warmup, target, steps, alpha)
    return jnp.where(step < warmup, rising, falling)


def cosine_decay_restarts(step, initial, first_decay_steps, t_mul, m_mul, alpha):
    """Cosine decays, each `t_mul` times as long and `m_mul` times as high as before."""
    initial = convert_to_tensor(initial)
    dtype = initial.dtype
    t_mul, m_mul = jnp.asarray(t_mul, dtype), jnp.asarray(m_mul, dtype)
    fraction = convert_to_tensor(step, dtype) / jnp.asarray(first_decay_steps, dtype)
    # Restart i comes after the geometric sum (1 - t_mul^i) / (1 - t_mul).
    equal = t_mul == 1.0
    safe = jnp.where(equal, 2.0, t_mul)
    geometric = jnp.floor(jnp.log(1.0 - fraction * (1.0 - safe)) / jnp.log(safe))
    restarts = jnp.where(equal, jnp.floor(fraction), geometric)
    start = (1.0 - safe**restarts) / (1.0 - safe)
    inside = (fraction - start) / safe**restarts
    fraction = jnp.where(equal, fraction - restarts, inside)
    height = m_mul**restarts
    return initial * ((1.0 - alpha) * height * _half_wave(fraction) + alpha)


class CosineDecay(NamedSchedule):
    """r ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha), r the initial rate.

    Args:
        initial_learning_rate: float r.
        decay_steps: > 0; number of steps of the decay, after the warm-up.
        alpha: float; the last rate is alpha r.
        name: name in the config.
        warmup_target: float; before the decay, the rate rises linearly from r to this
            value, which then replaces r. None: no warm-up.
        warmup_steps: >= 0; number of steps of the warm-up.

    >>> schedule = keras.optimizers.schedules.CosineDecay(1.0, decay_steps=10)
    >>> [float(schedule(step)) for step in (0, 10, 20)]
    [1.0, 0.0, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        self._mk_store_arguments(
            initial_learning_rate=initial_learning_rate,
            decay_steps=positive_number(decay_steps, "decay_steps"),
            alpha=alpha,
            name=name,
            warmup_target=warmup_target,
            warmup_steps=warmup_steps,
        )

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return cosine_decay_with_warmup(
            step,
            self.initial_learning_rate,
            self.decay_steps,
            self.alpha,
            self.warmup_target,
            self.warmup_steps,
        )


class CosineDecayRestarts(NamedSchedule):
    """Cosine decays, one after the other, from the initial rate r to alpha r.

    Args:
        initial_learning_rate: float r.
        first_decay_steps: > 0; number of steps of the first decay.
        t_mul: > 0; factor of the length from each decay to the next.
        m_mul: > 0; factor of the first rate from each decay to the next.
        alpha: float; the lowest rate is alpha r.
        name: name in the config.

    >>> schedules = keras.optimizers.schedules
    >>> schedule = schedules.CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20)]
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        initial_learning_rate,
        first_decay_steps,
        t_mul=2.0,
        m_mul=1.0,
        alpha=0.0,
        name="SGDRDecay",
    ):
        self._mk_store_arguments(
            initial_learning_rate=initial_learning_rate,
            first_decay_steps=positive_number(first_decay_steps, "first_decay_steps"),
            t_mul=t_mul,
            m_mul=m_mul,
            alpha=alpha,
            name=name,
        )

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return cosine_decay_restarts(
            step,
            self.initial_learning_rate,
            self.first_decay_steps,
            self.t_mul,
            self.m_mul,
            self.alpha,
        )
