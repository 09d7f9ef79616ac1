"""The optimizers in optax: its own transformations, or by hand where it has none."""

import jax
import jax.numpy as jnp
import optax

EPSILON = 1e-7


def by_hand(rate, step, **starts):
    """Transformation with a count and `starts`, {slot: first value or function of p}.

    `step(g, slots, p, lr, t)` -> (update, new slots) of one weight.
    """

    def first(start, p):
        return start(p) if callable(start) else jnp.full_like(p, start)

    def init(params):
        slots = {
            k: {slot: first(start, p) for slot, start in starts.items()}
            for k, p in params.items()
            if hasattr(p, "shape")  # multi_transform leaves masks for other weights
        }
        return jnp.zeros((), jnp.int32), slots

    def update(grads, state, params):
        count, slots = state
        t = (count + 1).astype(jnp.float32)
        out = {k: step(grads[k], s, params[k], rate, t) for k, s in slots.items()}
        new = {k: slot for k, (_, slot) in out.items()}
        return grads | {k: u for k, (u, _) in out.items()}, (count + 1, new)

    return optax.GradientTransformation(init, update)


def adagrad(rate):
    def step(g, s, p, lr, t):
        total = s["total"] + g * g
        return -lr * g * jax.lax.rsqrt(total + EPSILON), {"total": total}

    return by_hand(rate, step, total=0.1)


def adafactor(rate):
    def rms(x):
        return jnp.sqrt(jnp.mean(x * x))

    def step(g, s, p, lr, t):
        lr, beta = jnp.minimum(lr, jax.lax.rsqrt(t)), 1 - t**-0.8
        square = g * g + 1e-30
        if p.ndim < 2:
            v = beta * s["v"] + (1 - beta) * square
            new = {**s, "v": v}
        else:
            r = beta * s["r"] + (1 - beta) * square.mean(-1)
            c = beta * s["c"] + (1 - beta) * square.mean(-2)
            v = (r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :]
            new = {"r": r, "c": c, "v": v}
        u = g * jax.lax.rsqrt(v)
        u = u / jnp.maximum(1.0, rms(u))
        return -lr * jnp.maximum(1e-3, rms(p)) * u, new

    def mean(axis):
        return lambda p: jnp.zeros_like(p).mean(axis) if p.ndim > 1 else jnp.zeros(())

    return by_hand(rate, step, r=mean(-1), c=mean(-2), v=0.0)


def ftrl(rate):
    def step(g, s, p, lr, t):
        total = s["total"] + g * g
        root, old = jnp.sqrt(total), jnp.sqrt(s["total"])
        linear = s["linear"] + g - (root - old) / lr * p
        return -linear * lr / root - p, {"total": total, "linear": linear}

    return by_hand(rate, step, total=0.1, linear=0.0)


def nadam(rate):
    def step(g, s, p, lr, t):
        u, u_next = 0.9 * (1 - 0.5 * 0.96**t), 0.9 * (1 - 0.5 * 0.96 ** (t + 1))
        product = s["product"] * u
        m = 0.9 * s["m"] + 0.1 * g
        v = 0.999 * s["v"] + 0.001 * g * g
        m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
        update = -lr * m_hat / (jnp.sqrt(v / (1 - 0.999**t)) + EPSILON)
        return update, {"m": m, "v": v, "product": product}

    return by_hand(rate, step, m=0.0, v=0.0, product=lambda p: jnp.ones(()))


def schedule_free(rate):
    def step(g, s, p, lr, t):
        v = 0.999 * s["v"] + 0.001 * g * g
        d = lr * g / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        z = s["z"] - d
        return (z - p) / t - 0.1 * (1 - 1 / t) * d, {"z": z, "v": v}

    return by_hand(rate, step, z=jnp.array, v=0.0)


def orthogonal(x):
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (jnp.linalg.norm(x) + EPSILON)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (2.0315 * square @ square - 4.775 * square) @ x
    return x.T if tall else x


def muon(rate):
    """Keras's weight decay of 0.004 included."""

    def matrix(g, s, p, lr, t):
        m = 0.95 * s["m"] + g
        size = 0.2 * max(p.shape) ** 0.5
        return -lr * (size * orthogonal(0.95 * m + g) + 0.004 * p), {"m": m}

    matrices = by_hand(rate, matrix, m=0.0)
    rest = optax.adamw(rate, eps=EPSILON, weight_decay=0.004)

    def kinds(params):
        return {
            k: "matrix" if p.ndim == 2 and "embedding" not in k else "rest"
            for k, p in params.items()
        }

    return optax.multi_transform({"matrix": matrices, "rest": rest}, kinds)


def adam_and_sgd(rate):
    rules = {"adam": adam(rate), "sgd": sgd(rate)}
    return optax.multi_transform(
        rules,
        lambda tree: {k: "sgd" if k.startswith("conv") else "adam" for k in tree},
    )


def adam(rate):
    return optax.adam(rate, eps=EPSILON)


def sgd(rate):
    return optax.sgd(rate, momentum=0.9)


# One row for each optimizer of Keras.
RULES = {
    "SGD": sgd,
    "RMSprop": lambda rate: optax.rmsprop(rate, eps=EPSILON),
    "Adam": adam,
    "AdamW": lambda rate: optax.adamw(rate, eps=EPSILON, weight_decay=0.004),
    "Adagrad": adagrad,
    "Adadelta": lambda rate: optax.adadelta(rate, rho=0.95, eps=EPSILON),
    "Adafactor": adafactor,
    "Adamax": lambda rate: optax.adamax(rate, eps=EPSILON),
    "Nadam": nadam,
    "Ftrl": ftrl,
    "Lion": lambda rate: optax.lion(rate, weight_decay=0.0),
    "Lamb": lambda rate: optax.lamb(rate, eps=EPSILON),
    "Muon": muon,
    "ScheduleFreeAdamW": schedule_free,
    "LossScaleOptimizer": lambda rate: optax.apply_if_finite(adam(rate), 2**30),
    "MultiOptimizer": adam_and_sgd,
}
