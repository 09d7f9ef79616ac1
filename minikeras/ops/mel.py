"""Spectrograms on the mel scale, on which equal steps sound equal."""

from functools import partial

import jax
import jax.numpy as jnp

from minikeras.ops.fourier import stft


def hertz_to_mel(frequency):
    """1127 log(1 + f / 700): equal steps sound equal."""
    return 1127.0 * jnp.log(1.0 + frequency / 700.0)


def mel_matrix(bands, frequencies, sampling_rate, low, high, dtype="float32"):
    """Weights of frequencies in bands of equal width in mel, as overlapping triangles.

    Args:
        bands: int, the number of bands.
        frequencies: int, the number of frequencies from 0 to sampling_rate / 2.
        sampling_rate: number, samples per second.
        low, high: floats, the edges of the bands in hertz.
        dtype: of the result.

    Returns:
        (frequencies, bands) array. The frequency 0 has no weight.
    """
    nyquist = jnp.asarray(sampling_rate, dtype) / 2.0
    mel = hertz_to_mel(jnp.linspace(jnp.asarray(0.0, dtype), nyquist, frequencies)[1:])
    low, high = (hertz_to_mel(jnp.asarray(f, dtype)) for f in (low, high))
    edges = jnp.linspace(low, high, bands + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (mel[:, None] - left) / (middle - left)
    falling = (right - mel[:, None]) / (right - middle)
    return jnp.pad(jnp.maximum(0.0, jnp.minimum(rising, falling)), ((1, 0), (0, 0)))


def decibels(power, top_db, min_power, ref_power):
    """10 log10(power / |ref_power|), at most `top_db` below the largest."""
    level = 10.0 * jnp.log10(jnp.maximum(power, min_power))
    level -= 10.0 * jnp.log10(jnp.maximum(jnp.abs(jnp.asarray(ref_power)), min_power))
    return jnp.maximum(level, level.max(initial=-jnp.inf) - top_db)


@partial(jax.jit, static_argnames=("lengths", "name", "mel", "mag_exp", "db"))
def mel_spectrogram(x, window, *, lengths, name, mel, mag_exp, db):
    """Mel spectrogram of signals, (…, samples) -> (…, bands, time).

    Args:
        x: (…, samples) float array.
        window: array of weights, or None.
        lengths: sequence_length, sequence_stride and fft_length of `stft`.
        name: of a window in place of `window`, or None.
        mel: arguments of `mel_matrix` but the second.
        mag_exp: float, 1 for magnitudes, 2 for powers.
        db: the last arguments of `decibels`; None leaves the powers.
    """
    real, imag = stft(x, *lengths, window=window if name is None else name)
    power = jnp.sqrt(real**2 + imag**2) ** mag_exp
    y = power @ mel_matrix(mel[0], power.shape[-1], *mel[1:])
    return (y if db is None else decibels(y, *db)).swapaxes(-1, -2)
