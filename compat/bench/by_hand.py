"""The workloads in plain JAX and optax, as a competent person writes them.

The state stays on the device and is donated to each step; batches are cut out of
shuffled numpy arrays; losses are fetched once an epoch.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from compat.bench.workloads import WORKLOADS

SIZES = {"tiny": [64, 32, 10], "mlp": [784, 256, 128, 10], "convnet": [1600, 10]}


def glorot(key, shape):
    return jax.nn.initializers.glorot_uniform()(key, shape, jnp.float32)


def dense_params(key, sizes):
    shapes = list(zip(sizes, sizes[1:], strict=False))
    keys = jax.random.split(key, len(shapes))
    return [
        {"w": glorot(k, shape), "b": jnp.zeros(shape[1])}
        for k, shape in zip(keys, shapes, strict=True)
    ]


def init(name, key):
    """(params, moving statistics of batch normalization)."""
    params = {"dense": dense_params(key, SIZES[name])}
    stats = {}
    if name == "mlp":
        params["scale"], params["shift"] = jnp.ones(128), jnp.zeros(128)
        stats = {"mean": jnp.zeros(128), "var": jnp.ones(128)}
    if name == "convnet":
        keys = jax.random.split(key, 2)
        shapes = [(3, 3, 1, 32), (3, 3, 32, 64)]
        params["conv"] = [
            {"w": glorot(k, shape), "b": jnp.zeros(shape[-1])}
            for k, shape in zip(keys, shapes, strict=True)
        ]
    return params, stats


def dense(x, p):
    return x @ p["w"] + p["b"]


def tiny(params, stats, x, key, training):
    first, last = params["dense"]
    return dense(jax.nn.relu(dense(x, first)), last), stats


def mlp(params, stats, x, key, training):
    first, second, last = params["dense"]
    x = jax.nn.relu(dense(x, first))
    if training:
        x = jnp.where(jax.random.bernoulli(key, 0.8, x.shape), x / 0.8, 0.0)
    x = jax.nn.relu(dense(x, second))
    mean, var = stats["mean"], stats["var"]
    if training:
        mean, var = x.mean(0), x.var(0)
        stats = {
            "mean": 0.99 * stats["mean"] + 0.01 * mean,
            "var": 0.99 * stats["var"] + 0.01 * var,
        }
    x = (x - mean) * lax.rsqrt(var + 1e-3) * params["scale"] + params["shift"]
    return dense(x, last), stats


def convnet(params, stats, x, key, training):
    for p in params["conv"]:
        x = lax.conv_general_dilated(
            x, p["w"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + p["b"])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return dense(x.reshape(len(x), -1), params["dense"][0]), stats


FORWARD = {"tiny": tiny, "mlp": mlp, "convnet": convnet}


class Contender:
    """One workload, ready to be timed."""

    def __init__(self, name):
        self.workload = WORKLOADS[name]
        self.x, self.y = self.workload.data()
        forward, optimizer = FORWARD[name], optax.adam(1e-3, eps=1e-7)

        def loss_fn(params, stats, x, y, key):
            logits, stats = forward(params, stats, x, key, True)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
            return losses.mean(), (stats, (logits.argmax(-1) == y).mean())

        @functools.partial(jax.jit, donate_argnums=0)
        def step(state, x, y):
            params, stats, slots, key, totals = state
            key, own = jax.random.split(key)
            grad_fn = jax.value_and_grad(loss_fn, has_aux=True)
            (loss, (stats, accuracy)), grads = grad_fn(params, stats, x, y, own)
            updates, slots = optimizer.update(grads, slots, params)
            params = optax.apply_updates(params, updates)
            totals = totals + jnp.stack([loss, accuracy])
            return params, stats, slots, key, totals

        self.step = step
        self.forward = jax.jit(lambda p, s, x: forward(p, s, x, None, False)[0])
        params, stats = init(name, jax.random.key(0))
        slots = optimizer.init(params)
        self.state = (params, stats, slots, jax.random.key(1), jnp.zeros(2))

    def epochs(self, count):
        """Train; returns the seconds each epoch took."""
        return [self.epoch() for _ in range(count)]

    def epoch(self):
        start, batch = time.perf_counter(), self.workload.batch
        order = np.random.permutation(len(self.x))
        self.state = (*self.state[:4], jnp.zeros(2))
        for i in range(0, len(order), batch):
            rows = order[i : i + batch]
            self.state = self.step(self.state, self.x[rows], self.y[rows])
        self.loss, self.accuracy = np.asarray(self.state[-1]) / self.workload.steps
        return time.perf_counter() - start

    def predict_one(self):
        """The logits of one sample, as a numpy array."""
        return np.asarray(self.forward(*self.state[:2], self.x[:1]))
