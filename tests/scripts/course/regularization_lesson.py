# runs on: keras-jax
"""Lesson 4: against overfitting: L1, L2, noise, dropout, early stopping, batch norm."""

import keras
import numpy as np
from keras import layers, regularizers

rng = np.random.default_rng(5)


def moons(n, noise):
    t = rng.uniform(0, np.pi, n)
    kind = rng.integers(0, 2, n)
    X = np.stack([np.cos(t), np.sin(t)], 1)
    X[kind == 1] = [1, 0.5] - X[kind == 1]
    X = np.concatenate([X + rng.normal(0, noise, X.shape), rng.normal(size=(n, 6))], 1)
    return X.astype("float32"), kind.astype("float32")


X, y = moons(40, 0.25)  # few points, six columns of pure noise
X_val, y_val = moons(400, 0.25)


def train(*hidden, epochs=40, callbacks=None, penalty=None, before=()):
    keras.utils.set_random_seed(11)
    model = keras.Sequential([keras.Input((8,)), *before])
    model.add(layers.Dense(48, "relu", kernel_regularizer=penalty, name="wide"))
    for layer in hidden:
        model.add(layer)
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(X, y, epochs=epochs, batch_size=20, verbose=0,
                        validation_data=(X_val, y_val), callbacks=callbacks)  # fmt: skip
    return model, history.history


def show(name, history):
    row = [history[k][-1] for k in ("loss", "val_loss", "val_accuracy")]
    print("%-14s loss %.3f, held out: loss %.3f, accuracy %.3f" % (name, *row))
    return row


plain, h = train()
results = show("plain", h)
assert h["val_loss"][-1] > min(h["val_loss"]) and h["loss"][-1] < 0.1  # overfits

lasso, h = train(penalty=regularizers.L1(0.005))
results += show("L1", h)
ridge, h_ridge = train(penalty="l2")
results += show("L2", h_ridge)
sizes = [np.abs(m.get_layer("wide").get_weights()[0]) for m in (plain, lasso, ridge)]
near_zero = [float((size < 0.01).mean()) for size in sizes]
print("weights near zero: %.2f plain, %.2f L1, %.2f L2" % tuple(near_zero))
assert near_zero[1] > 2 * near_zero[0] and sizes[2].mean() < sizes[0].mean()

noisy, h = train(layers.Dropout(0.5), before=[layers.GaussianNoise(0.2)])
results += show("dropout, noise", h)
assert h["loss"][-1] > results[0]  # harder to learn by heart
once, twice = (noisy.predict(X, verbose=0) for _ in range(2))
assert (once == twice).all()  # neither acts in prediction
drawn = [np.asarray(noisy(X, training=True)) for _ in range(2)]
assert (drawn[0] != drawn[1]).any()

stop = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
stopped, h = train(callbacks=[stop])
results += show("early stopping", h)
assert len(h["loss"]) < 40
best = stopped.evaluate(X_val, y_val, verbose=0)[0]
assert abs(best - min(h["val_loss"])) < 1e-4

# Batch normalization: averages of batches in training, kept ones later.
normalized, h = train(layers.BatchNormalization(momentum=0.9), epochs=10)
results += show("batch norm", h)
layer = normalized.layers[1]
gamma, beta, mean, variance = (np.asarray(w) for w in layer.get_weights())
inputs = np.asarray(normalized.get_layer("wide")(X))
expected = gamma * (inputs - mean) / np.sqrt(variance + layer.epsilon) + beta
np.testing.assert_allclose(np.asarray(layer(inputs)), expected, rtol=1e-3, atol=1e-4)
print("RESULT", [*results, len(stop.model.layers), best])
