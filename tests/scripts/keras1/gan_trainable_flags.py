# runs on: old keras only (1.x)
"""A GAN of Keras 1: one compiled discriminator, frozen inside the combined model."""

import random

import numpy as np
from keras.layers import Activation, Dense, Input
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

random.seed(5)
np.random.seed(5)
noise_dim, batch = 4, 64


def make_trainable(net, value):
    net.trainable = value
    for layer in net.layers:
        layer.trainable = value


def real_batch(n):
    """Points around (2, -1)."""
    return np.random.randn(n, 2) * [0.3, 0.6] + [2.0, -1.0]


generator = Sequential([Dense(16, input_dim=noise_dim, init="he_normal")])
generator.add(Activation("relu"))
generator.add(Dense(2))

discriminator = Sequential()
discriminator.add(Dense(16, input_shape=(2,), init="he_normal"))
discriminator.add(LeakyReLU(0.2))
discriminator.add(Dense(1, activation="sigmoid"))
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.01, beta_1=0.5))

make_trainable(discriminator, False)
gan_input = Input(shape=(noise_dim,))
gan = Model(input=gan_input, output=discriminator(generator(gan_input)))
gan.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.01, beta_1=0.5))


def noise(n):
    return np.random.uniform(-1, 1, (n, noise_dim))


# Train the discriminator first, by a generator of batches: it was compiled thawed.
def batches():
    while True:
        fakes = generator.predict(noise(batch // 2), verbose=0)
        yield np.vstack([real_batch(batch // 2), fakes]), np.repeat([1, 0], batch // 2)


before = [w.copy() for w in discriminator.get_weights()]
warm = discriminator.fit_generator(
    batches(), samples_per_epoch=batch * 20, nb_epoch=2, verbose=0
)
moved = max(np.abs(a - b).max() for a, b in zip(before, discriminator.get_weights()))
assert moved > 0.01, "the discriminator must learn although it is frozen in the GAN"

# Turn by turn.
d_losses, g_losses = [], []
for step in range(150):
    fakes = generator.predict(noise(batch // 2), verbose=0)
    both = np.concatenate([real_batch(batch // 2), fakes])
    targets = np.zeros((batch, 1))
    targets[: batch // 2] = 1
    make_trainable(discriminator, True)
    d_losses.append(discriminator.train_on_batch(both, targets))
    make_trainable(discriminator, False)
    kept = discriminator.get_weights()
    g_losses.append(gan.train_on_batch(noise(batch), np.ones((batch, 1))))
    for a, b in zip(kept, discriminator.get_weights()):
        assert (a == b).all(), "the frozen discriminator moved"
    if step % 50 == 0:
        print("step %d: d %.3f, g %.3f" % (step, d_losses[-1], g_losses[-1]))

center = generator.predict(noise(500), verbose=0).mean(0)
print("center of fakes:", center)
assert np.abs(center - [2, -1]).max() < 1.0
assert np.isfinite(d_losses + g_losses).all()
print("RESULT", [round(float(moved), 3), *np.round(center, 3).tolist()])
