# runs on: tensorflow. DCGAN: two models, two optimizers, one tf.function.
import json
import os

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.random.set_seed(3)
BATCH_SIZE, NOISE_DIM, EPOCHS = 16, 8, 3

# Bright discs on black.
rng = np.random.default_rng(3)
grid = np.stack(np.meshgrid(np.arange(12), np.arange(12)), -1)
middles = rng.uniform(4, 8, size=(64, 1, 1, 2))
train_images = (np.linalg.norm(grid - middles, axis=-1) < 3).astype("float32")
train_images = train_images.reshape(train_images.shape[0], 12, 12, 1)
train_images = (train_images * 255.0 - 127.5) / 127.5
train_dataset = tf.data.Dataset.from_tensor_slices(train_images)
train_dataset = train_dataset.shuffle(64).batch(BATCH_SIZE, drop_remainder=True)


def make_generator_model():
    model = tf.keras.Sequential()
    model.add(layers.Dense(3 * 3 * 16, use_bias=False, input_shape=(NOISE_DIM,)))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((3, 3, 16)))
    assert model.output_shape == (None, 3, 3, 16)
    for filters in (8, 4):
        model.add(
            layers.Conv2DTranspose(
                filters, (5, 5), strides=(2, 2), padding="same", use_bias=False
            )
        )
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU())
    model.add(layers.Conv2D(1, (3, 3), padding="same", activation="tanh"))
    assert model.output_shape == (None, 12, 12, 1)
    return model


def make_discriminator_model():
    model = tf.keras.Sequential()
    model.add(
        layers.Conv2D(8, (5, 5), strides=2, padding="same", input_shape=[12, 12, 1])
    )
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


generator, discriminator = make_generator_model(), make_discriminator_model()
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = tf.keras.optimizers.Adam(1e-3)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-3)


def discriminator_loss(real_output, fake_output):
    real_loss = cross_entropy(tf.ones_like(real_output), real_output)
    return real_loss + cross_entropy(tf.zeros_like(fake_output), fake_output)


def generator_loss(fake_output):
    return cross_entropy(tf.ones_like(fake_output), fake_output)


@tf.function
def train_step(images):
    noise = tf.random.normal([BATCH_SIZE, NOISE_DIM])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated_images = generator(noise, training=True)
        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated_images, training=True)
        gen_loss = generator_loss(fake_output)
        disc_loss = discriminator_loss(real_output, fake_output)
    of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(
        zip(of_generator, generator.trainable_variables, strict=True)
    )
    discriminator_optimizer.apply_gradients(
        zip(of_discriminator, discriminator.trainable_variables, strict=True)
    )
    return gen_loss, disc_loss


seed = tf.random.normal([4, NOISE_DIM])
before = generator(seed, training=False).numpy()
losses = []
for epoch in range(EPOCHS):
    losses += [train_step(image_batch) for image_batch in train_dataset]
    predictions = generator(seed, training=False)
    print(f"epoch {epoch}", *(float(v) for v in losses[-1]))

checkpoint = tf.train.Checkpoint(
    generator_optimizer=generator_optimizer,
    discriminator_optimizer=discriminator_optimizer,
    generator=generator,
    discriminator=discriminator,
)
path = checkpoint.save(file_prefix=os.path.join("./training_checkpoints", "ckpt"))
kept = generator.get_weights()
generator.set_weights([0 * w for w in kept])
checkpoint.restore(tf.train.latest_checkpoint("./training_checkpoints"))
for old, new in zip(kept, generator.get_weights(), strict=True):
    assert np.array_equal(old, new)

assert predictions.shape == (4, 12, 12, 1) and len(losses) == EPOCHS * 4
assert np.abs(predictions - before).max() > 1e-3
assert min(float(d) for _, d in losses) < float(losses[0][1])
assert -1 <= predictions.numpy().min() and predictions.numpy().max() <= 1
print("RESULT", json.dumps([float(losses[0][1]), float(losses[-1][1])]))
