"""The workloads in plain JAX and optax, in three loops; the fastest one counts.

host: a jitted step with a donated state, fed with batches of shuffled numpy arrays.
device: the same, of data that lies on the device, shuffled there once an epoch.
scan: a whole epoch on the device in one call.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from compat.bench.hand_images import NETWORKS as OF_IMAGES
from compat.bench.hand_networks import network
from compat.bench.workloads import find

LOOPS = ("host", "device", "scan")
# Steps from this long on, in seconds, are first tried in short scans: on CPUs, XLA
# runs the body of a loop with less parallelism, some bodies 10 times slower.
_LONG = 0.005
# Longer ones are not tried at all: a loop over them would take minutes.
_TOO_LONG = 0.5
# Loops this many times slower than the best at the first try drop out.
_HOPELESS = 1.5
_SCALE = 2.0**15  # of float16 losses, whose gradients would underflow


def _classes(outputs, y):
    losses = optax.softmax_cross_entropy_with_integer_labels(outputs, y)
    return losses.mean(), (outputs.argmax(-1) == y).mean()


def _binary(outputs, y):
    losses = optax.sigmoid_binary_cross_entropy(outputs, y)
    return losses.mean(), ((outputs > 0) == (y > 0.5)).mean()


def _images(outputs, y):
    error = outputs - y
    return jnp.square(error).mean(), lax.stop_gradient(jnp.abs(error)).mean()


TASKS = {"classes": _classes, "binary": _binary, "images": _images, "pairs": _binary}


def _cast(tree, dtype):
    def to(a):
        return a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a

    return jax.tree_util.tree_map(to, tree)


def steps(name, policy):
    """(init, train, test, predict): the pure functions of one workload."""
    init, forward = OF_IMAGES[name]() if name in OF_IMAGES else network(name)
    measure = TASKS[find(name).task]
    dtype = policy.removeprefix("mixed_")
    scale = _SCALE if dtype == "float16" else 1.0
    optimizer = optax.adam(1e-3, eps=1e-7)
    if scale != 1:
        optimizer = optax.apply_if_finite(optimizer, 1 << 30)

    def run(params, stats, x, key):
        outputs, stats = forward(_cast(params, dtype), stats, _cast(x, dtype), key)
        return outputs.astype("float32"), stats

    def loss_fn(params, stats, x, y, key):
        outputs, stats = run(params, stats, x, key)
        loss, metric = measure(outputs, y)
        loss = loss + stats.get("loss", 0.0)
        return loss * scale, (stats, jnp.stack([loss, metric]))

    def start(key):
        params, stats = init(key)
        return params, stats, optimizer.init(params), key, jnp.zeros(2)

    def train(state, x, y):
        params, stats, slots, key, totals = state
        key, own = jax.random.split(key)
        grad_fn = jax.grad(loss_fn, has_aux=True)
        grads, (stats, found) = grad_fn(params, stats, x, y, own)
        if scale != 1:
            grads = jax.tree_util.tree_map(lambda g: g / scale, grads)
        updates, slots = optimizer.update(grads, slots, params)
        return optax.apply_updates(params, updates), stats, slots, key, totals + found

    def test(params, stats, totals, x, y):
        return totals + loss_fn(params, stats, x, y, None)[1][1]

    return start, train, test, lambda p, s, x: run(p, s, x, None)[0]


class Contender:
    """One workload, ready to be timed."""

    def __init__(self, name, policy="float32", loops=LOOPS):
        self.workload = find(name)
        self.x, self.y = self.workload.data()
        start, train, test, predict = steps(name, policy)
        self.start = jax.jit(start)
        self.step = jax.jit(train, donate_argnums=0)
        self.test, self.forward = jax.jit(test), jax.jit(predict)
        size = self.workload.batch

        @functools.partial(jax.jit, donate_argnums=0)
        def cut_step(state, x, y, begin):
            x, y = (lax.dynamic_slice_in_dim(a, begin, size) for a in (x, y))
            return train(state, x, y)

        @functools.partial(jax.jit, donate_argnums=0)
        def scanned(state, x, y):
            batches = [a.reshape(-1, size, *a.shape[1:]) for a in (x, y)]
            return lax.scan(lambda s, b: (train(s, *b), None), state, batches)[0]

        self.cut_step, self.scanned = cut_step, scanned
        self.take = jax.jit(lambda x, y, order: (x[order], y[order]))
        self.loops = loops
        self.state = self.start(jax.random.key(0))
        self.parameters = sum(p.size for p in jax.tree_util.tree_leaves(self.state[0]))
        if loops != ("host",):
            self.data = jax.device_put((self.x, self.y))

    def drop_hopeless(self):
        """Compile the loops, and keep those that come near the fastest one."""
        self.epochs(1, "host")
        seconds = {"host": self.epochs(1, "host")[0]}
        for loop in self.loops[1:]:
            step = seconds["host"] / self.workload.steps
            if loop == "scan" and step > _TOO_LONG:
                continue
            if loop == "scan" and step > _LONG:
                short = 2 * self.workload.batch / self.workload.samples
                self._scan_some(2)
                seconds[loop] = self._scan_some(2) / short
                if seconds[loop] > _HOPELESS * min(seconds.values()):
                    continue
            self.epochs(1, loop)
            seconds[loop] = self.epochs(1, loop)[0]
        limit = _HOPELESS * min(seconds.values())
        self.loops = tuple(
            loop for loop in self.loops if seconds.get(loop, limit + 1) <= limit
        )

    def _scan_some(self, count):
        """Seconds of a scan over `count` batches."""
        begin, rows = time.perf_counter(), count * self.workload.batch
        self.state = self.scanned(self.state, self.data[0][:rows], self.data[1][:rows])
        jax.block_until_ready(self.state)
        return time.perf_counter() - begin

    def epochs(self, count, loop=None):
        """Train; returns the seconds each epoch took."""
        run = getattr(self, f"_{loop or self.loops[0]}")
        return [self._epoch(run) for _ in range(count)]

    def _epoch(self, run):
        begin = time.perf_counter()
        order = np.random.permutation(len(self.x))
        self.state = (*self.state[:4], jnp.zeros(2))
        run(order)
        self.loss, _ = (np.asarray(self.state[-1]) / self.workload.steps).tolist()
        return time.perf_counter() - begin

    def _host(self, order):
        batch = self.workload.batch
        for i in range(0, len(order), batch):
            rows = order[i : i + batch]
            self.state = self.step(self.state, self.x[rows], self.y[rows])

    def _device(self, order):
        x, y = self.take(*self.data, order)
        for i in range(0, len(order), self.workload.batch):
            self.state = self.cut_step(self.state, x, y, i)

    def _scan(self, order):
        self.state = self.scanned(self.state, *self.take(*self.data, order))

    def _batches(self, *arrays):
        size = self.workload.batch
        for i in range(0, len(self.x), size):
            yield [a[i : i + size] for a in arrays]

    def evaluate(self):
        """[loss, metric] on all samples."""
        totals = np.zeros(2, "float32")
        for x, y in self._batches(self.x, self.y):
            totals = self.test(*self.state[:2], totals, x, y)
        return (np.asarray(totals) / self.workload.steps).tolist()

    def predict(self):
        """The outputs for all samples, as a numpy array."""
        parts = [self.forward(*self.state[:2], x) for (x,) in self._batches(self.x)]
        return np.concatenate(jax.device_get(parts))

    def predict_one(self):
        """The output for one sample, as a numpy array."""
        return np.asarray(self.forward(*self.state[:2], self.x[:1]))
