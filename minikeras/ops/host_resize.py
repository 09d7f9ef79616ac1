"""Images scaled on the host, in NumPy: `jax.image.resize` without a compilation.

A data pipeline sees images of many sizes. A program for each takes about 0.1 s to
compile; two matrices of weights take microseconds.
"""

import functools

import numpy as np


def _triangle(x):
    return np.maximum(0, 1 - x)


def _cubic(x):
    """The kernel of Keys 1981 with a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def _lanczos(x, radius):
    window = np.sinc(x) * np.sinc(x / radius)
    return np.where(x > radius, 0, window)


@functools.lru_cache(maxsize=1024)
def resize_weights(old, new, interpolation, antialias):
    """The matrix (new, old), float32, that scales an axis from `old` to `new` entries.

    >>> resize_weights(2, 4, "bilinear", False)[:, 0].tolist()
    [1.0, 0.75, 0.25, 0.0]
    """
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    if interpolation == "nearest":
        weights = np.eye(old)[np.floor(places + 0.5).astype(int).clip(0, old - 1)]
    else:
        width = max(old / new, 1) if antialias else 1
        x = np.abs(places[:, None] - np.arange(old)) / width
        kernels = {
            "bilinear": _triangle,
            "bicubic": _cubic,
            "lanczos3": functools.partial(_lanczos, radius=3),
            "lanczos5": functools.partial(_lanczos, radius=5),
        }
        weights = kernels[interpolation](x)
        # Near the border a part of the kernel has no pixel: the rest sums to 1.
        weights /= weights.sum(axis=1, keepdims=True)
    weights = weights.astype("float32")
    weights.flags.writeable = False  # the cache gives it to all
    return weights


def _along(x, weights, axis):
    """Matrix products along axis -3, -2 or -1, without a copy of the array."""
    if axis == -1:
        return x @ weights.T
    if axis == -2:
        return weights @ x
    y = weights @ x.reshape(*x.shape[:-2], -1)
    return y.reshape(*y.shape[:-1], *x.shape[-2:])


def host_resize(images, size, rows_axis=-3, interpolation="bilinear", antialias=False):
    """Images (…, h, w, c) as (…, *size, c), in their own dtype; integers are rounded.

    Args:
        images: array of NumPy.
        size: height and width.
        rows_axis: negative number of the axis of the height; the next is the width.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: blur before an image shrinks.
    """
    x = np.asarray(images)
    if interpolation != "nearest":
        x = x.astype("float64" if x.dtype == "float64" else "float32")
    for axis, new in zip((rows_axis, rows_axis + 1), size, strict=True):
        old = x.shape[axis]
        weights = resize_weights(old, new, interpolation, antialias)
        if interpolation == "nearest":
            x = np.take(x, weights.argmax(axis=1), axis=axis)
        elif old != new:
            x = _along(x, weights, axis)
    if images.dtype.kind in "iu" and x.dtype != images.dtype:
        limits = np.iinfo(images.dtype)
        x = np.round(x).clip(limits.min, limits.max)
    return x.astype(images.dtype)
