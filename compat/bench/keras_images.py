"""Networks of images in Keras style, whole ones: their last layer is their own."""


def convolved(keras, x, filters, size, strides=1, activation="relu"):
    """A convolution without bias, batch normalization, and a ReLU if wanted."""
    conv = keras.layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=False
    )
    x = keras.layers.BatchNormalization()(conv(x))
    return keras.layers.Activation(activation)(x) if activation else x


def up(keras, x, filters, size, strides=2, **settings):
    layer = keras.layers.Conv2DTranspose(
        filters, size, strides=strides, padding="same", **settings
    )
    return layer(x)


def generator(keras, z):
    """Noise -> images of 28x28 pixels in (-1, 1)."""
    layers = keras.layers
    x = layers.Dense(7 * 7 * 128, use_bias=False)(z)
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    x = layers.Reshape((7, 7, 128))(x)
    for filters in (128, 64):
        x = layers.BatchNormalization()(up(keras, x, filters, 5, use_bias=False))
        x = layers.LeakyReLU(0.2)(x)
    return up(keras, x, 1, 5, strides=1, activation="tanh")


def discriminator(keras):
    """Images -> a logit: are they from the data?"""
    layers, parts = keras.layers, []
    for filters in (64, 128):
        parts += [
            layers.Conv2D(filters, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
        ]
    return keras.Sequential([*parts, layers.Flatten(), layers.Dense(1)])


def dcgan(keras, x, workload):
    """Logits of the images and of made ones, in one step for both networks.

    The discriminator's gradient is turned round on its way into the generator. Noise is
    a corner of the images, which are noise here.
    """
    fake = generator(keras, keras.layers.Flatten()(x[:, :10, :10]))
    turned = 2.0 * keras.ops.stop_gradient(fake) - fake
    judge = discriminator(keras)
    logits = keras.layers.Concatenate()([judge(x), judge(turned)])
    return keras.layers.Activation("linear", dtype="float32")(logits)


def sampling(keras):
    """A layer written by a user: draws from N(mean, exp(log_var)), adds the KL loss."""

    class Sampling(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed_generator = keras.random.SeedGenerator(0)

        def call(self, mean, log_var):
            ops = keras.ops
            kl = 1 + log_var - ops.square(mean) - ops.exp(log_var)
            self.add_loss(-5e-4 * ops.mean(kl))
            noise = keras.random.normal(
                ops.shape(mean), dtype=self.compute_dtype, seed=self.seed_generator
            )
            return mean + ops.exp(0.5 * log_var) * noise

    return Sampling()


def vae(keras, x, workload, latent=16):
    layers = keras.layers
    for filters in (32, 64):
        conv = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")
        x = conv(x)
    x = layers.Flatten()(x)
    z = sampling(keras)(layers.Dense(latent)(x), layers.Dense(latent)(x))
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(z))
    for filters in (64, 32):
        x = up(keras, x, filters, 3, activation="relu")
    x = up(keras, x, 1, 3, strides=1)
    return layers.Activation("sigmoid", dtype="float32")(x)


def twice(keras, x, filters):
    for _ in range(2):
        conv = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")
        x = conv(x)
    return x


def unet(keras, x, workload):
    layers, before = keras.layers, []
    for filters in (16, 32):
        before.append(twice(keras, x, filters))
        x = layers.MaxPooling2D()(before[-1])
    x = twice(keras, x, 64)
    for filters in (32, 16):
        x = layers.Concatenate()([before.pop(), up(keras, x, filters, 2)])
        x = twice(keras, x, filters)
    x = layers.Conv2D(workload.shape[-1], 1)(x)
    return layers.Activation("sigmoid", dtype="float32")(x)


# (filters, window, strides) of the blocks of the mobile network, after 16 filters.
MOBILE = ((32, 3, 1), (64, 3, 2), (64, 5, 1), (128, 3, 2), (128, 5, 1))


def mobile(keras, x, workload):
    layers = keras.layers
    x = convolved(keras, x, 16, 3, 2)
    for filters, size, strides in MOBILE:
        depthwise = layers.DepthwiseConv2D(
            size, strides=strides, padding="same", use_bias=False
        )
        x = layers.BatchNormalization()(depthwise(x))
        x = convolved(keras, layers.Activation("relu")(x), filters, 1)
    return layers.GlobalAveragePooling2D()(x)


WHOLE = {"dcgan": dcgan, "vae_conv": vae, "unet": unet}
