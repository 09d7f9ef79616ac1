# runs on: tensorflow
"""Lesson 5: backpropagation by hand, against differences and against the tape."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(3)
X = rng.normal(size=(12, 4)).astype("float32")
labels = rng.integers(0, 3, 12)
Y = np.eye(3, dtype="float32")[labels]
W1 = rng.normal(0, 0.5, (4, 5)).astype("float32")
b1 = rng.normal(0, 0.1, 5).astype("float32")
W2 = rng.normal(0, 0.5, (5, 3)).astype("float32")
b2 = np.zeros(3, "float32")


def forward(W1, b1, W2, b2):
    hidden = np.tanh(X @ W1 + b1)
    scores = hidden @ W2 + b2
    e = np.exp(scores - scores.max(1, keepdims=True))
    return hidden, e / e.sum(1, keepdims=True)


def loss_of(*weights):
    return -np.mean(np.sum(Y * np.log(forward(*weights)[1]), 1))


def backward(W1, b1, W2, b2):
    """The chain rule, from the loss down."""
    hidden, p = forward(W1, b1, W2, b2)
    d_scores = (p - Y) / len(X)
    d_hidden = d_scores @ W2.T
    d_pre = d_hidden * (1 - hidden**2)
    return [X.T @ d_pre, d_pre.sum(0), hidden.T @ d_scores, d_scores.sum(0)]


weights = [W1, b1, W2, b2]
by_hand = backward(*weights)

# 1. Differences, in double precision.
doubles = [w.astype("float64") for w in weights]
for i, j in ((0, (1, 2)), (1, (3,)), (2, (0, 1)), (3, (2,))):
    up, down = ([w.copy() for w in doubles] for _ in range(2))
    up[i][j] += 1e-5
    down[i][j] -= 1e-5
    slope = (loss_of(*up) - loss_of(*down)) / 2e-5
    assert abs(slope - by_hand[i][j]) < 1e-5, (i, j)

# 2. The tape, on Variables.
variables = [tf.Variable(w) for w in weights]
with tf.GradientTape(persistent=True) as tape:
    v1, c1, v2, c2 = variables
    hidden = tf.tanh(tf.matmul(tf.constant(X), v1) + c1)
    logits = tf.matmul(hidden, v2) + c2
    cross = tf.nn.softmax_cross_entropy_with_logits(labels=Y, logits=logits)
    loss = tf.reduce_mean(cross)
gradients = tape.gradient(loss, variables)
for found, expected in zip(gradients, by_hand):
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-6)
d_hidden = tape.gradient(loss, hidden)
assert d_hidden.shape == (12, 5)
assert tape.gradient(loss, tf.Variable(1.0)) is None
del tape

# 3. A Keras model with the same weights, one step of SGD.
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, activation="tanh")])
model.add(keras.layers.Dense(3))
model.set_weights(weights)
with tf.GradientTape() as tape:
    value = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
        labels, model(X)
    )
of_model = tape.gradient(value, model.trainable_variables)
for found, expected in zip(of_model, by_hand):
    np.testing.assert_allclose(np.array(found), expected, rtol=1e-4, atol=1e-6)
optimizer = keras.optimizers.SGD(0.1)
optimizer.apply_gradients(zip(of_model, model.trainable_variables))
np.testing.assert_allclose(model.get_weights()[0], W1 - 0.1 * by_hand[0], atol=1e-6)

# 4. Descent by hand.
losses = []
for step in range(100):
    losses.append(loss_of(*weights))
    weights = [w - 0.5 * g for w, g in zip(weights, backward(*weights))]
print("loss: %.4f -> %.4f" % (losses[0], losses[-1]))
assert losses[-1] < 0.3 * losses[0]

# 5. Second derivatives: a tape within a tape.
x = tf.Variable(0.7)
with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        y = tf.sin(x) * x**2
    first = inner.gradient(y, x)
second = outer.gradient(first, x)
a = 0.7
assert abs(float(first) - (np.cos(a) * a**2 + 2 * a * np.sin(a))) < 1e-5
assert abs(float(second) - ((2 - a**2) * np.sin(a) + 4 * a * np.cos(a))) < 1e-5
norms = [float(np.linalg.norm(g)) for g in by_hand]
print("RESULT", [float(loss), float(value), *norms, float(first), float(second)])
