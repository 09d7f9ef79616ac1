"""Clipping, weight decay, averages and accumulation, on {key: array} dicts."""

import jax
import jax.numpy as jnp

from minikeras.core.variable import is_sparse


def to_dense(grads):
    """Convert sparse gradients (`BCOO`) to arrays: all rules here move all weights."""
    return {k: g.todense() if is_sparse(g) else g for k, g in grads.items()}


def clip_by_norm(grads, norm):
    """Scale down each gradient whose L2 norm is larger than `norm`."""

    def clip(g):
        length = jnp.sqrt(jnp.sum(jnp.square(g)))
        return g * norm / jnp.maximum(length, norm)

    return {key: clip(g) for key, g in grads.items()}


def clip_by_global_norm(grads, norm):
    """Scale all gradients by one factor if their common L2 norm is above `norm`."""
    squares = [jnp.sum(jnp.square(g)) for g in grads.values()]
    length = jnp.sqrt(sum(squares))
    scale = norm * jnp.minimum(1.0 / length, 1.0 / norm)
    # An infinite norm gives the scale 0, which would turn finite gradients into 0
    # without notice. Adding inf - inf = NaN makes all of them NaN, as in Keras.
    scale = scale + (length - length)
    return {key: g * scale.astype(g.dtype) for key, g in grads.items()}


def clip_by_value(grads, value):
    """Clip each entry to [-value, value]."""
    return {key: jnp.clip(g, -value, value) for key, g in grads.items()}


def decay_weights(params, decays, learning_rate):
    """p - p decay learning_rate; a parameter whose decay is None does not change."""

    def decay(p, rate):
        if rate is None:
            return p
        return p - p * jnp.asarray(rate, p.dtype) * learning_rate.astype(p.dtype)

    return {key: decay(p, decays[key]) for key, p in params.items()}


def moving_average(averages, params, momentum, iteration):
    """momentum average + (1 - momentum) p; in iteration 0 simply p, as in Keras."""
    momentum = jnp.where(iteration == 0, 0.0, momentum)

    def average(a, p):
        rate = momentum.astype(p.dtype)
        return rate * a + (1.0 - rate) * p

    return {key: average(averages[key], p) for key, p in params.items()}


def accumulate(total, grads, replaced, steps, is_last, update, *state):
    """Add up gradients; in every `steps`-th call, update by their mean.

    Args:
        total: {key: sum of the gradients since the last update}.
        grads: {key: gradient}.
        replaced: keys of weights that their gradient replaces: of these gradients
            the maximum is taken instead of the mean, as in Keras.
        steps: number of gradients for an update.
        is_last: traced bool, True in the call that updates.
        update: function `update(grads, *state)` -> new state.
        *state: pytrees that `update` replaces.

    Returns:
        (new total, new state).
    """

    def join(key, divide):
        if key in replaced:
            return jnp.maximum(total[key], grads[key])
        return (total[key] + grads[key]) / (steps if divide else 1)

    def update_by_mean():
        mean = {key: join(key, True) for key in grads}
        zeros = {key: jnp.zeros_like(x) for key, x in total.items()}
        return zeros, update(mean, *state)

    def add():
        # A scaled loss gives float32 gradients also of float16 weights.
        joined = {key: join(key, False) for key in grads}
        return {key: x.astype(total[key].dtype) for key, x in joined.items()}, state

    return jax.lax.cond(is_last, update_by_mean, add)
