"""What is done to gradients and weights around a rule, on {key: array} trees."""

import jax
import jax.numpy as jnp

from minikeras.core.variable import is_sparse

# -- around a rule, on {key: array} trees --------------------------------------------


def dense(grads):
    """Sparse gradients (`BCOO`) as arrays: every rule here moves all weights."""
    return {k: g.todense() if is_sparse(g) else g for k, g in grads.items()}


def clip_by_norm(grads, norm):
    """Shorten each gradient that is longer than `norm` (Euclidean) to it."""

    def clip(g):
        length = jnp.sqrt(jnp.sum(jnp.square(g)))
        return g * norm / jnp.maximum(length, norm)

    return {key: clip(g) for key, g in grads.items()}


def clip_by_global_norm(grads, norm):
    """Scale all gradients together, so that they are not longer than `norm`."""
    squares = [jnp.sum(jnp.square(g)) for g in grads.values()]
    length = jnp.sqrt(sum(squares))
    scale = norm * jnp.minimum(1.0 / length, 1.0 / norm)
    # An infinite length must not pass as a scale of zero.
    scale = scale + (length - length)
    return {key: g * scale.astype(g.dtype) for key, g in grads.items()}


def clip_by_value(grads, value):
    """Cut each entry off at -value and value."""
    return {key: jnp.clip(g, -value, value) for key, g in grads.items()}


def decay_weights(params, decays, learning_rate):
    """p - p decay learning_rate, with decays {key: number or None to stay}."""

    def decay(p, by):
        if by is None:
            return p
        return p - p * jnp.asarray(by, p.dtype) * learning_rate.astype(p.dtype)

    return {key: decay(p, decays[key]) for key, p in params.items()}


def moving_average(averages, params, momentum, iteration):
    """momentum average + (1 - momentum) p; at iteration 0 the parameters."""
    momentum = jnp.where(iteration == 0, 0.0, momentum)

    def average(a, p):
        rate = momentum.astype(p.dtype)
        return rate * a + (1.0 - rate) * p

    return {key: average(averages[key], p) for key, p in params.items()}


def accumulate(total, grads, direct, steps, is_last, update, *state):
    """Add up gradients; every `steps` calls update with their mean.

    Args:
        total: {key: sum of the gradients since the last update}.
        grads: {key: gradient}.
        direct: keys whose gradients are joined by their maximum.
        steps: gradients per update.
        is_last: traced bool: is this the call that updates?
        update: `update(grads, *state)` -> new state.
        *state: trees that `update` replaces.

    Returns:
        (new total, new state).
    """

    def join(key, divide):
        if key in direct:
            return jnp.maximum(total[key], grads[key])
        return (total[key] + grads[key]) / (steps if divide else 1)

    def last():
        mean = {key: join(key, True) for key in grads}
        return {key: jnp.zeros_like(x) for key, x in total.items()}, update(
            mean, *state
        )

    def others():
        return {key: join(key, False) for key in grads}, state

    return jax.lax.cond(is_last, last, others)
