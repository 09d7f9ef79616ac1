"""Layers forwards and backwards: minikeras beside plain JAX and Keras on JAX.

    python -m compat.bench.layers [--only LSTM conv] [--repeats N]

What is timed is a jitted gradient of a training-mode call, in all weights and the
input. The contenders take turns in one process; the best turn counts. The ratios are
theirs : ours, so above 1 ours is faster.
"""

import argparse
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax

import minikeras


def _dense(weights, x):
    kernel, bias = weights
    return jax.nn.relu(x @ kernel + bias)


def _embedding(weights, x):
    return weights[0][x]


def _convolution(rank, strides=1, groups=1):
    space = "DHW"[3 - rank :]
    layout = (f"N{space}C", f"{space}IO", f"N{space}C")

    def run(weights, x):
        kernel, bias = weights
        if groups > 1:
            kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
        y = lax.conv_general_dilated(
            *(x, kernel, (strides,) * rank, "SAME"),
            dimension_numbers=layout,
            feature_group_count=groups,
        )
        return y + bias

    return run


def _transposed(weights, x):
    kernel, bias = weights
    layout = ("NHWC", "HWOI", "NHWC")
    flipped = jnp.flip(kernel, (0, 1))
    y = lax.conv_transpose(x, flipped, (2, 2), "SAME", dimension_numbers=layout)
    return y + bias


def _pool(init, combine):
    def run(weights, x):
        return lax.reduce_window(x, init, combine, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    return run


def _average(weights, x):
    return _pool(0.0, lax.add)(weights, x) / 4


def _batch_normalization(weights, x):
    gamma, beta, *_ = weights
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) * (lax.rsqrt(variance + 1e-3) * gamma) + beta


def _layer_normalization(weights, x):
    gamma, beta = weights
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-3) * gamma + beta


def _scanned(step, state, x):
    return lax.scan(step, state, jnp.moveaxis(x, 1, 0))[1]


def _simple_rnn(weights, x):
    kernel, recurrent, bias = weights

    def step(h, z):
        h = jnp.tanh(z + h @ recurrent)
        return h, h

    return _scanned(step, jnp.zeros((len(x), len(recurrent))), x @ kernel + bias)


def _lstm(weights, x):
    kernel, recurrent, bias = weights

    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((len(x), len(recurrent)))
    return _scanned(step, (zeros, zeros), x @ kernel + bias)


def _gru(weights, x):
    kernel, recurrent, (bias, own_bias) = weights

    def step(h, z):
        zx, rx, nx = jnp.split(z, 3, -1)
        zh, rh, nh = jnp.split(h @ recurrent + own_bias, 3, -1)
        z, r = jax.nn.sigmoid(zx + zh), jax.nn.sigmoid(rx + rh)
        h = z * h + (1 - z) * jnp.tanh(nx + r * nh)
        return h, h

    return _scanned(step, jnp.zeros((len(x), len(recurrent))), x @ kernel + bias)


def _attention(weights, x):
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = zip(*[iter(weights)] * 2, strict=True)
    query = jnp.einsum("btd,dhk->bthk", x, wq) + bq
    key = jnp.einsum("btd,dhk->bthk", x, wk) + bk
    value = jnp.einsum("btd,dhk->bthk", x, wv) + bv
    scores = jnp.einsum("bthk,bshk->bhts", query / np.sqrt(wq.shape[-1]), key)
    mixed = jnp.einsum("bhts,bshk->bthk", jax.nn.softmax(scores), value)
    return jnp.einsum("bthk,hkd->btd", mixed, wo) + bo


def normal(*shape):
    """Random floats."""
    return jnp.asarray(np.random.default_rng(0).normal(size=shape).astype("float32"))


