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


def _full(shape, value, dtype):
    """An array of one value, by NumPy: JAX would compile a program for each shape."""
    return jax.device_put(np.full(shape, value, dtypes.as_jax(dtype)))


class Constant(Initializer):
    """Every entry is `value`.

    Args:
        value: number, or array that broadcasts to the shape of the weight.

    >>> Constant(2.5)((2,)).tolist()
    [2.5, 2.5]
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype` filled with `value`."""
        if isinstance(self.value, (bool, int, float)):
            return _full(shape, self.value, dtype)
        value = convert_to_tensor(self.value, dtypes.standardize_dtype(dtype))
        return jnp.broadcast_to(value, shape)

    def get_config(self):
        """`{"value": ...}`."""
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config):
        """Make an initializer from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(deserialize_keras_object(config["value"]))


class Zeros(Initializer):
    """Every entry is 0.

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape, dtype=None):
        """Zeros of `shape` and `dtype`."""
        return _full(shape, 0, dtype)


class Ones(Initializer):
    """Every entry is 1.

    >>> Ones()((2,), dtype="int32").tolist()
    [1, 1]
    """

    def __call__(self, shape, dtype=None):
        """Ones of `shape` and `dtype`."""
        return _full(shape, 1, dtype)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere.

    Args:
        gain: number, the value of the diagonal.

    Raises:
        ValueError: called with a shape that is no matrix's.

    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
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
        """`{"gain": ...}`; `{}` for the default."""
        # Keras never writes the gain. Without this config of ours, a loaded
        # `Identity(2.0)` would have the gain 1.
        return {} if self.gain == 1.0 else {"gain": self.gain}


def stft_kernel(shape, side, window=None, scaling=None, periodic=False):
    """The kernel w_t cos(2πtf / n), or -w_t sin(2πtf / n), of a convolution.

    Args:
        shape: (frame length, 1, frequencies) with frequencies = n / 2 + 1.
        side: "real" for the cosine, "imag" for the sine.
        window: the window w: a name known to `scipy.signal`, (frame length,) numbers,
            or None for 1.
        scaling: w is divided by sqrt(Σw²) ("density"), Σw ("spectrum") or 1 (None).
        periodic: True for a periodic window, False for a symmetric one.

    Returns:
        NumPy array of the shape.
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
    """w_t cos(2πtf / n): a 1D convolution becomes a short-time Fourier transform.

    The shape of the weight is (frame length, 1, n / 2 + 1 frequencies).

    Args:
        side: "real" for cosines, "imag" for -sines.
        window: the window w: a name known to `scipy.signal`, (frame length,) numbers,
            or None for 1.
        scaling: w is divided by sqrt(Σw²) ("density"), Σw ("spectrum") or 1 (None).
        periodic: True for a periodic window, False for a symmetric one.

    Raises:
        ValueError: unknown side, window or scaling.

    >>> STFT("real", window=None)((3, 1, 3))[:, 0, 2].tolist()
    [1.0, -1.0, 1.0]
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
            get_window(
                window, 1
            )  # ValueError for an unknown name, here and not in build
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
