# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Autoencoders: sparse, deep with a decoder of its own, convolutional for noise."""

import random

import numpy as np
from tensorflow.keras import regularizers
from tensorflow.keras.layers import Conv2D, Conv2DTranspose, Dense, Input
from tensorflow.keras.layers import LSTM, MaxPooling2D, RepeatVector, UpSampling2D
from tensorflow.keras.models import Model, Sequential, load_model

random.seed(14)
np.random.seed(14)
size, encoding_dim = 12, 6

# Pictures: one soft blob each.
centers, (r, c) = np.random.uniform(2, 9, (320, 2, 1, 1)), np.mgrid[:size, :size]
x = np.exp(-((r - centers[:, 0]) ** 2 + (c - centers[:, 1]) ** 2) / 6).astype("float32")
flat = x.reshape(len(x), -1)
x_train, x_test = flat[:256], flat[256:]

input_img = Input(shape=(size * size,))
encoded = Dense(
    encoding_dim, activation="relu", activity_regularizer=regularizers.l1(1e-6)
)(input_img)
decoded = Dense(size * size, activation="sigmoid")(encoded)
autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
encoded_input = Input(shape=(encoding_dim,))
decoder_layer = autoencoder.layers[-1]
decoder = Model(encoded_input, decoder_layer(encoded_input))
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
history = autoencoder.fit(
    x_train, x_train, epochs=15, batch_size=32, shuffle=True, verbose=0,
    validation_data=(x_test, x_test),
)  # fmt: skip
losses = history.history["loss"]
print("flat: %.4f -> %.4f" % (losses[0], losses[-1]))
assert losses[-1] < 0.7 * losses[0]
encoded_imgs = encoder.predict(x_test, verbose=0)
decoded_imgs = decoder.predict(encoded_imgs, verbose=0)
assert encoded_imgs.shape == (64, encoding_dim) and encoded_imgs.min() >= 0
np.testing.assert_allclose(
    decoded_imgs, autoencoder.predict(x_test, verbose=0), atol=1e-5
)

# Convolutions against noise.
noise_factor = 0.3
images = x[..., np.newaxis]
noisy = images + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=images.shape)
noisy = np.clip(noisy, 0.0, 1.0)
img = Input(shape=(size, size, 1))
y = Conv2D(8, (3, 3), activation="relu", padding="same")(img)
y = MaxPooling2D((2, 2), padding="same")(y)
y = Conv2D(8, (3, 3), activation="relu", padding="same")(y)
y = Conv2DTranspose(8, 3, activation="relu", padding="same")(y)
y = UpSampling2D((2, 2))(y)
y = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(y)
denoiser = Model(img, y)
denoiser.compile("adam", "binary_crossentropy")
denoiser.fit(noisy[:256], images[:256], epochs=15, batch_size=16, verbose=0)
clean = denoiser.predict(noisy[256:], verbose=0)
before = np.mean((noisy[256:] - images[256:]) ** 2)
after = np.mean((clean - images[256:]) ** 2)
print("error: %.4f with noise, %.4f without" % (before, after))
assert clean.shape == (64, size, size, 1) and after < 0.7 * before
denoiser.save("denoiser.hdf5")
again = load_model("denoiser.hdf5")
np.testing.assert_allclose(again.predict(noisy[256:], verbose=0), clean, atol=1e-5)

# Rows as steps of time.
sequences = Sequential()
sequences.add(LSTM(12, input_shape=(size, size)))
sequences.add(RepeatVector(size))
sequences.add(LSTM(size, return_sequences=True))
sequences.compile(loss="mse", optimizer="adam")
told = sequences.fit(x[:256], x[:256], epochs=4, batch_size=32, verbose=0).history
assert told["loss"][-1] < told["loss"][0]
assert sequences.predict(x[:2], verbose=0).shape == (2, size, size)
counts = [m.count_params() for m in (autoencoder, denoiser, sequences)]
print("RESULT", counts)
