"""Fourier transforms, with complex arrays as pairs (real, imaginary)."""

import jax.numpy as jnp

from minikeras.core.late_import import late_import
from minikeras.core.loading import reserve
from minikeras.core.symbolic import op
from minikeras.core.variable import as_array
from minikeras.ops.convert import as_float
from minikeras.ops.keras_modules import MATH

__all__ = [
    "extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft",
]  # fmt: skip


def _complex(x, rank):
    """The complex array of a pair, checked."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            "Input `x` should be a tuple of two tensors, the real and the imaginary "
            f"part. Received: x={x}"
        )
    real, imag = (as_float(part) for part in x)
    if real.shape != imag.shape:
        raise ValueError(
            "Both the real and imaginary parts should have the same shape. Received: "
            f"x[0].shape={real.shape}, x[1].shape={imag.shape}"
        )
    if real.ndim < rank:
        raise ValueError(
            f"Input should have rank >= {rank}. Received: shape={real.shape}"
        )
    # 1j has no width of its own: float32 parts give complex64.
    return real + 1j * imag


def _pair(x):
    """A complex array as (real, imaginary)."""
    return jnp.real(x), jnp.imag(x)


@op(name="FFT", module=MATH)
def fft(x):
    """Discrete Fourier transform Σₜ xₜ exp(-2πi kt / n) along the last axis.

    Args:
        x: pair of (…, n) float arrays, the real and the imaginary parts.

    Returns:
        Pair of (…, n) arrays.

    Raises:
        ValueError: `x` is no pair of arrays of one shape.

    >>> real, imag = fft(([1.0, 2.0], [0.0, 0.0]))
    >>> real.tolist(), imag.tolist()
    ([3.0, -1.0], [0.0, 0.0])
    """
    return _pair(jnp.fft.fft(_complex(x, 1)))


@op(name="FFT2", module=MATH)
def fft2(x):
    """Discrete Fourier transform along the last two axes.

    Args:
        x: pair of (…, n, m) float arrays, the real and the imaginary parts.

    Returns:
        Pair of (…, n, m) arrays.

    Raises:
        ValueError: `x` is no pair of arrays of one shape with two axes or more.

    >>> real, imag = fft2(([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]))
    >>> real.tolist()
    [[10.0, -2.0], [-4.0, 0.0]]
    """
    return _pair(jnp.fft.fft2(_complex(x, 2)))


@op(name="IFFT2", module=MATH)
def ifft2(x):
    """Inverse discrete Fourier transform along the last two axes.

    Args:
        x: pair of (…, n, m) float arrays, the real and the imaginary parts.

    Returns:
        Pair of (…, n, m) arrays.

    Raises:
        ValueError: `x` is no pair of arrays of one shape with two axes or more.

    >>> real, imag = ifft2(([[10.0, -2.0], [-4.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]))
    >>> real.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return _pair(jnp.fft.ifft2(_complex(x, 2)))


@op(name="RFFT", module=MATH)
def rfft(x, fft_length=None):
    """`fft` of a real array, without the redundant half of the frequencies.

    Args:
        x: (…, n) float array.
        fft_length: int, the length to which `x` is cut or padded with zeros; n by
            default.

    Returns:
        Pair of (…, fft_length // 2 + 1) arrays, the real and the imaginary parts.

    Raises:
        ValueError: `x` is a scalar.

    >>> real, imag = rfft([1.0, 2.0, 3.0, 2.0])
    >>> real.tolist(), imag.tolist()
    ([8.0, -2.0, 0.0], [0.0, 0.0, 0.0])
    """
    x = as_float(x)
    if x.ndim < 1:
        raise ValueError(f"Input should have rank >= 1. Received: shape={x.shape}")
    return _pair(jnp.fft.rfft(x, fft_length))


@op(name="IRFFT", module=MATH)
def irfft(x, fft_length=None):
    """Inverse of `rfft`: the real array of these frequencies.

    Args:
        x: pair of (…, m) float arrays, the real and the imaginary parts.
        fft_length: int, the length of the result; 2 (m - 1) by default.

    Returns:
        (…, fft_length) float array.

    Raises:
        ValueError: `x` is no pair of arrays of one shape.

    >>> irfft(([8.0, -2.0, 0.0], [0.0, 0.0, 0.0])).tolist()
    [1.0, 2.0, 3.0, 2.0]
    """
    return jnp.fft.irfft(_complex(x, 1), fft_length)


def _positive(**sizes):
    """ValueError unless all are ints >= 1."""
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"`{name}` must be a positive integer, got {size!r}.")


