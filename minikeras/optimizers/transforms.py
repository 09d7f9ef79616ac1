"""Keras's arithmetic of each optimizer, as optax gradient transformations.

Each function gives `(init, update)`:
    init(params) -> {slot: tree like params}
    update(grads, slots, params, *, learning_rate, iteration) -> (deltas, slots)
where trees are {key: array}, `deltas` are to be added to `params`, and `iteration`
counts the updates before this one. Operations come in Keras's order, so that
float32 results agree with it.
"""

import jax.numpy as jnp
import optax


def zeros(params):
    """A zero for every parameter."""
    return {key: jnp.zeros_like(p) for key, p in params.items()}


def transform(slots, step):
    """Gradient transformation of one parameter -> of a tree.

    Args:
        slots: {slot: function of params giving its first value}.
        step: `step(g, slots, p, lr, t)` -> (delta, new slots) for one parameter with
            slots {slot: array}, learning rate `lr` and `t` = iteration + 1, both of
            the dtype of `p`.
    """

    def init(params):
        return {slot: start(params) for slot, start in slots.items()}

    def update(grads, state, params, *, learning_rate, iteration):
        deltas, new = {}, {slot: dict(tree) for slot, tree in state.items()}
        for key, p in params.items():
            own = {slot: tree[key] for slot, tree in state.items()}
            lr = jnp.asarray(learning_rate, p.dtype)
            t = jnp.asarray(iteration + 1, p.dtype)
            deltas[key], own = step(grads[key].astype(p.dtype), own, p, lr, t)
            for slot, value in own.items():
                new[slot][key] = value
        return deltas, new

    return optax.GradientTransformationExtraArgs(init, update)


def ema(average, value, rate):
    """average + (value - average) (1 - rate)."""
    return average + (value - average) * (1.0 - rate)


def sgd(momentum=0.0, nesterov=False):
    """-lr g; with m = momentum m - lr g: m, or (nesterov) momentum m - lr g."""

    def step(g, slots, p, lr, t):
        if momentum == 0:
            return -(g * lr), {}
        m = slots["momentum"] * jnp.asarray(momentum, p.dtype) - g * lr
        delta = m * jnp.asarray(momentum, p.dtype) - g * lr if nesterov else m
        return delta, {"momentum": m}

    return transform({"momentum": zeros} if momentum != 0 else {}, step)


def rmsprop(rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """-lr g / sqrt(v + epsilon), v the running mean of g² (its variance if centered).

    Departs from optax, which adds epsilon to the root.
    """

    def step(g, slots, p, lr, t):
        v = rho * slots["velocity"] + (1.0 - rho) * jnp.square(g)
        new, scale = {"velocity": v}, v
        if centered:
            mean = rho * slots["average_gradient"] + (1.0 - rho) * g
            new["average_gradient"] = mean
            scale = v - jnp.square(mean)
        increment = lr * g / jnp.sqrt(scale + epsilon)
        if momentum > 0:
            increment = momentum * slots["momentum"] + increment
            new["momentum"] = increment
        return -increment, new

    slots = {"velocity": zeros}
    if momentum > 0:
        slots["momentum"] = zeros
    if centered:
        slots["average_gradient"] = zeros
    return transform(slots, step)


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """-lr m sqrt(1 - beta_2^t) / (1 - beta_1^t) / (sqrt(v) + epsilon).

    m and v are running means of g and g²; with amsgrad the largest v so far counts.
    Departs from optax, which corrects v for its bias before adding epsilon.
    Source: Kingma and Ba, Adam, 2014; Reddi et al., 2018 (amsgrad).
    """

    def step(g, slots, p, lr, t):
        beta_1_power = jnp.power(jnp.asarray(beta_1, p.dtype), t)
        beta_2_power = jnp.power(jnp.asarray(beta_2, p.dtype), t)
        alpha = lr * jnp.sqrt(1.0 - beta_2_power) / (1.0 - beta_1_power)
        m = ema(slots["momentum"], g, beta_1)
        v = ema(slots["velocity"], jnp.square(g), beta_2)
        new = {"momentum": m, "velocity": v}
        if amsgrad:
            v = new["velocity_hat"] = jnp.maximum(slots["velocity_hat"], v)
        return -(m * alpha / (jnp.sqrt(v) + epsilon)), new

    slots = {"momentum": zeros, "velocity": zeros}
    return transform(slots | ({"velocity_hat": zeros} if amsgrad else {}), step)
