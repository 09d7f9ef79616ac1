# runs on: old keras only (2.x)
"""Grad-CAM and saliency with K.gradients and K.function, as the book did."""

import random

import numpy as np
from keras import backend as K
from keras import layers, models, optimizers

random.seed(4)
np.random.seed(4)
K.clear_session()
K.set_learning_phase(0)

# Class 1: a bright 3 x 3 spot somewhere on noise; class 0: no spot.
labels = np.random.randint(0, 2, 240)
images = np.random.uniform(0, 0.4, (240, 12, 12, 1)).astype("float32")
corners = np.random.randint(0, 9, (240, 2))
for image, label, (r, c) in zip(images, labels, corners):
    image[r : r + 3, c : c + 3] += 0.6 * label

model = models.Sequential()
model.add(layers.Conv2D(6, (3, 3), activation="relu", padding="same",
                        input_shape=(12, 12, 1), name="block1_conv1"))  # fmt: skip
model.add(layers.Conv2D(6, (3, 3), activation="relu", padding="same", name="last_conv"))
model.add(layers.GlobalMaxPooling2D())
model.add(layers.Dense(2, activation="softmax", name="predictions"))
model.compile(optimizers.RMSprop(lr=0.01), "sparse_categorical_crossentropy", ["acc"])
history = model.fit(images, labels, epochs=8, batch_size=24, verbose=0)
print("accuracy", history.history["acc"][-1])
assert history.history["acc"][-1] > 0.9

# Activations of each layer.
activations = models.Model(model.input, [layer.output for layer in model.layers[:2]])
first, second = activations.predict(images[:5])
assert first.shape == second.shape == (5, 12, 12, 6)
by_function = K.function([model.input], [model.get_layer("last_conv").output])
assert np.allclose(by_function([images[:5]])[0], second, atol=1e-5)

# The heat map: channels weighted by the mean gradient of the class.
spot_output = model.output[:, 1]
last_conv_layer = model.get_layer("last_conv")
grads = K.gradients(spot_output, last_conv_layer.output)[0]
pooled_grads = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])
assert K.int_shape(pooled_grads) == (6,)
hits, shown = 0, [i for i in range(40) if labels[i]]
for i in shown:
    pooled_grads_value, conv_layer_output_value = iterate([images[i : i + 1]])
    for k in range(6):
        conv_layer_output_value[:, :, k] *= pooled_grads_value[k]
    heatmap = np.maximum(np.mean(conv_layer_output_value, axis=-1), 0)
    heatmap /= max(np.max(heatmap), 1e-9)
    r, c = np.unravel_index(heatmap.argmax(), heatmap.shape)
    hits += abs(r - corners[i, 0] - 1) <= 2 and abs(c - corners[i, 1] - 1) <= 2
print("heat on the spot in", hits, "of", len(shown))
assert hits >= 0.7 * len(shown)

# Saliency: the gradient of a class with respect to the pixels, against differences.
logit = K.log(model.output[:, 1]) - K.log(model.output[:, 0])
saliency = K.function([model.input],
                      [K.gradients(K.sum(logit), model.input)[0]])  # fmt: skip
i = shown[0]
(found,) = saliency([images[i : i + 1]])
r, c = np.unravel_index(np.abs(found[0, :, :, 0]).argmax(), (12, 12))
up, down = images[i : i + 1].copy(), images[i : i + 1].copy()
up[0, r, c] += 1e-2
down[0, r, c] -= 1e-2
p = model.predict(np.concatenate([down, up]))
slope = np.diff(np.log(p[:, 1] / p[:, 0]))[0] / 2e-2
print("slope %.4f, gradient %.4f" % (slope, found[0, r, c, 0]))
assert abs(slope - found[0, r, c, 0]) < 0.1 * abs(slope) and abs(slope) > 1e-2

# What a filter looks for: gradient ascent from grey.
layer_output = model.get_layer("block1_conv1").output
loss = K.mean(layer_output[:, :, :, 0])
grads = K.gradients(loss, model.input)[0]
grads /= K.sqrt(K.mean(K.square(grads))) + 1e-5
step = K.function([model.input], [loss, grads])
image = np.random.random((1, 12, 12, 1)) * 0.1 + 0.5
values = []
for _ in range(10):
    loss_value, grads_value = step([image])
    image += grads_value * 0.1
    values.append(float(loss_value))
print("filter response: %.3f -> %.3f" % (values[0], values[-1]))
assert values[-1] >= values[0]
print("RESULT", [len(shown), model.count_params()])
