# needs: jax_privacy
# ruff: noqa: E402
"""jax-privacy's Keras API: per-example clipping and noise, checked by numbers."""

import minikeras

minikeras.install_as_keras()

import keras
import numpy as np
from jax_privacy import keras_api
from jax_privacy.accounting import accountants, analysis

# Coarser than the one by default, which takes seconds for each model.
keras_api.DPKerasConfig._accountant = analysis.DpsgdTrainingAccountant(
    dp_accountant_config=accountants.PldAccountantConfig(
        value_discretization_interval=0.1
    )
)

rng = np.random.default_rng(0)
x = rng.normal(size=(32, 3)).astype("float32")
CLIP, BATCH, UNITS = 0.5, 8, 60
y = rng.normal(size=(32, UNITS)).astype("float32")


def private(noise, epsilon=1e6, seed=0, **changes):
    keras.utils.set_random_seed(3)
    layer = keras.layers.Dense(UNITS, use_bias=False)
    model = keras.Sequential([keras.Input((3,)), layer])
    options = {"batch_size": BATCH, "gradient_accumulation_steps": 1, **changes}
    config = keras_api.DPKerasConfig(
        epsilon=epsilon,
        delta=1e-5,
        clipping_norm=CLIP,
        train_steps=100,
        train_size=len(x),
        noise_multiplier=noise,
        rescale_to_unit_norm=False,
        seed=seed,
        **options,
    )
    model = keras_api.make_private(model, config)
    model.compile(keras.optimizers.SGD(1.0), "mse", metrics=["mae"])
    return model


def change(model, rows):
    """Minus the change of the kernel in an epoch: with SGD(1), the gradients."""
    before = model.trainable_weights[0].numpy()
    model.fit(x[:rows], y[:rows], batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    return before - model.trainable_weights[0].numpy()


def short(model):
    """Let the model train on one batch alone."""
    object.__setattr__(model._dp_params, "train_size", BATCH)
    return model


def clipped(kernel, x, y):
    """Mean over the batch of each example's gradient, none longer than CLIP."""
    slopes = x[:, :, None] * (2 / UNITS * (x @ kernel - y))[:, None, :]
    norms = np.sqrt(np.square(slopes).sum((1, 2), keepdims=True))
    return (slopes * np.minimum(1, CLIP / norms)).mean(0)


class Shown(keras.callbacks.Callback):
    logs = ()

    def on_epoch_end(self, epoch, logs=None):
        self.logs = set(logs)


# Clipping: with next to no noise the step is the mean of the clipped gradients.
# The accountant would refuse that little, so it is set afterwards.
quiet = private(noise=0.05, epsilon=1e9)
kernel = quiet.trainable_weights[0].numpy()
wanted = clipped(kernel, x[:BATCH], y[:BATCH])
assert np.linalg.norm(wanted) <= CLIP
object.__setattr__(short(quiet)._dp_params, "noise_multiplier", 1e-9)
np.testing.assert_allclose(change(quiet, BATCH), wanted, atol=1e-5)
assert int(quiet.non_trainable_weights[1].numpy()[0]) == 1  # optimizer steps

# Noise: of standard deviation noise * CLIP / BATCH on each weight, by the seed.
noisy = change(short(private(5.0, seed=4)), BATCH)
deviation = np.std(noisy - wanted) / (5.0 * CLIP / BATCH)
assert 0.8 < deviation < 1.2, deviation
np.testing.assert_array_equal(change(short(private(5.0, seed=4)), BATCH), noisy)
assert (change(short(private(5.0, seed=5)), BATCH) != noisy).all()

# A plain run of some epochs, with Poisson sampling, microbatches and logs.
sampled = private(noise=1.0, poisson_sampling_in_fit=True, microbatch_size=4)
shown = Shown()
sampled.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=[shown])
assert shown.logs == {"loss", "mae"}
assert int(sampled.non_trainable_weights[1].numpy()[0]) == 8
assert np.isfinite(sampled.predict(x, verbose=0)).all()
try:
    sampled.fit(x, y, batch_size=BATCH, epochs=100, verbose=0)
except RuntimeError as error:
    assert "budget" in str(error)
else:
    raise AssertionError("The budget of 100 steps was expected to end.")
