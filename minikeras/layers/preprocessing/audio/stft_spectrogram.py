"""STFTSpectrogram: short-time Fourier transforms as trainable convolutions."""

import math
import warnings

import jax.numpy as jnp

from minikeras import initializers, settings
from minikeras.core.late_import import late_import
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.preprocessing.numeric.encoding import OrderedConfig, check
from minikeras.ops.convolution import conv
from minikeras.settings import standardize_data_format

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def transform(x, kernel, stride, padding):
    """(batch, channels, samples), (window, 1, n) -> (batch, channels, time, n)."""
    channels, samples = x.shape[1:]
    flat = x.reshape(-1, samples, 1)
    y = conv(flat, jnp.asarray(kernel, x.dtype), stride, padding, "channels_last")
    return y.reshape(-1, channels, *y.shape[1:])


def combine(real, imag, mode, epsilon):
    """What a mode shows of real and imaginary parts; epsilon: the least magnitude."""
    if mode in ("real", "imag"):
        return real if mode == "real" else imag
    if mode == "angle":
        return jnp.arctan2(imag, real)
    if mode == "stft":
        return jnp.concatenate([real, imag], axis=-1)
    power = real**2 + imag**2
    if mode == "psd":  # one side: all but the first and the last stand for two
        return power.at[..., 1:-1].multiply(2)
    magnitude = jnp.sqrt(jnp.maximum(power, epsilon))
    return (
        magnitude if mode == "magnitude" else jnp.log(jnp.maximum(magnitude, epsilon))
    )


class STFTSpectrogram(OrderedConfig, Layer):
    """Short-time Fourier transform of signals, by convolutions that can be trained.

    Args:
        mode: what is returned: "log" (of the magnitude), "magnitude", "psd" (power of
            one side), "real", "imag", "angle", or "stft" (real, then imaginary parts).
        frame_length: int, samples of a window.
        frame_step: int in 1..frame_length, samples from one window to the next; None:
            `frame_length // 2`.
        fft_length: int >= frame_length, length of the transform; None: the next power
            of two.
        window: name that `scipy.signal` knows, (frame_length,) array, or None.
        periodic: bool, whether the window is periodic, not symmetric.
        scaling: "density", "spectrum" or None: what divides the window.
        padding: "valid" or "same".
        expand_dims: bool, whether channels and frequencies are axes of their own.
        data_format: "channels_last", "channels_first", or None for the global setting.
        **kwargs: `name`, `dtype`, `trainable` and the other arguments of `keras.Layer`.

    Input shape: (batch, samples, channels), or channels first.
    Output shape: (batch, time, channels · frequencies), or (batch, time, frequencies,
    channels) with `expand_dims`; channels first: (batch, channels · frequencies, time)
    or (batch, channels, time, frequencies). Frequencies: fft_length // 2 + 1.

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.STFTSpectrogram(frame_length=8, mode="magnitude")
    >>> layer(np.ones((2, 32, 1), "float32")).shape
    (2, 7, 5)
    """

    _mk_config = """name trainable dtype mode frame_length frame_step fft_length window
        periodic scaling padding data_format expand_dims"""

    def __init__(
        self, mode="log", frame_length=256, frame_step=None, fft_length=None,
        window="hann", periodic=False, scaling="density", padding="valid",
        expand_dims=False, data_format=None, **kwargs,
    ):  # fmt: skip
        step, size = frame_step or frame_length // 2, fft_length or frame_length
        scalings, paddings = ("density", "spectrum", None), ("valid", "same")
        check(
            self,
            (frame_step is not None and not 1 <= frame_step <= frame_length,
             "`frame_step` should be a positive integer not greater than `frame_length`"
             f", got {frame_step}; frame_length={frame_length}."),
            (size < frame_length, "`fft_length` should be not less than `frame_length`,"
             f" got {fft_length}; frame_length={frame_length}."),
            (mode not in _MODES, "Output mode is invalid, it must be one of "
             f"{_MODES}. Received: mode={mode}"),
            (scaling not in scalings, f"Scaling is invalid, it must be one of "
             f"{scalings}. Received scaling={scaling}"),
            (padding not in paddings, f"Padding is invalid, it should be one of "
             f"{paddings}. Received: padding={padding}"),
        )  # fmt: skip
        if size & (size - 1) and fft_length:
            text = f"`fft_length` is recommended to be a power of two, got {size}."
            warnings.warn(text, stacklevel=2)
        if isinstance(window, str):  # ValueError for an unknown name
            late_import("scipy.signal").get_window(window, 1)
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._mk_set_arguments(locals())
        self._mk_step = step
        self._mk_size = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape):
        """Create the kernels of cosines and sines.

        Args:
            input_shape: (batch, samples, channels), or channels first.
        """
        shape = (self.frame_length, 1, self._mk_size // 2 + 1)
        window = self.window, self.scaling, self.periodic
        for part, other in (("real", "imag"), ("imag", "real")):
            if self.mode != other:
                initializer = initializers.STFT(part, *window)
                kernel = self.add_weight(shape, initializer, name=f"{part}_kernel")
                setattr(self, f"{part}_kernel", kernel)

    def call(self, inputs):
        """The spectrograms.

        Args:
            inputs: float array, (batch, samples, channels), or channels first.

        Raises:
            TypeError: the inputs are no floats.
        """
        if inputs.dtype not in ("float16", "float32", "float64"):
            raise TypeError(
                "Invalid input type. Expected `float16`, `float32` or `float64`. "
                f"Received: input type={inputs.dtype}"
            )
        first = self.data_format == "channels_first"
        x = inputs if first else inputs.swapaxes(1, 2)
        real, imag = (
            None
            if kernel is None
            else transform(x, kernel, self._mk_step, self.padding)
            for kernel in (
                getattr(self, f"{part}_kernel", None) for part in ("real", "imag")
            )
        )
        y = combine(real, imag, self.mode, settings.epsilon())
        if self.expand_dims:
            return y if first else y.transpose(0, 2, 3, 1)
        y = y.swapaxes(2, 3)
        y = y.reshape(-1, y.shape[1] * y.shape[2], y.shape[3])
        return y if first else y.swapaxes(1, 2)
