# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""A variational autoencoder with Lambda(sampling) and model.add_loss(tensor)."""

import random

import numpy as np
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Input, Lambda
from tensorflow.keras.losses import binary_crossentropy, mse
from tensorflow.keras.models import Model

random.seed(1)
np.random.seed(1)
original_dim, intermediate_dim, latent_dim, batch_size, epochs = 16, 24, 2, 32, 12

# Two factors make 16 values in (0, 1).
factors = np.random.uniform(-1, 1, (512, latent_dim))
mixing = np.random.normal(size=(latent_dim, original_dim))
x_train = (1 / (1 + np.exp(-3 * factors @ mixing))).astype("float32")


def sampling(args):
    """z = mean + sigma * noise, so that gradients pass."""
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    epsilon = K.random_normal(shape=(batch, dim))
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


inputs = Input(shape=(original_dim,), name="encoder_input")
x = Dense(intermediate_dim, activation="relu")(inputs)
z_mean = Dense(latent_dim, name="z_mean")(x)
z_log_var = Dense(latent_dim, name="z_log_var")(x)
z = Lambda(sampling, output_shape=(latent_dim,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")
encoder.summary()

latent_inputs = Input(shape=(latent_dim,), name="z_sampling")
x = Dense(intermediate_dim, activation="relu")(latent_inputs)
outputs = Dense(original_dim, activation="sigmoid")(x)
decoder = Model(latent_inputs, outputs, name="decoder")
outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name="vae_mlp")


def build(kind):
    reconstruction = (mse if kind == "mse" else binary_crossentropy)(inputs, outputs)
    reconstruction *= original_dim
    kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
    kl_loss = K.sum(kl_loss, axis=-1)
    kl_loss *= -0.5
    return K.mean(reconstruction + kl_loss)


vae.add_loss(build("bce"))
vae.compile(optimizer="adam")
history = vae.fit(x_train, epochs=epochs, batch_size=batch_size, verbose=0,
                  validation_data=(x_train[:64], None))  # fmt: skip
losses = history.history["loss"]
print("loss: %.3f -> %.3f" % (losses[0], losses[-1]))
assert losses[-1] < losses[0] - 0.3
assert len(history.history["val_loss"]) == epochs

# Noise is new in every call; without it the encoder repeats itself.
m1, v1, z1 = encoder.predict(x_train[:64], verbose=0)
m2, v2, z2 = encoder.predict(x_train[:64], verbose=0)
assert (m1 == m2).all() and (v1 == v2).all()
assert (z1 != z2).any()
gap = np.abs((z1 - m1) / np.exp(v1 / 2))
assert 0.4 < gap.mean() < 1.3, gap.mean()  # 0.8 for noise of the unit normal

grid = np.array([[a, b] for a in (-1.5, 0, 1.5) for b in (-1.5, 0, 1.5)])
decoded = decoder.predict(grid, verbose=0)
assert decoded.shape == (9, original_dim) and decoded.std(axis=0).max() > 0.02
assert (0 < decoded).all() and (decoded < 1).all()
vae.save_weights("vae_mlp.h5")
kept = vae.predict(x_train[:4], verbose=0).shape
vae.load_weights("vae_mlp.h5")
print("RESULT", [vae.count_params(), *kept])
