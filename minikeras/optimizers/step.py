"""The parts of an optimizer's step around its own rule, on {key: array} trees."""

import jax
import jax.numpy as jnp


def dense(grads):
    """Sparse gradients (`BCOO`) as arrays: every rule here moves all weights."""
    return {k: g.todense() if hasattr(g, "todense") else g for k, g in grads.items()}


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


def decay_weights(params, keys, weight_decay, learning_rate):
    """p - p weight_decay learning_rate for `keys`; the other parameters stay."""

    def decay(p):
        return p - p * jnp.asarray(weight_decay, p.dtype) * learning_rate.astype(
            p.dtype
        )

    return {key: decay(p) if key in keys else p for key, p in params.items()}


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


def take(optimizer, variables, params, grads, state):
    """One step of an optimizer, all of it.

    Args:
        optimizer: its settings are read, nothing of it is changed.
        variables: {key: Variable} weights.
        params, grads: {key: array} their values and gradients.
        state: {path: array}, keys of `unique_paths(optimizer.variables)`.

    Returns:
        (new params, new state).
    """
    grads = dense(grads)
    paths = optimizer._paths()
    count = state[paths[id(optimizer._iterations)]]
    rate = optimizer._rate(count, state.get(paths.get(id(optimizer._learning_rate))))
    direct = {k for k, v in variables.items() if v.overwrite_with_gradient}
    if scale := optimizer.loss_scale_factor:
        grads = {k: g if k in direct else g / scale for k, g in grads.items()}
    steps = optimizer.gradient_accumulation_steps
    iteration = count // steps if steps else count

    def update(grads, params, state):
        return update_once(optimizer, variables, params, grads, state, rate, iteration)

    if steps:
        where = optimizer._where(optimizer._accumulated_gradients, variables, paths)
        total = {key: state[path] for key, path in where.items()}
        is_last = (count + 1) % steps == 0
        total, (params, state) = accumulate(
            total, grads, direct, steps, is_last, update, params, state
        )
        state = state | {where[key]: value for key, value in total.items()}
    else:
        params, state = update(grads, params, state)
    if optimizer.use_ema:
        params, state = keep_average(optimizer, variables, params, state, iteration)
    params = {
        k: p if (limit := variables[k].constraint) is None else limit(p)
        for k, p in params.items()
    }
    return params, state | {paths[id(optimizer._iterations)]: count + 1}


def update_once(optimizer, variables, params, grads, state, rate, iteration):
    """Clip, decay, follow the rule; weights that gradients replace are replaced."""
    direct = {k: g for k, g in grads.items() if variables[k].overwrite_with_gradient}
    grads = clip(optimizer, {k: g for k, g in grads.items() if k not in direct})
    own = {key: variables[key] for key in grads}
    old = {key: params[key] for key in grads}
    if optimizer.weight_decay is not None:
        decaying = {k for k, v in own.items() if optimizer._use_weight_decay(v)}
        old = decay_weights(old, decaying, optimizer.weight_decay, rate)
    if optimizer._has_own_update_step():

        def run():
            for key, variable in own.items():
                optimizer.update_step(grads[key], variable, rate)

        new, state = optimizer._bridge(run, own, old, state)
    else:
        new, state = optimizer._follow_rule(own, old, grads, state, rate, iteration)
    return params | new | direct, state


def clip(optimizer, grads):
    """The clipping that the optimizer was told to do."""
    if optimizer.clipnorm and optimizer.clipnorm > 0:
        return clip_by_norm(grads, optimizer.clipnorm)
    if optimizer.global_clipnorm and optimizer.global_clipnorm > 0:
        return clip_by_global_norm(grads, optimizer.global_clipnorm)
    if optimizer.clipvalue and optimizer.clipvalue > 0:
        return clip_by_value(grads, optimizer.clipvalue)
    return grads


def follow_rule(optimizer, variables, params, grads, state, rate, iteration):
    """The optimizer's `transform`, on slots found in its state."""
    rule = optimizer.transform()
    if rule is None:
        raise NotImplementedError(
            f"{type(optimizer).__name__} has no rule: override `update_step(gradient, "
            "variable, learning_rate)`, or `transform()`."
        )
    paths = optimizer._paths()
    where = {
        slot: optimizer._where(column, variables, paths)
        for slot, column in optimizer._slots.items()
    }
    slots = jax.tree_util.tree_map(lambda path: state[path], where)
    deltas, slots = rule.update(
        grads, slots, params, learning_rate=rate, iteration=iteration
    )
    new = {key: params[key] + delta for key, delta in deltas.items()}
    paths, tree = jax.tree_util.tree_flatten(where)
    return new, state | dict(zip(paths, tree.flatten_up_to(slots), strict=True))


def keep_average(optimizer, variables, params, state, iteration):
    """Move the averages, and every so often put them in the parameters' place."""
    averages = optimizer._model_variables_moving_average
    where = optimizer._where(averages, variables, optimizer._paths())
    new = moving_average(
        {key: state[path] for key, path in where.items()},
        {key: params[key] for key in where},
        optimizer.ema_momentum,
        iteration,
    )
    if frequency := optimizer.ema_overwrite_frequency:
        now = (iteration + 1) % frequency == 0
        params = params | {k: jnp.where(now, a, params[k]) for k, a in new.items()}
    return params, state | {where[key]: value for key, value in new.items()}
