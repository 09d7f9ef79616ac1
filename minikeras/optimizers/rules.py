"""The update rules: Keras's arithmetic of each optimizer, as optax transformations.

Each function returns a transformation `(init, update)`:
    init(params) -> {slot: dict like params}
    update(grads, slots, params, *, learning_rate, iteration) -> (deltas, slots)
`params`, `grads` and `deltas` are {key: array}; `deltas` are added to `params`;
`iteration` is the number of updates before this one. The order of operations is
Keras's, so that float32 results agree with it.
"""

import jax.numpy as jnp

from minikeras.core.late_import import late_import


def zeros(params):
    """{key: zeros like the parameter}."""
    return {key: jnp.zeros_like(p) for key, p in params.items()}


def filled(value):
    """A function of params that returns {key: array of `value` like the parameter}."""
    return lambda params: {key: jnp.full_like(p, value) for key, p in params.items()}


def gradient_transformation(init, update):
    """Make optax's type of the two functions.

    optax is imported here, at the first use of an optimizer: its import takes as long
    as that of minikeras.
    """
    optax = late_import("optax")
    return optax.GradientTransformationExtraArgs(init, update)


def transform(slots, step):
    """Make a gradient transformation from the step of one parameter.

    Args:
        slots: {slot: function of params that returns its first values}.
        step: function `step(g, slots, p, lr, t)` -> (delta, new slots) of one
            parameter `p`, with its gradient `g`, its slots {slot: array}, the learning
            rate `lr` and t = iteration + 1, all of the dtype of `p`.
    """

    def init(params):
        return {slot: start(params) for slot, start in slots.items()}

    def update(grads, state, params, *, learning_rate, iteration):
        return for_each(step, grads, state, params, learning_rate, iteration)

    return gradient_transformation(init, update)


def for_each(step, grads, state, params, learning_rate, iteration):
    """Call the `step` of `transform` on each parameter; return (deltas, slots).

    Float16 and bfloat16 parameters are updated in float32. (Keras computes in their
    dtype. In bfloat16, beta_2 = 0.999 is rounded to 1, so its Adam moves no weight.)
    """
    deltas, new = {}, {slot: dict(tree) for slot, tree in state.items()}
    for key, p in params.items():
        dtype = jnp.promote_types(p.dtype, jnp.float32)
        own = {
            slot: tree[key].astype(dtype) for slot, tree in state.items() if key in tree
        }
        lr, t = jnp.asarray(learning_rate, dtype), jnp.asarray(iteration + 1, dtype)
        delta, own = step(grads[key].astype(dtype), own, p.astype(dtype), lr, t)
        deltas[key] = delta.astype(p.dtype)
        for slot, value in own.items():
            new[slot][key] = value.astype(state[slot][key].dtype)
    return deltas, new


def ema(average, value, rate):
    """average + (value - average) (1 - rate)."""
    # Keras's form. rate average + (1 - rate) value rounds differently in float32.
    return average + (value - average) * (1.0 - rate)


def sgd(momentum=0.0, nesterov=False):
    """-lr g; with momentum m = momentum m - lr g, or (nesterov) momentum m - lr g."""

    def step(g, slots, p, lr, t):
        if momentum == 0:
            return -(g * lr), {}
        m = slots["momentum"] * jnp.asarray(momentum, p.dtype) - g * lr
        delta = m * jnp.asarray(momentum, p.dtype) - g * lr if nesterov else m
        return delta, {"momentum": m}

    return transform({"momentum": zeros} if momentum != 0 else {}, step)


