# runs on: keras-jax
"""Lesson 1: Rosenblatt's perceptron in NumPy, logistic regression, then Keras."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
n = 200
X = rng.normal(size=(n, 2)).astype("float32")
y = (X @ [1.5, -2.0] + 0.3 > 0).astype("float32")
margin = np.abs(X @ [1.5, -2.0] + 0.3) > 0.3
X, y = X[margin], y[margin]

# 1. The perceptron: move the line whenever a point lies on its wrong side.
w, b, mistakes = np.zeros(2), 0.0, []
for epoch in range(20):
    wrong = 0
    for xi, target in zip(X, y):
        update = target - float(xi @ w + b > 0)
        w += update * xi
        b += update
        wrong += int(update != 0)
    mistakes.append(wrong)
    if wrong == 0:
        break
print("mistakes per epoch:", mistakes)
assert mistakes[-1] == 0


# 2. Logistic regression by gradient descent: the whole batch, the mean loss.
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def descend(X, y, w, b, rate, steps):
    losses = []
    for _ in range(steps):
        p = sigmoid(X @ w + b)
        losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
        error = p - y
        w = w - rate * X.T @ error / len(X)
        b = b - rate * error.mean()
    return w, b, losses


start = np.array([0.1, -0.1])
w, b, losses = descend(X, y, start, 0.0, rate=0.5, steps=50)
print("NumPy:", w, b, "loss", losses[-1])

# 3. The same in Keras, from the same start.
model = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")]
)
model.layers[0].set_weights([start[:, None], np.zeros(1)])
model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(X, y, batch_size=len(X), epochs=50, verbose=0)
kernel, bias = model.layers[0].get_weights()
print("Keras:", kernel.ravel(), bias, "loss", history.history["loss"][-1])
np.testing.assert_allclose(kernel.ravel(), w, rtol=1e-3)
np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-3)
assert history.history["accuracy"][-1] > 0.95

# 4. What Keras chooses by itself, in small batches.
model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
short = model.fit(X, y, epochs=3, batch_size=16, verbose=0)
print("RESULT", [*kernel.ravel().tolist(), float(bias[0]), *short.history["loss"]])
