# runs on: keras-jax
"""Lesson 2: activations and losses, their formulas and what they do to learning."""

import keras
import numpy as np
from keras import activations, layers, losses, ops

x = np.linspace(-3, 3, 13).astype("float32")
formulas = {
    "relu": np.maximum(x, 0),
    "sigmoid": 1 / (1 + np.exp(-x)),
    "tanh": np.tanh(x),
    "softplus": np.log1p(np.exp(x)),
    "elu": np.where(x > 0, x, np.exp(x) - 1),
    "leaky_relu": np.where(x > 0, x, 0.2 * x),
    "silu": x / (1 + np.exp(-x)),
    "hard_sigmoid": np.clip(x / 6 + 0.5, 0, 1),
    "softsign": x / (1 + np.abs(x)),
}
for name, expected in formulas.items():
    found = ops.convert_to_numpy(activations.get(name)(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=name)

# Losses, by hand.
y_true = np.array([[0, 1, 0], [1, 0, 0]], "float32")
logits = np.array([[0.2, 1.0, -0.5], [0.3, 0.4, 0.1]], "float32")
p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
t, s = np.array([[1.0], [0.0], [1.0]]), np.array([[0.9], [0.4], [0.3]])
error = s - t
by_hand = {
    losses.CategoricalCrossentropy(): (y_true, p, -np.log(p[y_true > 0]).mean()),
    losses.CategoricalCrossentropy(from_logits=True): (
        y_true, logits, -np.log(p[y_true > 0]).mean()),
    losses.SparseCategoricalCrossentropy(): (
        np.array([1, 0]), p, -(np.log(p[0, 1]) + np.log(p[1, 0])) / 2),
    losses.BinaryCrossentropy(): (
        t, s, -np.mean(t * np.log(s) + (1 - t) * np.log(1 - s))),
    losses.MeanSquaredError(): (t, s, np.mean(error**2)),
    losses.MeanAbsoluteError(): (t, s, np.mean(np.abs(error))),
    losses.Huber(delta=0.5): (
        t, s, np.mean(np.where(np.abs(error) < 0.5, error**2 / 2,
                               0.5 * (np.abs(error) - 0.25)))),
    losses.Hinge(): (2 * t - 1, s, np.mean(np.maximum(0, 1 - (2 * t - 1) * s))),
    losses.KLDivergence(): (
        p[:, ::-1].copy(), p, np.mean(np.sum(p[:, ::-1] * np.log(p[:, ::-1] / p), 1))),
}  # fmt: skip
values = []
for loss, (truth, guess, expected) in by_hand.items():
    values.append(float(loss(truth, guess)))
    print("%-32s %.5f" % (type(loss).__name__, values[-1]))
    np.testing.assert_allclose(values[-1], expected, rtol=1e-4)

# Learning: a circle in a square, by hidden layers of each kind.
rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (300, 2)).astype("float32")
inside = (np.sum(X**2, 1) < 0.5).astype("float32")
accuracies = {}
for activation in ("linear", "sigmoid", "tanh", "relu", "gelu"):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((2,))])
    model.add(layers.Dense(12, activation=activation))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy",
                  metrics=["accuracy"])  # fmt: skip
    fitted = model.fit(X, inside, epochs=12, batch_size=30, verbose=0)
    accuracies[activation] = fitted.history["accuracy"][-1]
print(accuracies)
assert accuracies["relu"] > 0.85 and accuracies["tanh"] > 0.85
assert accuracies["linear"] < accuracies["relu"] - 0.1
print("RESULT", values)