def rmsprop(rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """-lr g / sqrt(v + epsilon), where v is the moving average of g².

    If centered, v is the variance of g. Differs from optax, which adds epsilon to the
    root.
    """

    def step(g, slots, p, lr, t):
        """Return (update, new slots) of RMSprop."""
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

    m and v are the moving averages of g and g²; with amsgrad, v is the largest so far.
    Differs from optax, which corrects the bias of v before it adds epsilon.
    Source: Kingma and Ba, Adam, 2014; Reddi et al., 2018 (amsgrad).
    """
    slots = {"momentum": zeros, "velocity": zeros}
    return transform(
        slots | ({"velocity_hat": zeros} if amsgrad else {}),
        adam_step(beta_1, beta_2, epsilon, amsgrad),
    )


def adam_step(beta_1, beta_2, epsilon, amsgrad=False):
    """The step of Adam for one parameter, for `transform`."""

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

    return step


def adagrad(initial_accumulator_value=0.1, epsilon=1e-7):
    """-lr g / sqrt(sum of all g² + epsilon)."""

    def step(g, slots, p, lr, t):
        total = slots["accumulator"] + jnp.square(g)
        return -(lr * g / jnp.sqrt(total + epsilon)), {"accumulator": total}

    return transform({"accumulator": filled(initial_accumulator_value)}, step)


def adadelta(rho=0.95, epsilon=1e-7):
    """-lr g rms(steps so far) / rms(gradients so far)."""

    def step(g, slots, p, lr, t):
        """Return (update, new slots) of Adadelta."""

        def mean(old, x):
            return rho * old + (1.0 - rho) * jnp.square(x)

        def rms(x):
            return jnp.sqrt(x + epsilon)

        grads = mean(slots["accumulated_grad"], g)
        delta = -rms(slots["accumulated_delta_var"]) * g / rms(grads)
        steps = mean(slots["accumulated_delta_var"], delta)
        return lr * delta, {"accumulated_grad": grads, "accumulated_delta_var": steps}

    return transform({"accumulated_grad": zeros, "accumulated_delta_var": zeros}, step)


def adamax(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """-lr m / (1 - beta_1^t) / (u + epsilon), u = max(beta_2 u, |g|).

    Source: Kingma and Ba, Adam, 2014, section 7.
    """

    def step(g, slots, p, lr, t):
        m = ema(slots["momentum"], g, beta_1)
        u = jnp.maximum(beta_2 * slots["norm"], jnp.abs(g))
        bias = 1.0 - jnp.power(jnp.asarray(beta_1, p.dtype), t)
        return -(lr * m / (bias * (u + epsilon))), {"momentum": m, "norm": u}

    return transform({"momentum": zeros, "norm": zeros}, step)


def nadam(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Adam with Nesterov momentum whose beta_1 grows with t.

    The slot `u_product` is one number for all parameters: the product of all u, the
    values of the growing beta_1.
    """

    def growing_beta_1(t):
        return beta_1 * (1.0 - 0.5 * jnp.power(jnp.asarray(0.96, t.dtype), t))

    def init(params):
        slots = {"momentum": zeros(params), "velocity": zeros(params)}
        return slots | {"u_product": jnp.ones(())}

    def update(grads, state, params, *, learning_rate, iteration):
        """Return (updates, new state); all weights share the product of the beta_1."""
        old_product = state["u_product"]

        def step(g, slots, p, lr, t):
            u, u_next = growing_beta_1(t), growing_beta_1(t + 1)
            product = old_product.astype(p.dtype) * u
            m = ema(slots["momentum"], g, jnp.asarray(beta_1, p.dtype))
            v = ema(slots["velocity"], jnp.square(g), jnp.asarray(beta_2, p.dtype))
            m_hat = u_next * m / (1.0 - product * u_next)
            m_hat = m_hat + (1.0 - u) * g / (1.0 - product)
            v_hat = v / (1.0 - jnp.power(jnp.asarray(beta_2, p.dtype), t))
            delta = -(m_hat * lr / (jnp.sqrt(v_hat) + epsilon))
            return delta, {"momentum": m, "velocity": v}

        slots = {name: state[name] for name in ("momentum", "velocity")}
        deltas, slots = for_each(step, grads, slots, params, learning_rate, iteration)
        u = growing_beta_1(jnp.asarray(iteration + 1, old_product.dtype))
        return deltas, slots | {"u_product": old_product * u}

    return gradient_transformation(init, update)


def lion(beta_1=0.9, beta_2=0.99):
    """-lr sign(beta_1 m + (1 - beta_1) g), then m = beta_2 m + (1 - beta_2) g.

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023.
    """

    def step(g, slots, p, lr, t):
        m = slots["momentum"]
        delta = -(lr * jnp.sign(m * beta_1 + g * (1.0 - beta_1)))
        return delta, {"momentum": m * beta_2 + g * (1.0 - beta_2)}

    return transform({"momentum": zeros}, step)


def lamb(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """-lr |p| d / |d|, where d is the direction of Adam's step."""

    def step(g, slots, p, lr, t):
        """Return (update, new slots) of LAMB."""
        m = ema(slots["momentum"], g, beta_1)
        v = ema(slots["velocity"], jnp.square(g), beta_2)
        m_hat = m / (1.0 - jnp.power(jnp.asarray(beta_1, p.dtype), t))
        v_hat = v / (1.0 - jnp.power(jnp.asarray(beta_2, p.dtype), t))
        direction = m_hat / (jnp.sqrt(v_hat) + epsilon)
        size = jnp.sqrt(jnp.sum(jnp.square(p)))
        length = jnp.sqrt(jnp.sum(jnp.square(direction)))
        # As in Keras, a weight or a direction of length 0 leaves the ratio at 1:
        # otherwise a weight that starts at 0 would never move.
        both = (size > 0) & (length > 0)
        ratio = jnp.where(both, size / jnp.where(both, length, 1.0), 1.0)
        return -(ratio * direction * lr), {"momentum": m, "velocity": v}

    return transform({"momentum": zeros, "velocity": zeros}, step)


def ftrl(power=-0.5, initial=0.1, l1=0.0, l2=0.0, l2_shrinkage=0.0, beta=0.0):
    """Follow the regularized leader.

    Args:
        power: <= 0; exponent of the accumulated g².
        initial: first value of that accumulator.
        l1: factor of the penalty on |p|.
        l2: factor of the penalty on p².
        l2_shrinkage: factor of a penalty on p² that is added to the gradient only.
        beta: added to the root of the accumulator.
    """

    def step(g, slots, p, lr, t):
        old = slots["accumulator"]
        total = old + jnp.square(g)
        sigma = (jnp.power(total, -power) - jnp.power(old, -power)) / lr
        linear = slots["linear"] + (g + 2.0 * l2_shrinkage * p - sigma * p)
        quadratic = jnp.power(total, -power) / lr + 2.0 * (l2 + beta / (2.0 * lr))
        target = (jnp.clip(linear, -l1, l1) - linear) / quadratic
        return target - p, {"accumulator": total, "linear": linear}

    return transform({"accumulator": filled(initial), "linear": zeros}, step)
