"""How far two arrays are apart."""

import numpy as np

EPSILON = float(np.finfo("float32").eps)
# Values below this size are compared as if they had it: 1e-8 beside 0 is no difference.
_SMALLEST_SCALE = 1e-3


def size(x: np.ndarray) -> float:
    """The largest finite magnitude."""
    x = np.abs(x.astype("float64").ravel())
    x = x[np.isfinite(x)]
    return float(x.max()) if x.size else 0.0


def apart(a: np.ndarray, b: np.ndarray, smallest: float = _SMALLEST_SCALE) -> float:
    """The largest difference relative to the largest value; inf for unlike arrays.

    Whole numbers are equal, or 1 apart.

    Args:
        a, b: arrays of numbers; NaN and infinity must stand at the same places.
        smallest: size that the values are taken to have at least.
    """
    if a.shape != b.shape:
        return float("inf")
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        return float(not np.array_equal(a, b))  # seeds, counters, indices: exact
    if a.dtype.kind not in "fcbiu" or b.dtype.kind not in "fcbiu":
        return 0.0 if np.array_equal(a, b) else float("inf")
    kind = "complex128" if "c" in (a.dtype.kind, b.dtype.kind) else "float64"
    a, b = a.astype(kind), b.astype(kind)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    if not np.array_equal(finite, np.isfinite(b)):
        return float("inf")
    if not finite.any():
        return 0.0
    scale = max(np.abs(a[finite]).max(), np.abs(b[finite]).max(), smallest)
    return float(np.abs(a[finite] - b[finite]).max() / scale) if scale else 0.0


def worst_element(theirs: np.ndarray, ours: np.ndarray) -> str:
    """The place where two arrays are furthest apart, in words."""
    if theirs.shape != ours.shape:
        return f"shape {theirs.shape} there, {ours.shape} here"
    if not theirs.size or theirs.dtype.kind not in "fbiu":
        return "unlike values"
    gap = np.abs(theirs.astype("float64") - ours.astype("float64"))
    place = np.unravel_index(np.argmax(np.where(np.isnan(gap), np.inf, gap)), gap.shape)
    at = f" at {[int(i) for i in place]}" if place else ""
    return f"{theirs[place]:.7g} there, {ours[place]:.7g} here{at}"


def half_epsilon(x: np.ndarray) -> float:
    """Machine epsilon of the half precision that the values come from; 0 for others.

    Half precision travels as float32. A few values may be round by chance: they are
    taken for float32.

    >>> half_epsilon(np.arange(20, dtype="float32") / 4)
    0.0078125
    >>> half_epsilon(np.linspace(0, 1, 20, dtype="float32"))
    0.0
    """
    if x.dtype != np.float32 or x.size < 16 or np.unique(x).size < 9:
        return 0.0
    if not (x.view("uint32") & 0xFFFF).any():
        return 2.0**-7  # bfloat16: the upper half of a float32
    with np.errstate(over="ignore"):
        is_half = np.array_equal(x, x.astype("float16"), equal_nan=True)
    return 2.0**-10 if is_half else 0.0
