# runs on: tensorflow. A training loop of one's own, with metrics and validation.
import json
import time

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(1)
centers = rng.normal(size=(4, 10)).astype("float32") * 2
labels = rng.integers(0, 4, 320)
points = centers[labels] + rng.normal(size=(320, 10)).astype("float32")
x_train, y_train, x_val, y_val = points[:256], labels[:256], points[256:], labels[256:]

inputs = keras.Input(shape=(10,), name="points")
x = layers.Dense(32, activation="relu", name="dense_1")(inputs)
x = layers.Dropout(0.1)(x)
outputs = layers.Dense(4, name="predictions")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
for w in model.weights:  # the same start everywhere
    if w.shape.rank == 2:
        w.assign(rng.normal(size=w.shape, scale=0.2).astype("float32"))

optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_metric = keras.metrics.SparseCategoricalAccuracy()
val_metric = keras.metrics.SparseCategoricalAccuracy()
mean_loss = keras.metrics.Mean(name="loss")

batch_size = 32
train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train))
train_ds = train_ds.shuffle(buffer_size=1024).batch(batch_size)
val_ds = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(batch_size)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss_value = loss_fn(y, logits)
        loss_value += sum(model.losses)
    grads = tape.gradient(loss_value, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
    train_metric.update_state(y, logits)
    mean_loss.update_state(loss_value)
    return loss_value


@tf.function
def test_step(x, y):
    val_metric.update_state(y, model(x, training=False))


start_loss = float(loss_fn(y_train, model(x_train)))
history = []
for epoch in range(5):
    start = time.time()
    for step, (x_batch, y_batch) in enumerate(train_ds):
        loss = train_step(x_batch, y_batch)
        if step % 4 == 0:
            print(
                f"step {step}: loss {float(loss):.4f}, {(step + 1) * batch_size} seen"
            )
    train_acc = train_metric.result()
    history.append(float(mean_loss.result()))
    train_metric.reset_state()
    mean_loss.reset_state()
    for x_batch, y_batch in val_ds:
        test_step(x_batch, y_batch)
    val_acc = val_metric.result()
    val_metric.reset_state()
    print(f"epoch {epoch}: {train_acc:.3f} / {val_acc:.3f}, {time.time() - start:.1f}s")

assert step == 7 and int(optimizer.iterations) == 40
assert history[-1] < history[0] < start_loss + 0.5
assert float(val_acc) > 0.8
print("RESULT", json.dumps([start_loss, history[0], history[-1], float(val_acc)]))
