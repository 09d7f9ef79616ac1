# runs on: keras-jax. Transfer: features of a network, a frozen base, then all of it.
import json

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(64)
images = np.random.uniform(0, 90, (60, 32, 32, 3)).astype("float32")
labels = np.arange(60) % 2
images[labels == 1, 8:24, 8:24, 0] += 150.0
x_train, y_train, x_val, y_val = images[:44], labels[:44], images[44:], labels[44:]

base = keras.applications.MobileNet(
    input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None, pooling="avg"
)
for w in base.trainable_weights:  # in place of weights that were learned
    if w.path.endswith("kernel"):
        fan_in = np.prod(w.shape[:-1]) if w.shape[-1] > 1 else np.prod(w.shape[:2])
        w.assign(np.random.normal(size=w.shape) * np.sqrt(2 / fan_in))
print(f"{len(base.layers)} layers, {base.count_params()} weights")
preprocess = keras.applications.mobilenet.preprocess_input

# Features once, then a classifier on them.
features = base.predict(preprocess(x_train.copy()), verbose=0)
assert features.shape == (44, 256)
head = keras.Sequential([keras.Input((256,)), layers.Dense(2, activation="softmax")])
head.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
on_features = head.fit(features, y_train, epochs=2, verbose=0).history["loss"]

# The frozen base inside a model, with augmentation in front.
base.trainable = False
assert len(base.trainable_weights) == 0
inputs = keras.Input(shape=(32, 32, 3))
x = layers.RandomFlip("horizontal")(inputs)
x = layers.Rescaling(scale=1 / 127.5, offset=-1)(x)
x = base(x, training=False)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
assert len(model.trainable_weights) == 2
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
before = [w.copy() for w in base.get_weights()]
frozen = model.fit(x_train, y_train, epochs=2, batch_size=11, verbose=2).history["loss"]
assert all(
    np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True)
)

# Fine-tuning: the last block is thawed, with a low rate.
base.trainable = True
for layer in base.layers[:-6]:
    layer.trainable = False
assert 2 < len(model.trainable_weights) < 12
model.compile(
    optimizer=keras.optimizers.Adam(1e-4),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
tuned = model.fit(
    x_train, y_train, epochs=2, batch_size=11, validation_data=(x_val, y_val), verbose=2
).history
moved = [
    not np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True)
]
assert any(moved) and not moved[0]
model.save("tuned.keras")
scores = keras.models.load_model("tuned.keras").evaluate(x_val, y_val, verbose=0)
assert abs(scores[0] - tuned["val_loss"][-1]) < 1e-5
numbers = [features.mean(), *on_features, *frozen, *tuned["loss"], *tuned["val_loss"]]
print("RESULT", json.dumps([float(v) for v in numbers]))
