"""Window functions of signal processing."""

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.ops.op_makers import unary

__all__ = [
    "bartlett", "blackman", "hamming", "hanning", "kaiser",
]  # fmt: skip


def _window(function, formula, example):
    """The op of a window function of `x` points."""

    # `x` decides the shape, so that it is an int and no tracer.
    def window(x):
        return function(int(x)).astype(dtypes.floatx())

    return unary(
        window,
        formula,
        example,
        function.__name__,
        x="int, the number of points.",
        returns="(x,) array, `floatx()`.",
    )


bartlett = _window(
    jnp.bartlett,
    "Triangular window 1 - |2n / (x - 1) - 1|, 0 at the ends.",
    "5 -> [0.0, 0.5, 1.0, 0.5, 0.0]",
)
blackman = _window(
    jnp.blackman,
    "Blackman window 0.42 - 0.5 cos 2πt + 0.08 cos 4πt, t = n / (x - 1).",
    """>>> blackman(5)[:3].round(2).tolist()
[-0.0, 0.34..., 1.0]""",
)
hamming = _window(
    jnp.hamming,
    "Hamming window 0.54 - 0.46 cos 2πt, t = n / (x - 1).",
    "3 -> [0.08..., 1.0, 0.08...]",
)
hanning = _window(
    jnp.hanning,
    "Hann window 0.5 - 0.5 cos 2πt, t = n / (x - 1).",
    "5 -> [0.0, 0.5, 1.0, 0.5, 0.0]",
)


def kaiser(x, beta):
    """Kaiser window I₀(β √(1 - (2n / (x - 1) - 1)²)) / I₀(β).

    Args:
        x: int, the number of points.
        beta: β, a number; 0 gives a rectangular window.

    Returns:
        (x,) array, `floatx()`.

    >>> kaiser(3, 0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    return jnp.kaiser(int(x), beta).astype(dtypes.floatx())
