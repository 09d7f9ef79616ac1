"""Initializers without randomness."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.late_import import late_import
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import convert_to_tensor
from minikeras.initializers.initializer import Initializer


def _filled(shape, value, dtype):
    """A new array: made by numpy, since JAX compiles a program for each shape."""
    return jax.device_put(np.full(shape, value, dtypes.as_jax(dtype)))


class Constant(Initializer):
    """Every entry is `value`.

    Args:
        value: number, or array that broadcasts to the weight's shape.

    >>> Constant(2.5)((2,)).tolist()
    [2.5, 2.5]
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype` filled with `value`."""
        if isinstance(self.value, (bool, int, float)):
            return _filled(shape, self.value, dtype)
        value = convert_to_tensor(self.value, dtypes.standardize_dtype(dtype))
        return jnp.broadcast_to(value, shape)

    def get_config(self):
        """`{"value": ...}`."""
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config):
        """The initializer of `get_config()`."""
        return cls(value=deserialize_keras_object(config["value"]))


class Zeros(Initializer):
    """Every entry is 0."""

    def __call__(self, shape, dtype=None):
        """Zeros of `shape` and `dtype`."""
        return _filled(shape, 0, dtype)


class Ones(Initializer):
    """Every entry is 1."""

    def __call__(self, shape, dtype=None):
        """Ones of `shape` and `dtype`."""
        return _filled(shape, 1, dtype)


class Identity(Initializer):
    """`gain` on the diagonal, 0 elsewhere, for matrices.

    Args:
        gain: what stands on the diagonal.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        """Matrix of `shape` and `dtype`."""
        if len(shape) != 2:
            raise ValueError(
                f"Identity: expected the shape of a matrix, got {tuple(shape)}."
            )
        dtype = dtypes.as_jax(dtype)
        return jnp.asarray(self.gain * jnp.eye(*shape, dtype=dtype), dtype)

    def get_config(self):
        """`{"gain": ...}`, but for the default: Keras never writes it."""
        return {} if self.gain == 1.0 else {"gain": self.gain}


def stft_kernel(shape, side, window=None, scaling=None, periodic=False):
    """Kernel w_t cos(2πtf / n) or -w_t sin(2πtf / n) of a convolution, as numpy.

    Args:
        shape: (frame length, 1, frequencies), frequencies = n / 2 + 1.
        side: "real" or "imag".
        window: None, a name known to `scipy.signal`, or one number per time.
        scaling: divide w by sqrt(Σw²) ("density"), by Σw ("spectrum") or by 1 (None).
        periodic: is the window periodic, not symmetric?
    """
    length, _, frequencies = shape
    angle = 2 * np.pi / (2 * (frequencies - 1))
    angle = angle * np.arange(length)[:, None, None] * np.arange(frequencies)
    kernel = np.cos(angle) if side == "real" else -np.sin(angle)
    if window is None:
        return kernel
    if isinstance(window, str):
        get_window = late_import("scipy.signal").get_window
        window = get_window(window, length, periodic)
    weights = np.asarray(window, "float64").reshape(-1, 1, 1)
    if scaling == "density":
        weights = weights / np.sqrt(np.sum(weights**2))
    elif scaling == "spectrum":
        weights = weights / np.sum(weights)
    return kernel * weights


class STFT(Initializer):
    """Makes a 1D convolution compute a short-time Fourier transform.

    Args:
        side: "real" or "imag": which part.
        window: None, the name of a window of `scipy.signal`, or its values.
        scaling: "density", "spectrum" or None: how the window is scaled.
        periodic: is the window periodic, not symmetric?

    Raises:
        ValueError: unknown side, window or scaling.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag', got {side!r}.")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(
                f"STFT: scaling must be 'density', 'spectrum' or None, got {scaling!r}."
            )
        if isinstance(window, str):
            get_window = late_import("scipy.signal").get_window
            get_window(window, 1)  # raises ValueError for an unknown name
        self.side, self.window = side, window
        self.scaling, self.periodic = scaling, periodic

    def __call__(self, shape, dtype=None):
        """Kernel of `shape` (frame length, 1, frequencies)."""
        kernel = stft_kernel(shape, self.side, self.window, self.scaling, self.periodic)
        return jnp.asarray(kernel, dtypes.as_jax(dtype))

    def get_config(self):
        """The constructor's arguments."""
        return {
            "side": self.side,
            "window": self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
        }
