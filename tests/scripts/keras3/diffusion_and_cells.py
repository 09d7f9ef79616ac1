# runs on: keras-jax. A small diffusion model, and a recurrent cell of one's own.
import json
import math

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(90)
points = np.random.uniform(0, 2 * np.pi, 256)
data = np.stack([np.cos(points), np.sin(points)], 1).astype("float32")
data += 0.05 * np.random.normal(size=data.shape).astype("float32")


def sinusoidal_embedding(x, dims=8):
    frequencies = ops.exp(ops.linspace(math.log(1.0), math.log(50.0), dims // 2))
    angles = ops.cast(2.0 * math.pi * frequencies, "float32")
    return ops.concatenate([ops.sin(angles * x), ops.cos(angles * x)], axis=-1)


@keras.saving.register_keras_serializable()
class DiffusionModel(keras.Model):
    def __init__(self, width=32):
        super().__init__()
        self.normalizer = layers.Normalization()
        self.seed_generator = keras.random.SeedGenerator(seed=7)
        noisy, variance = keras.Input((2,)), keras.Input((1,))
        e = layers.Lambda(sinusoidal_embedding, output_shape=(8,))(variance)
        x = layers.Concatenate()([noisy, e])
        x = layers.Dense(width, activation="swish")(x)
        x = layers.Add()([x, layers.Dense(width, activation="swish")(x)])
        self.network = keras.Model(
            [noisy, variance], layers.Dense(2)(x), name="denoiser"
        )

    def diffusion_schedule(self, times):
        start, end = ops.arccos(0.95), ops.arccos(0.02)
        angles = start + times * (end - start)
        return ops.sin(angles), ops.cos(angles)

    def call(self, samples, training=False):
        x = self.normalizer(samples)
        count = ops.shape(x)[0]
        noises = keras.random.normal((count, 2), seed=self.seed_generator)
        times = keras.random.uniform((count, 1), 0.0, 1.0, seed=self.seed_generator)
        noise_rate, signal_rate = self.diffusion_schedule(times)
        noisy = signal_rate * x + noise_rate * noises
        return self.network([noisy, noise_rate**2]) - noises

    def generate(self, count, steps):
        x = keras.random.normal((count, 2), seed=self.seed_generator)
        for step in range(steps):
            times = ops.ones((count, 1)) - step / steps
            noise_rate, signal_rate = self.diffusion_schedule(times)
            noise = self.network([x, noise_rate**2])
            clean = (x - noise_rate * noise) / signal_rate
            noise_rate, signal_rate = self.diffusion_schedule(times - 1 / steps)
            x = signal_rate * clean + noise_rate * noise
        spread = ops.sqrt(self.normalizer.variance)
        return ops.convert_to_numpy(self.normalizer.mean + clean * spread)


model = DiffusionModel()
model.normalizer.adapt(data)
model.compile(keras.optimizers.Adam(1e-2), loss=lambda y, noise: ops.mean(noise**2, -1))
history = model.fit(
    data, np.zeros_like(data), epochs=6, batch_size=32, verbose=2
).history
samples = model.generate(64, steps=8)
radius = np.linalg.norm(samples, axis=1)
print(f"radius of the samples: {radius.mean():.2f} +- {radius.std():.2f}")
assert history["loss"][-1] < 0.95 * history["loss"][0]


class MinimalRNNCell(keras.Layer):
    """h' = leak h + (1 - leak) tanh(W x + U h), with a leak for each unit."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.kernel = self.add_weight(shape=shape, initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent"
        )
        self.leak = self.add_weight(
            shape=(self.units,), initializer="zeros", name="leak"
        )

    def call(self, inputs, states):
        (old,) = states
        new = ops.matmul(inputs, self.kernel) + ops.matmul(old, self.recurrent_kernel)
        leak = ops.sigmoid(self.leak)
        output = leak * old + (1 - leak) * ops.tanh(new)
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


series = np.cumsum(np.random.normal(size=(128, 10, 1)), axis=1).astype("float32")
target = (series[:, -1, 0] > series[:, 0, 0]).astype("float32")
inputs = keras.Input((10, 1))
cells = [MinimalRNNCell(8), layers.LSTMCell(4)]
x = layers.RNN(cells)(inputs)
network = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
network.compile(
    keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
)
learned = network.fit(series, target, epochs=6, verbose=0).history
assert learned["loss"][-1] < learned["loss"][0] and learned["accuracy"][-1] > 0.6
with keras.saving.custom_object_scope({"MinimalRNNCell": MinimalRNNCell}):
    network.save("cells.keras")
    again = keras.models.load_model("cells.keras")
a, b = network.predict(series, verbose=0), again.predict(series, verbose=0)
assert np.allclose(a, b, atol=1e-6)
numbers = [*history["loss"], radius.mean(), *samples[0], *learned["loss"], a.sum()]
print("RESULT", json.dumps([float(v) for v in numbers]))
