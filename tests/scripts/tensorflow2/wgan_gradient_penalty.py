# runs on: tensorflow. WGAN-GP: the critic's gradient at blends of real and false.
import json

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(7)
real_data = (rng.normal(size=(128, 2)) * 0.3 + [2.0, -1.0]).astype("float32")
noises = rng.normal(size=(40, 32, 4)).astype("float32")
blends = rng.uniform(size=(40, 32, 1)).astype("float32")

generator = tf.keras.Sequential(
    [tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(2)]
)
critic = tf.keras.Sequential(
    [tf.keras.layers.Dense(16, activation="tanh"), tf.keras.layers.Dense(1)]
)
generator.build((None, 4))
critic.build((None, 2))
for model in (generator, critic):
    model.set_weights(
        [rng.normal(size=w.shape).astype("float32") * 0.4 for w in model.weights]
    )
g_optimizer = tf.keras.optimizers.Adam(0.02, beta_1=0.5, beta_2=0.9)
c_optimizer = tf.keras.optimizers.Adam(0.02, beta_1=0.5, beta_2=0.9)


def gradient_penalty(real, fake, alpha):
    interpolated = real + alpha * (fake - real)
    with tf.GradientTape() as gp_tape:
        gp_tape.watch(interpolated)
        prediction = critic(interpolated, training=True)
    grads = gp_tape.gradient(prediction, [interpolated])[0]
    norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1]) + 1e-12)
    return tf.reduce_mean((norm - 1.0) ** 2)


@tf.function
def critic_step(real, noise, alpha):
    with tf.GradientTape() as tape:
        fake = generator(noise, training=True)
        cost = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
        penalty = gradient_penalty(real, fake, alpha)
        loss = cost + 10.0 * penalty
    grads = tape.gradient(loss, critic.trainable_variables)
    c_optimizer.apply_gradients(zip(grads, critic.trainable_variables, strict=True))
    return cost, penalty


@tf.function
def generator_step(noise):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(noise, training=True)))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_optimizer.apply_gradients(zip(grads, generator.trainable_variables, strict=True))
    return loss


def distance():
    fake = tf.reduce_mean(generator(noises.reshape(-1, 4)), axis=0)
    return float(tf.norm(fake - real_data.mean(axis=0)))


start, log = distance(), []
for i in range(40):
    real_batch = tf.constant(real_data[(i * 32) % 128 :][:32])
    for k in range(3):
        cost, penalty = critic_step(real_batch, noises[i], blends[(i + k) % 40])
    log.append([float(cost), float(penalty), float(generator_step(noises[i]))])
end = distance()
print(f"distance of the means: {start:.3f} -> {end:.3f}")
assert end < 0.9 * start
assert np.isfinite(log).all() and log[-1][1] < 1.0
# What TensorFlow 2.21 gave.
expected = [2.30202, 0.50232, 0.059527, 0.56892, -1.0466, 0.018221, -0.068882, 0.41537]
assert np.allclose([start, *log[0], *log[5], end], expected, rtol=1e-3)
print("RESULT", json.dumps([start, *log[0], *log[5], end]))
