# runs on: keras-jax
"""Lesson 3: SGD, momentum, Nesterov, RMSprop, Adam: each by hand and by Keras."""

import keras
import numpy as np

curvature = np.array([1.0, 12.0], "float32")  # a narrow valley
start = np.array([2.0, 1.0], "float32")
steps = 30


def gradient(w):
    return curvature * w


def sgd(rate, momentum=0.0, nesterov=False):
    w, v, path = start.copy(), 0.0, []
    for _ in range(steps):
        g = gradient(w)
        v = momentum * v - rate * g
        w = w + (momentum * v - rate * g if nesterov else v)
        path.append(w)
    return np.array(path)


def rmsprop(rate, rho=0.9, epsilon=1e-7):
    w, s, path = start.copy(), 0.0, []
    for _ in range(steps):
        g = gradient(w)
        s = rho * s + (1 - rho) * g**2
        w = w - rate * g / np.sqrt(s + epsilon)
        path.append(w)
    return np.array(path)


def adam(rate, b1=0.9, b2=0.999, epsilon=1e-7):
    w, m, s, path = start.copy(), 0.0, 0.0, []
    for t in range(1, steps + 1):
        g = gradient(w)
        m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
        scale = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        w = w - scale * m / (np.sqrt(s) + epsilon)
        path.append(w)
    return np.array(path)


def by_keras(optimizer):
    w, path = keras.Variable(start, name="w"), []
    for _ in range(steps):
        optimizer.apply([gradient(keras.ops.convert_to_numpy(w))], [w])
        path.append(keras.ops.convert_to_numpy(w).copy())
    return np.array(path)


o = keras.optimizers
pairs = {
    "sgd": (sgd(0.05), o.SGD(0.05)),
    "momentum": (sgd(0.05, 0.9), o.SGD(0.05, momentum=0.9)),
    "nesterov": (sgd(0.05, 0.9, True), o.SGD(0.05, momentum=0.9, nesterov=True)),
    "rmsprop": (rmsprop(0.1), o.RMSprop(0.1)),
    "adam": (adam(0.1), o.Adam(0.1)),
}
ends = {}
for name, (by_hand, optimizer) in pairs.items():
    path = by_keras(optimizer)
    np.testing.assert_allclose(path, by_hand, rtol=2e-3, atol=2e-4, err_msg=name)
    ends[name] = float(np.sum(curvature * path[-1] ** 2) / 2)
    print("%-9s ends at %s, loss %.5f" % (name, path[-1], ends[name]))
first = float(np.sum(curvature * start**2) / 2)
assert all(end < first / 10 for end in ends.values())

# The same on a net and minibatches, with a schedule too.
rng = np.random.default_rng(2)
X = rng.normal(size=(256, 6)).astype("float32")
Y = np.sin(X @ rng.normal(size=(6, 1))).astype("float32")
decay = o.schedules.ExponentialDecay(0.1, decay_steps=20, decay_rate=0.8)
kinds = {
    "sgd": lambda: o.SGD(0.05),
    "momentum": lambda: o.SGD(decay, momentum=0.9),
    "adam": lambda: o.Adam(0.01),
}
curves = {}
for name, make in kinds.items():
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(24, "tanh")])
    model.add(keras.layers.Dense(1))
    model.compile(make(), loss="mse")
    curves[name] = model.fit(X, Y, epochs=8, batch_size=32, verbose=0).history["loss"]
    assert curves[name][-1] < 0.9 * curves[name][0], name
    assert int(model.optimizer.iterations) == 64
    print("%-9s %.4f -> %.4f" % (name, curves[name][0], curves[name][-1]))
assert curves["momentum"][-1] < curves["sgd"][-1]
print("RESULT", [*ends.values(), *(curve[-1] for curve in curves.values())])
