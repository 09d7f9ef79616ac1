# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""A convolutional GAN as a class with a combined model, trained batch by batch."""

import random

import numpy as np
from tensorflow.keras.layers import Activation, BatchNormalization, Conv2D, Dense
from tensorflow.keras.layers import Dropout, Flatten, Input, LeakyReLU, Reshape
from tensorflow.keras.layers import UpSampling2D, ZeroPadding2D
from tensorflow.keras.models import Model, Sequential
from tensorflow.keras.optimizers import Adam

random.seed(2)
np.random.seed(2)


class DCGAN:
    def __init__(self):
        self.img_shape, self.latent_dim = (8, 8, 1), 6
        optimizer = Adam(0.002, 0.5)
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(
            loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"]
        )
        self.generator = self.build_generator()
        z = Input(shape=(self.latent_dim,))
        img = self.generator(z)
        # Only the generator learns in the combined model.
        self.discriminator.trainable = False
        valid = self.discriminator(img)
        self.combined = Model(z, valid)
        self.combined.compile(loss="binary_crossentropy", optimizer=Adam(0.002, 0.5))

    def build_generator(self):
        model = Sequential()
        model.add(Dense(8 * 2 * 2, activation="relu", input_dim=self.latent_dim))
        model.add(Reshape((2, 2, 8)))
        model.add(UpSampling2D())
        model.add(Conv2D(8, kernel_size=3, padding="same"))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Activation("relu"))
        model.add(UpSampling2D())
        model.add(Conv2D(1, kernel_size=3, padding="same"))
        model.add(Activation("tanh"))
        noise = Input(shape=(self.latent_dim,))
        return Model(noise, model(noise))

    def build_discriminator(self):
        model = Sequential()
        model.add(Conv2D(8, 3, strides=2, input_shape=self.img_shape, padding="same"))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(0.25))
        model.add(ZeroPadding2D(padding=((0, 1), (0, 1))))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Flatten())
        model.add(Dense(1, activation="sigmoid"))
        img = Input(shape=self.img_shape)
        return Model(img, model(img))

    def train(self, images, steps, batch_size=32):
        valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
        log = []
        for step in range(steps):
            rows = np.random.randint(0, images.shape[0], batch_size)
            noise = np.random.normal(0, 1, (batch_size, self.latent_dim))
            gen_imgs = self.generator.predict(noise, verbose=0)
            d_real = self.discriminator.train_on_batch(images[rows], valid)
            d_fake = self.discriminator.train_on_batch(gen_imgs, fake)
            d_loss = 0.5 * np.add(d_real, d_fake)
            g_loss = self.combined.train_on_batch(noise, valid)
            if step % 20 == 0:
                print("%d [D loss: %f, acc.: %.2f%%] [G loss: %f]"
                      % (step, d_loss[0], 100 * d_loss[1], g_loss))  # fmt: skip
            log.append([d_loss[0], g_loss])
        return np.array(log)


# Pictures: a bright left half on dark ground.
images = np.random.normal(-0.8, 0.05, (256, 8, 8, 1))
images[:, :, :4] += 1.6
gan = DCGAN()
before = gan.discriminator.get_weights()
log = gan.train(images.astype("float32"), steps=80)
after = gan.discriminator.get_weights()
moved = [not np.array_equal(a, b) for a, b in zip(before, after)]
assert all(moved), "the discriminator was compiled trainable, and must learn"
assert np.isfinite(log).all() and log.shape == (80, 2)
fakes = gan.generator.predict(np.random.normal(0, 1, (64, 6)), verbose=0)
halves = fakes[:, :, :4].mean() - fakes[:, :, 4:].mean()
print("left minus right half of the fakes:", halves)
assert fakes.shape == (64, 8, 8, 1) and halves > 0.3
print("RESULT", [gan.combined.count_params(), gan.generator.count_params()])