@op(module=MATH)
def extract_sequences(x, sequence_length, sequence_stride):
    """Overlapping windows of the last axis.

    Args:
        x: (…, n) array.
        sequence_length: int, entries in a window.
        sequence_stride: int, entries from the start of a window to that of the next.

    Returns:
        (…, 1 + (n - sequence_length) // sequence_stride, sequence_length) array.

    Raises:
        ValueError: a length or stride is no positive int, or `x` is a scalar.

    >>> extract_sequences([0, 1, 2, 3, 4], 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    _positive(sequence_length=sequence_length, sequence_stride=sequence_stride)
    x = as_array(x)
    if x.ndim < 1:
        raise ValueError(f"Input should have rank >= 1. Received: shape={x.shape}")
    count = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    return x[..., _window_indices(count, sequence_length, sequence_stride)]


def _window_indices(count, length, stride):
    """The indices of the entries of overlapping windows, (count, length)."""
    return stride * jnp.arange(count)[:, None] + jnp.arange(length)


def _window(window, length, fft_length, dtype):
    """(fft_length,) weights, with the window in the middle and zeros around it."""
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                "If a string is passed to `window`, it must be 'hann' or 'hamming', "
                f"got {window!r}."
            )
        # Imported late: scipy.signal takes time that most programs never need.
        get_window = late_import("scipy.signal").get_window
        window = get_window(window, length)
    if window is None:
        return jnp.ones(fft_length, dtype)
    weights = as_array(window)
    if weights.shape != (length,):
        raise ValueError(
            "The shape of `window` must be equal to (sequence_length,), which is "
            f"({length},); got {weights.shape}."
        )
    left = (fft_length - length) // 2
    return jnp.pad(weights.astype(dtype), (left, fft_length - length - left))


def _check_lengths(sequence_length, sequence_stride, fft_length):
    _positive(
        sequence_length=sequence_length,
        sequence_stride=sequence_stride,
        fft_length=fft_length,
    )
    if sequence_length > fft_length:
        raise ValueError(
            "`fft_length` must equal or be larger than `sequence_length`, got "
            f"sequence_length={sequence_length}, fft_length={fft_length}."
        )


@op(name="STFT", tensors=("x",), module=MATH)
def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """Short-time Fourier transform: `rfft` of overlapping windows.

    Args:
        x: (…, n) float array.
        sequence_length: int, entries in a window.
        sequence_stride: int, entries from the start of a window to that of the next.
        fft_length: int >= sequence_length, length of the transform.
        window: weights of the entries: "hann", "hamming", a (sequence_length,) array,
            or None for ones.
        center: pad both ends with their mirror image, so that the middle of window t
            lies at entry t · sequence_stride.

    Returns:
        Pair of (…, windows, fft_length // 2 + 1) arrays, the real and the imaginary
        parts.

    Raises:
        ValueError: a length does not fit, or an unknown window.
        TypeError: `x` has no floats.

    >>> real, imag = stft(jnp.ones(8), 4, 2, 4, window=None, center=False)
    >>> real.shape, real[0].tolist()
    ((3, 3), [4.0, 0.0, 0.0])
    """
    _check_lengths(sequence_length, sequence_stride, fft_length)
    reserve(fft_length, f"a window of fft_length={fft_length}")
    x = as_array(x)
    if not x.ndim:
        raise ValueError("stft: expected an array of one axis or more, got a scalar.")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"stft: x must be `float32` or `float64`, got {x.dtype}.")
    if center:
        # Mirrored ends, so that the first window has its middle at the first entry.
        ends = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = jnp.pad(x, ends, mode="reflect")
    weights = _window(window, sequence_length, fft_length, x.dtype)
    count = 1 + (x.shape[-1] - fft_length) // sequence_stride
    frames = x[..., _window_indices(count, fft_length, sequence_stride)]
    return _pair(jnp.fft.rfft(frames * weights))


@op(name="ISTFT", tensors=("x",), module=MATH)
def istft(
    x,
    sequence_length,
    sequence_stride,
    fft_length,
    length=None,
    window="hann",
    center=True,
):
    """Inverse of `stft`: windows are added and their weights divided out.

    Args:
        x: pair of (…, windows, fft_length // 2 + 1) float arrays, the real and the
            imaginary parts.
        sequence_length: int, entries in a window.
        sequence_stride: int, entries from the start of a window to that of the next.
        fft_length: int >= sequence_length, length of the transform.
        length: int, length of the result; None for all that the windows cover.
        window: weights of the entries: "hann", "hamming", a (sequence_length,) array,
            or None for ones.
        center: the windows are those of `stft` with `center=True`.

    Returns:
        (…, length) float array.

    Raises:
        ValueError: a length does not fit, an unknown window, or `x` is no pair.

    >>> pair = stft(jnp.arange(8.0), 4, 2, 4)
    >>> istft(pair, 4, 2, 4).round().tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    _check_lengths(sequence_length, sequence_stride, fft_length)
    spectrum = _complex(x, 2)
    frames = jnp.fft.irfft(spectrum, fft_length)
    weights = _window(window, sequence_length, fft_length, frames.dtype)
    count = frames.shape[-2]
    indices = _window_indices(count, fft_length, sequence_stride)
    total = fft_length + sequence_stride * (count - 1)
    empty = jnp.zeros((*frames.shape[:-2], total), frames.dtype)
    signal = empty.at[..., indices].add(frames * weights)
    overlap = jnp.zeros(total, frames.dtype).at[indices].add(weights**2)
    # Hann windows are 0 at their ends, where no window tells the signal.
    signal = signal / jnp.where(overlap > 1e-10, overlap, 1.0)
    # As in Keras: without a window, the overlap is not divided out in the middle.
    if window is None:
        signal = signal * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    stop = total - start if length is None else start + length
    return signal[..., start:stop]
