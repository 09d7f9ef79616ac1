# runs on: tensorflow. Linear regression by hand: two tf.Variables and a tape.
import json

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 3)).astype("float32")
TRUE_W = np.array([[2.0], [-3.4], [0.7]], dtype="float32")
y = X @ TRUE_W + 4.2 + 0.01 * rng.normal(size=(64, 1)).astype("float32")

W = tf.Variable(tf.zeros((3, 1)), name="weights")
b = tf.Variable(0.0, name="bias")
dataset = tf.data.Dataset.from_tensor_slices((X, y)).batch(16)


def net(x):
    return tf.matmul(x, W) + b


def squared_loss(y_hat, y_true):
    return tf.reduce_mean(tf.square(y_hat - tf.reshape(y_true, y_hat.shape))) / 2


learning_rate = 0.3
losses = []
for epoch in range(20):
    for batch_x, batch_y in dataset:
        with tf.GradientTape() as tape:
            loss = squared_loss(net(batch_x), batch_y)
        dW, db = tape.gradient(loss, [W, b])
        W.assign_sub(learning_rate * dW)
        b.assign_sub(learning_rate * db)
    losses.append(squared_loss(net(X), y).numpy())
    print(f"epoch {epoch + 1}, loss {losses[-1]:f}")

assert losses[-1] < 1e-3 < losses[0]
assert np.allclose(W.numpy(), TRUE_W, atol=0.05)
assert abs(b.numpy() - 4.2) < 0.05
assert isinstance(W, tf.Variable) and W.shape == (3, 1)

# The second derivative of a cubic, by a tape in a tape.
x = tf.constant(3.0)
with tf.GradientTape() as outer:
    outer.watch(x)
    with tf.GradientTape() as inner:
        inner.watch(x)
        cube = x**3
    slope = inner.gradient(cube, x)
curvature = outer.gradient(slope, x)
assert float(slope) == 27.0 and float(curvature) == 18.0

# A step with a rule of Keras in place of one's own.
optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
W.assign(tf.zeros_like(W))
with tf.GradientTape() as tape:
    loss = squared_loss(net(X), y)
optimizer.apply_gradients(zip(tape.gradient(loss, [W, b]), [W, b], strict=True))
result = [float(v) for v in [*losses[:3], losses[-1], *W.numpy().ravel(), b.numpy()]]
# What TensorFlow 2.21 gave.
expected = [1.36874, 0.162508, 0.0208085, 5.50862e-5, 0.225828, -0.241838, 0.0681229]
assert np.allclose(result[:7], expected, rtol=1e-4)
print("RESULT", json.dumps(result))
