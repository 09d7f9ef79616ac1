"""The workloads as pairs of functions in plain JAX, as a competent person writes them.

`init(key) -> (params, stats)` and `forward(params, stats, x, key) -> (outputs, stats)`;
`stats` are the moving statistics of batch normalization, `key` is None outside
training. Initial weights have the distributions of Keras's defaults.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from compat.bench.workloads import find

glorot = jax.nn.initializers.glorot_uniform()
orthogonal = jax.nn.initializers.orthogonal()

# -- pieces ----------------------------------------------------------------------------


def dense_params(key, *shape, biases=1):
    """Kernel (*shape) and a bias of its last axes."""
    return {"w": glorot(key, shape), "b": jnp.zeros(shape[-biases:])}


def dense(x, p):
    return x @ p["w"] + p["b"]


def dropout(x, rate, key):
    if key is None:
        return x
    kept = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(kept, x / (1 - rate), 0)


def norm_params(width):
    return {"scale": jnp.ones(width), "shift": jnp.zeros(width)}


def norm_stats(width):
    return {"mean": jnp.zeros(width), "var": jnp.ones(width)}


def moments(x, axes, keepdims=False):
    """Mean and variance in one pass over x."""
    mean = x.mean(axes, keepdims=keepdims)
    return mean, jnp.square(x).mean(axes, keepdims=keepdims) - mean * mean


def batch_norm(x, p, stats, training):
    wide = x.astype("float32")
    mean, var = stats["mean"], stats["var"]
    if training:
        mean, var = moments(wide, tuple(range(x.ndim - 1)))
        new = {"mean": mean, "var": var}
        stats = {name: 0.99 * stats[name] + 0.01 * new[name] for name in stats}
    scale = p["scale"] * lax.rsqrt(var + 1e-3)
    return (wide * scale + (p["shift"] - mean * scale)).astype(x.dtype), stats


def layer_norm(x, p):
    wide = x.astype("float32")
    mean, var = moments(wide, -1, keepdims=True)
    y = (wide - mean) * lax.rsqrt(var + 1e-3) * p["scale"] + p["shift"]
    return y.astype(x.dtype)


def conv(x, kernel, strides=1, padding="SAME"):
    layout = ("NHWC", "HWIO", "NHWC")
    strides = (strides, strides)
    return lax.conv_general_dilated(
        x, kernel, strides, padding, dimension_numbers=layout
    )


def max_pool(x):
    window, low = (1, 2, 2, 1), np.array(-np.inf, x.dtype)
    return lax.reduce_window(x, low, lax.max, window, window, "VALID")


# -- networks --------------------------------------------------------------------------


def dense_stack(*widths, activation=lambda x: x):
    def init(key):
        keys = jax.random.split(key, len(widths))
        shapes = zip(keys, widths, widths[1:], strict=False)
        return [dense_params(*shape) for shape in shapes], {}

    def forward(params, stats, x, key):
        for p in params[:-1]:
            x = jax.nn.relu(dense(x, p))
        return activation(dense(x, params[-1])), stats

    return init, forward


def mlp():
    init_dense, _ = dense_stack(784, 256, 128, 10)

    def init(key):
        return {"dense": init_dense(key)[0], "norm": norm_params(128)}, norm_stats(128)

    def forward(params, stats, x, key):
        first, second, last = params["dense"]
        x = dropout(jax.nn.relu(dense(x, first)), 0.2, key)
        x = jax.nn.relu(dense(x, second))
        x, stats = batch_norm(x, params["norm"], stats, key is not None)
        return dense(x, last), stats

    return init, forward


def convnet():
    def init(key):
        k1, k2, k3 = jax.random.split(key, 3)
        convs = [dense_params(k1, 3, 3, 1, 32), dense_params(k2, 3, 3, 32, 64)]
        return {"conv": convs, "dense": dense_params(k3, 1600, 10)}, {}

    def forward(params, stats, x, key):
        for p in params["conv"]:
            x = max_pool(jax.nn.relu(conv(x, p["w"], padding="VALID") + p["b"]))
        return dense(x.reshape(len(x), -1), params["dense"]), stats

    return init, forward


def resnet():
    # {name: (size, filters in, filters out, strides)}
    convs = {"stem": (3, 3, 16, 1)}
    for i, (n_in, n_out, strides) in enumerate(((16, 16, 1), (16, 32, 2), (32, 64, 2))):
        convs[f"{i}a"] = (3, n_in, n_out, strides)
        convs[f"{i}b"] = (3, n_out, n_out, 1)
        if strides > 1:
            convs[f"{i}short"] = (1, n_in, n_out, strides)

    def init(key):
        params, stats = {"dense": dense_params(key, 64, 10)}, {}
        keys = jax.random.split(key, len(convs))
        for own, (name, (size, n_in, n_out, _)) in zip(
            keys, convs.items(), strict=True
        ):
            kernel = glorot(own, (size, size, n_in, n_out))
            params[name] = {"w": kernel, **norm_params(n_out)}
            stats[name] = norm_stats(n_out)
        return params, stats

    def forward(params, stats, x, key):
        new = {}

        def layer(name, x):
            y = conv(x, params[name]["w"], convs[name][-1])
            y, new[name] = batch_norm(y, params[name], stats[name], key is not None)
            return y

        x = jax.nn.relu(layer("stem", x))
        for i in range(3):
            y = layer(f"{i}b", jax.nn.relu(layer(f"{i}a", x)))
            short = layer(f"{i}short", x) if f"{i}short" in convs else x
            x = jax.nn.relu(short + y)
        return dense(x.mean((1, 2)), params["dense"]), new

    return init, forward


def uniform(key, *shape):
    return jax.random.uniform(key, shape, minval=-0.05, maxval=0.05)


def lstm_step(p, state, z):
    h, c = state
    i, f, g, o = jnp.split(z + h @ p["u"], 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None


def gru_step(p, state, z):
    (h,) = state
    z_update, z_reset, z_new = jnp.split(z, 3, -1)
    h_update, h_reset, h_new = jnp.split(h @ p["u"] + p["bu"], 3, -1)
    update = jax.nn.sigmoid(z_update + h_update)
    new = jnp.tanh(z_new + jax.nn.sigmoid(z_reset + h_reset) * h_new)
    return (update * h + (1 - update) * new,), None


def recurrent(step, states, gates, units=64):
    """Embedding, a scan over time with all inputs projected before it, a logit."""

    def init(key):
        k1, k2, k3, k4 = jax.random.split(key, 4)
        cell = dense_params(k2, units, gates * units)
        cell["u"] = orthogonal(k3, (units, gates * units))
        if step is lstm_step:  # a forget gate starts open
            cell["b"] = cell["b"].at[units : 2 * units].set(1.0)
        else:
            cell["bu"] = jnp.zeros(gates * units)
        table = uniform(k1, find("lstm").vocabulary, units)
        return {"table": table, "cell": cell, "dense": dense_params(k4, units, 1)}, {}

    def forward(params, stats, x, key):
        p = params["cell"]
        z = dense(params["table"][x.T], p)  # (time, batch, gates x units)
        zeros = (jnp.zeros((len(x), units), z.dtype),) * states
        (h, *_), _ = lax.scan(lambda state, z: step(p, state, z), zeros, z)
        return dense(h, params["dense"]), stats

    return init, forward


def attention(x, p):
    q, k, v = (jnp.einsum("btd,dhk->bthk", x, p[n]["w"]) + p[n]["b"] for n in "qkv")
    scores = jnp.einsum("bthk,bshk->bhts", q * q.shape[-1] ** -0.5, k)
    weights = jax.nn.softmax(scores.astype("float32")).astype(x.dtype)
    mixed = jnp.einsum("bhts,bshk->bthk", weights, v)
    return jnp.einsum("bthk,hkd->btd", mixed, p["o"]["w"]) + p["o"]["b"]


def transformer(width=128, heads=4, blocks=2):
    workload = find("transformer")

    def init_block(key):
        keys = jax.random.split(key, 6)
        size = (heads, width // heads)
        inner = {
            name: dense_params(k, width, *size, biases=2)
            for name, k in zip("qkv", keys, strict=False)
        }
        inner["o"] = dense_params(keys[3], *size, width)
        return {
            "attention": inner,
            "up": dense_params(keys[4], width, 2 * width),
            "down": dense_params(keys[5], 2 * width, width),
            "norms": [norm_params(width), norm_params(width)],
        }

    def init(key):
        keys = jax.random.split(key, 3 + blocks)
        params = {
            "table": uniform(keys[0], workload.vocabulary, width),
            "positions": uniform(keys[1], *workload.shape, width),
            "dense": dense_params(keys[2], width, 1),
            "blocks": [init_block(k) for k in keys[3:]],
        }
        return params, {}

    def forward(params, stats, x, key):
        keys = iter([None] * 4 if key is None else jax.random.split(key, 2 * blocks))
        x = params["table"][x] + params["positions"]
        for p in params["blocks"]:
            y = dropout(attention(x, p["attention"]), 0.1, next(keys))
            x = layer_norm(x + y, p["norms"][0])
            y = dense(jax.nn.relu(dense(x, p["up"])), p["down"])
            x = layer_norm(x + dropout(y, 0.1, next(keys)), p["norms"][1])
        return dense(x.mean(1), params["dense"]), stats

    return init, forward


NETWORKS = {
    "mlp": mlp,
    "convnet": convnet,
    "resnet": resnet,
    "lstm": lambda: recurrent(lstm_step, states=2, gates=4),
    "gru": lambda: recurrent(gru_step, states=1, gates=3),
    "transformer": transformer,
    "autoencoder": lambda: dense_stack(
        *(784, 128, 32, 128, 784), activation=jax.nn.sigmoid
    ),
}


def network(name):
    """(init, forward) of the workload called `name`."""
    if name in NETWORKS:
        return NETWORKS[name]()
    workload = find(name)
    return dense_stack(*workload.shape, *workload.hidden, workload.outputs)