IMAGE, SEQUENCE = normal(32, 28, 28, 16), normal(64, 80, 64)
SAME = {"padding": "same"}
# {title: (class, arguments, input, by hand, how the layer is called)}
ROWS = {
    "dense 784 -> 256": (
        *("Dense", {"units": 256, "activation": "relu"}, normal(128, 784), _dense),
    ),
    "dense, embedding": (
        *("Embedding", {"input_dim": 5000, "output_dim": 64}),
        *(jnp.arange(64 * 80).reshape(64, 80) * 37 % 5000, _embedding),
    ),
    "conv 1-D": (
        *("Conv1D", {"filters": 64, "kernel_size": 5, **SAME}, SEQUENCE),
        _convolution(1),
    ),
    "conv 2-D": (
        *("Conv2D", {"filters": 32, "kernel_size": 3, **SAME}, IMAGE),
        _convolution(2),
    ),
    "conv 2-D, strides 2": (
        *("Conv2D", {"filters": 32, "kernel_size": 3, "strides": 2, **SAME}, IMAGE),
        _convolution(2, strides=2),
    ),
    "conv, transposed": (
        *("Conv2DTranspose", {"filters": 8, "kernel_size": 3, "strides": 2, **SAME}),
        *(IMAGE, _transposed),
    ),
    "conv, depthwise": (
        *("DepthwiseConv2D", {"kernel_size": 3, **SAME}, IMAGE),
        _convolution(2, groups=16),
    ),
    "pooling, max": ("MaxPooling2D", {}, IMAGE, _pool(-jnp.inf, lax.max)),
    "pooling, average": ("AveragePooling2D", {"pool_size": 2}, IMAGE, _average),
    "pooling, global": (
        *("GlobalAveragePooling2D", {}, IMAGE, lambda weights, x: x.mean((1, 2))),
    ),
    "norm, batch": ("BatchNormalization", {}, IMAGE, _batch_normalization),
    "norm, layer": ("LayerNormalization", {}, SEQUENCE, _layer_normalization),
    "recurrent, SimpleRNN": (
        *("SimpleRNN", {"units": 64, "return_sequences": True}, SEQUENCE, _simple_rnn),
    ),
    "recurrent, LSTM": (
        *("LSTM", {"units": 64, "return_sequences": True}, SEQUENCE, _lstm),
    ),
    "recurrent, GRU": (
        *("GRU", {"units": 64, "return_sequences": True}, SEQUENCE, _gru),
    ),
    "attention, 4 heads of 16": (
        *("MultiHeadAttention", {"num_heads": 4, "key_dim": 16}, SEQUENCE, _attention),
    ),
}


def gradient(function, floats):
    """Jitted: of a sum of squares that gives every channel another weight."""

    def loss(weights, x):
        y = function(weights, x)
        return jnp.sum(y * y * jnp.linspace(-1, 2, y.shape[-1]))

    return jax.jit(jax.grad(loss, (0, 1) if floats else 0))


def program(package, name, settings, x):
    """(gradient of the layer of that package, its weights)."""
    layer = getattr(package.layers, name)(**settings)
    inputs = (x, x) if name == "MultiHeadAttention" else (x,)
    layer(*inputs)
    others = [v.value for v in layer.non_trainable_variables]

    def run(weights, x):
        inputs = (x, x) if name == "MultiHeadAttention" else (x,)
        spec = layer.call.__code__.co_varnames
        mode = {"training": True} if "training" in spec else {}
        return layer.stateless_call(weights, others, *inputs, **mode)[0]

    weights = [v.value for v in layer.trainable_variables]
    return gradient(run, jnp.issubdtype(x.dtype, jnp.floating)), weights


def seconds(function, arguments, calls):
    """Of one call."""
    start = time.perf_counter()
    for _ in range(calls):
        out = function(*arguments)
    jax.block_until_ready(out)
    return (time.perf_counter() - start) / calls


def measure(title, repeats):
    """Best seconds: (ours, by hand, Keras's)."""
    name, settings, x, hand = ROWS[title]
    ours, weights = program(minikeras, name, settings, x)
    theirs, _ = program(keras, name, settings, x)
    by_hand = gradient(hand, jnp.issubdtype(x.dtype, jnp.floating))
    functions = (ours, by_hand, theirs)
    for function in functions:  # compile
        jax.block_until_ready(function(weights, x))
    calls = max(1, int(0.05 / seconds(ours, (weights, x), 2)))
    turns = [
        [seconds(f, (weights, x), calls) for f in functions] for _ in range(repeats)
    ]
    return [min(times) for times in zip(*turns, strict=True)]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], help="parts of titles")
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    names = "".join(f"{name:>10}" for name in ("ours", "by hand", "Keras"))
    print(f"{'ms a gradient':28}{names}  by hand:ours  Keras:ours")
    for title in ROWS:
        if any(part in title for part in arguments.only):
            times = measure(title, arguments.repeats)
            ours, hand, theirs = times
            cells = "".join(f"{t * 1e3:10.2f}" for t in times)
            ratios = f"{hand / ours:13.2f}x{theirs / ours:11.2f}x"
            print(f"{title:28}{cells}{ratios}", flush=True)


if __name__ == "__main__":
    main()
