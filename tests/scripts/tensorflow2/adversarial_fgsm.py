# runs on: tensorflow. The fast gradient sign attack on a small classifier.
import json

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(4)
templates = rng.uniform(size=(3, 8, 8, 1)).astype("float32")
labels = rng.integers(0, 3, 180)
images = templates[labels] + 0.1 * rng.normal(size=(180, 8, 8, 1)).astype("float32")
images = np.clip(images, 0, 1)

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(8, 8, 1)),
        tf.keras.layers.Dense(16, activation="relu"),
        tf.keras.layers.Dense(3, activation="softmax"),
    ]
)
model.set_weights([rng.normal(size=w.shape) * 0.2 for w in model.get_weights()])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=12, batch_size=20, verbose=0, shuffle=False)
clean = model.evaluate(images, labels, verbose=0)[1]
model.trainable = False
loss_object = tf.keras.losses.CategoricalCrossentropy()


def create_adversarial_pattern(input_image, input_label):
    with tf.GradientTape() as tape:
        tape.watch(input_image)
        prediction = model(input_image)
        loss = loss_object(input_label, prediction)
    gradient = tape.gradient(loss, input_image)
    return tf.sign(gradient)


inputs = tf.convert_to_tensor(images)
one_hot = tf.one_hot(labels, depth=3)
one_hot = tf.reshape(one_hot, (-1, one_hot.shape[-1]))
perturbations = create_adversarial_pattern(inputs, one_hot)
assert perturbations.shape == inputs.shape
assert set(np.unique(perturbations)) <= {-1.0, 0.0, 1.0}

accuracies = []
for epsilon in (0.0, 0.05, 0.3):
    adversarial = inputs + epsilon * perturbations
    adversarial = tf.clip_by_value(adversarial, 0, 1)
    predicted = tf.argmax(model.predict(adversarial, verbose=0), axis=1)
    hits = tf.equal(predicted, tf.cast(labels, predicted.dtype))
    accuracies.append(float(tf.reduce_mean(tf.cast(hits, tf.float32))))
    print(f"epsilon {epsilon:.2f}: accuracy {accuracies[-1]:.3f}")

assert clean > 0.9 and abs(accuracies[0] - clean) < 1e-6
assert accuracies[2] < accuracies[1] <= accuracies[0] and accuracies[2] < 0.5

# Adversarial training: a step on both kinds of images, with a persistent tape.
model.trainable = True
optimizer = tf.keras.optimizers.SGD(0.5)


def losses_of(adversarial):
    with tf.GradientTape(persistent=True) as tape:
        natural_loss = loss_object(one_hot, model(inputs))
        hard_loss = loss_object(one_hot, model(adversarial))
        loss = 0.5 * natural_loss + 0.5 * hard_loss
    grads = tape.gradient(loss, model.trainable_weights)
    only = tape.gradient(hard_loss, model.trainable_weights)
    del tape
    return loss, grads, tf.linalg.global_norm(only)


hard = [losses_of(adversarial)[0]]
for _ in range(10):
    loss, grads, norm = losses_of(adversarial)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
hard.append(losses_of(adversarial)[0])
assert float(hard[1]) < float(hard[0]) and float(norm) > 0
# What TensorFlow 2.21 gave.
found = [*accuracies, *map(float, hard), float(norm)]
assert np.allclose(found, [1.0, 1.0, 0.0055556, 1.20445, 0.202601, 1.29233], rtol=1e-3)
print("RESULT", json.dumps(found))
