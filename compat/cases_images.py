"""Cases of images: residual, separable, branching, U-shaped, adversarial networks."""

import numpy as np

from compat.case_table import WHOLE_ROWS, case, classes, data

IMAGES = data(WHOLE_ROWS, 8, 8, 2)
LABELS = classes(WHOLE_ROWS, 3)


@case
def residual_net(keras):
    layers = keras.layers

    def block(x, filters, strides=1):
        short = x
        if strides > 1:
            short = layers.Conv2D(filters, 1, strides)(x)
        for step in (strides, 1):
            x = layers.Conv2D(filters, 3, step, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.ReLU()(x) if step == strides else x
        return layers.ReLU()(layers.Add()([short, x]))

    inputs = keras.Input((8, 8, 2))
    x = block(layers.Conv2D(3, 3, padding="same")(inputs), 3)
    x = layers.GlobalAveragePooling2D()(block(x, 4, strides=2))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model, {"x": IMAGES, "y": LABELS, "validation_split": 0.25}


@case
def squeeze_and_excite(keras):
    layers = keras.layers
    inputs = keras.Input((8, 8, 2))
    x = layers.SeparableConv2D(4, 3, padding="same", activation="relu")(inputs)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(2, 1, activation="relu")(weights)
    weights = layers.Conv2D(8, 1, activation="hard_sigmoid")(weights)
    x = layers.SpatialDropout2D(0.1)(layers.Multiply()([x, weights]))
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalMaxPooling2D()(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model, {"x": IMAGES, "y": LABELS}


@case
def inception(keras):
    layers = keras.layers
    inputs = keras.Input((8, 8, 2))
    branches = [
        layers.Conv2D(2, 1, activation="relu")(inputs),
        layers.Conv2D(3, 3, padding="same", activation="relu")(
            layers.Conv2D(2, 1)(inputs)
        ),
        layers.Conv2D(2, 3, padding="same", dilation_rate=2)(inputs),
        layers.Conv2D(1, 1)(layers.AveragePooling2D(3, 1, padding="same")(inputs)),
    ]
    x = layers.GroupNormalization(2)(layers.Concatenate()(branches))
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile("nadam", "sparse_categorical_crossentropy")
    return model, {"x": IMAGES, "y": LABELS}


@case
def convolutional_autoencoder(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="elu"),
            layers.GaussianNoise(0.05),
            layers.Conv2D(3, 3, padding="same", activation="tanh"),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.ZeroPadding2D(1),
            layers.Conv2D(2, 3),
        ]
    )
    model.compile("adam", "mse")
    return model, {"x": IMAGES, "y": IMAGES}


@case
def u_net(keras):
    layers = keras.layers
    inputs = keras.Input((8, 8, 2))
    skips, x = [], inputs
    for filters in (2, 3):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.1)(layers.Conv2D(4, 3, padding="same")(x))
    for filters, skip in zip((3, 2), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(
            layers.Concatenate()([x, skip])
        )
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, {"x": IMAGES, "y": (IMAGES[..., :1] > 0.3).astype("float32")}


@case
def generative_adversarial_net(keras):
    import jax

    layers, ops = keras.layers, keras.ops

    @keras.saving.register_keras_serializable("compat")
    class Adversaries(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed = keras.random.SeedGenerator(3)
            self.discriminator = keras.Sequential(
                [
                    layers.Conv2D(3, 3, strides=2, padding="same"),
                    layers.LeakyReLU(0.2),
                    layers.Dropout(0.1),
                    layers.Flatten(),
                    layers.Dense(1, activation="sigmoid"),
                ]
            )
            self.generator = keras.Sequential(
                [
                    # Before a batch normalization a bias has the gradient zero: Adam
                    # would walk along its rounding noise, in Keras as here.
                    layers.Dense(4 * 4 * 2, use_bias=False),
                    layers.BatchNormalization(),
                    layers.Reshape((4, 4, 2)),
                    layers.Conv2DTranspose(2, 4, strides=2, padding="same"),
                ]
            )

        def build(self, input_shape):
            self.discriminator.build(input_shape)
            self.generator.build((None, 5))

        def call(self, x, training=False):
            real = self.discriminator(x, training=training)
            if not training:
                return real
            noise = keras.random.normal((ops.shape(x)[0], 5), seed=self.seed)
            fake = self.generator(noise, training=True)
            return real, self.discriminator(fake, training=True)

        def train_step(self, state, data):
            trainable, others, optimizer, metrics = state
            x = data[0]

            def losses(trainable, of_generator):
                (real, fake), new = self.stateless_call(
                    trainable, others, x, training=True
                )
                if of_generator:
                    return -ops.mean(ops.log(fake + 1e-6)), new
                seen = ops.log(real + 1e-6) + ops.log(1 - fake + 1e-6)
                return -ops.mean(seen), new

            step = jax.value_and_grad(losses, has_aux=True)
            (loss, others), gradients = step(trainable, False)
            (deceit, _), against = step(trainable, True)
            made = {id(v) for v in self.generator.trainable_variables}
            chosen = [
                theirs if id(v) in made else own
                for v, own, theirs in zip(
                    self.trainable_variables, gradients, against, strict=True
                )
            ]
            trainable, optimizer = self.optimizer.stateless_apply(
                optimizer, chosen, trainable
            )
            return {"loss": loss, "deceit": deceit}, (
                *(trainable, others, optimizer, metrics),
            )

    model = Adversaries()
    model.build((None, 8, 8, 2))
    model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), "binary_crossentropy")
    return model, {"x": IMAGES, "y": np.ones((WHOLE_ROWS, 1), "float32")}
