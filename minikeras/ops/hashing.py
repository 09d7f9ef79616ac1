"""Hashes of byte strings, vectorized in NumPy: FarmHash and SipHash.

They are those of TensorFlow, so that hashed features agree with models trained there.
All arithmetic is modulo 2**64. A hash reads its string in words of 8 bytes that may
overlap: the strings lie in one buffer, and a word at every byte of it is a view.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

U64 = np.uint64
# The primes of FarmHash and of CityHash's combination of two hashes.
_K0, _K1 = U64(0xC3A5C85C97CB3127), U64(0xB492B66FBE98F273)
_K2, _CROSSING = U64(0x9AE16A3B2F90404F), U64(0xC6A4A7935BD1E995)
_CROSSING_START = U64(0xDECAFCAFFE)


def _rotate(x, n):
    """Rotate right by n of 64 bits."""
    return (x >> U64(n)) | (x << U64(64 - n))


def _mix(x, n=47):
    """x xor its upper bits."""
    return x ^ (x >> U64(n))


class _Bytes:
    """Strings as one buffer, with words of it at any byte."""

    def __init__(self, strings: Sequence[bytes]):
        self.lengths = np.fromiter(map(len, strings), np.int64, len(strings))
        self.starts = np.cumsum(self.lengths) - self.lengths
        self._buffer = np.frombuffer(b"".join(strings) + bytes(8), np.uint8)
        count = len(self._buffer) - 7
        self._words = np.ndarray((count,), "<u8", self._buffer, strides=(1,))

    def word(self, positions):
        """The little-endian uint64 at these bytes of the buffer."""
        return self._words[positions]

    def half(self, positions):
        """The uint32 at these bytes, as uint64."""
        return self._words[positions] & U64(0xFFFFFFFF)

    def byte(self, positions):
        """The bytes, as uint64."""
        return self._buffer[positions].astype(np.uint64)


def _hash16(u, v, mul):
    """Hash of two words."""
    a = _mix((u ^ v) * mul)
    return _mix((v ^ a) * mul) * mul


def _farm_3(text, s, n):
    """Fingerprint64 of 1 to 3 bytes."""
    y = text.byte(s) + (text.byte(s + n // 2) << U64(8))
    z = n.astype(np.uint64) + (text.byte(s + n - 1) << U64(2))
    return _mix(y * _K2 ^ z * _K0) * _K2


def _farm_7(text, s, n):
    """Fingerprint64 of 4 to 7 bytes."""
    length = n.astype(np.uint64)
    first = length + (text.half(s) << U64(3))
    return _hash16(first, text.half(s + n - 4), _K2 + length * U64(2))


def _farm_16(text, s, n):
    """Fingerprint64 of 8 to 16 bytes."""
    mul = _K2 + n.astype(np.uint64) * U64(2)
    a, b = text.word(s) + _K2, text.word(s + n - 8)
    return _hash16(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)


def _ends(text, s, n):
    """The first and the last two words of 17 to 64 bytes, mixed."""
    mul = _K2 + n.astype(np.uint64) * U64(2)
    return mul, text.word(s + 8), text.word(s + n - 8) * mul, text.word(s + n - 16)


def _farm_32(text, s, n):
    """Fingerprint64 of 17 to 32 bytes."""
    mul, b, c, d = _ends(text, s, n)
    a = text.word(s) * _K1
    u = _rotate(a + b, 43) + _rotate(c, 30) + d * _K2
    return _hash16(u, a + _rotate(b + _K2, 18) + c, mul)


def _farm_64(text, s, n):
    """Fingerprint64 of 33 to 64 bytes."""
    mul, b, c, d = _ends(text, s, n)
    a = text.word(s) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d * _K2
    z = _hash16(y, a + _rotate(b + _K2, 18) + c, mul)
    e, f = text.word(s + 16) * mul, text.word(s + 24)
    g, h = (y + text.word(s + n - 32)) * mul, (z + text.word(s + n - 24)) * mul
    u = _rotate(e + f, 43) + _rotate(g, 30) + h
    return _hash16(u, e + _rotate(f + a, 18) + g, mul)


def _weak_32(text, s, a, b):
    """Mix 32 bytes into a pair of words."""
    w, x, y, z = (text.word(s + 8 * i) for i in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    total = a + x + y
    return total + z, b + _rotate(total, 44) + a


def _block(text, s, state, mul, first, second):
    """Mix 64 bytes into the state; `first`, `second` weigh two of its words."""
    x, y, z, v, w = state
    x = _rotate(x + y + v[0] + text.word(s + 8), 37) * mul
    y = _rotate(y + v[1] + text.word(s + 48), 42) * mul
    x = x ^ (w[1] * first)
    y = y + v[0] * second + text.word(s + 40)
    z = _rotate(z + w[0], 33) * mul
    v = _weak_32(text, s, v[1] * mul, x + w[0])
    w = _weak_32(text, s + 32, z + w[1], y + text.word(s + 16))
    return z, y, x, v, w  # x and z change places


def _farm_long(text, s, n):
    """Fingerprint64 of more than 64 bytes."""
    # The longest first: those that go on are the first ones of each round.
    order = np.argsort(-n, kind="stable")
    s, n = s[order], n[order]
    one, zero = U64(1), np.zeros(len(s), np.uint64)
    seed = zero + U64(81)
    y = seed * _K1 + U64(113)
    x, z = seed * _K2 + text.word(s), _mix(y * _K2 + U64(113)) * _K2
    state = (x, y, z, (zero, zero), (zero, zero))
    blocks = (n - 1) // 64
    state = jax.tree_util.tree_map(np.copy, state)
    for i in range(blocks.max()):
        on = np.searchsorted(-blocks, -i)  # blocks[:on] > i
        some = jax.tree_util.tree_map(lambda a, on=on: a[:on], state)
        new = _block(text, s[:on] + 64 * i, some, _K1, one, one)
        jax.tree_util.tree_map(lambda a, b: np.copyto(a[: len(b)], b), state, new)
    x, y, z, v, w = state
    mul = _K1 + ((z & U64(0xFF)) << one)
    first = w[0] + ((n - 1) & 63).astype(np.uint64)
    second = v[0] + first
    state = (x, y, z, (second, v[1]), (first + second, w[1]))
    x, y, z, v, w = _block(text, s + n - 64, state, mul, U64(9), U64(9))
    u = _hash16(v[0], w[0], mul) + _mix(y) * _K0 + z
    out = np.empty(len(s), np.uint64)
    out[order] = _hash16(u, _hash16(v[1], w[1], mul) + x, mul)
    return out


# Each function and the length of the longest strings that it takes.
_FARM = ((3, _farm_3), (7, _farm_7), (16, _farm_16), (32, _farm_32), (64, _farm_64))


def fingerprint64(strings: Iterable[bytes]) -> np.ndarray:
    """FarmHash's Fingerprint64 of byte strings.

    Args:
        strings: n byte strings of any lengths.

    Returns:
        (n,) uint64 array.

    Source: https://github.com/google/farmhash (farmhashna).

    >>> fingerprint64([b"", b"A"]).tolist()
    [11160318154034397263, 16915294056622060564]
    """
    strings = list(strings)
    text = _Bytes(strings)
    out = np.full(len(strings), _K2)  # that of the empty string
    shortest = 1
    for longest, function in (*_FARM, (np.inf, _farm_long)):
        found = np.flatnonzero((text.lengths >= shortest) & (text.lengths <= longest))
        if len(found):
            out[found] = function(text, text.starts[found], text.lengths[found])
        shortest = longest + 1
    return out


def _sip_rounds(v, count):
    """Rounds of SipHash on four words."""
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _rotate(b, 51) ^ a, _rotate(d, 48) ^ c
        a, c = _rotate(a, 32) + d, c + b
        b, d = _rotate(b, 47) ^ c, _rotate(d, 43) ^ a
        c = _rotate(c, 32)
    return a, b, c, d


def siphash24(strings: Iterable[bytes], key: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of byte strings with a key of 128 bits.

    Args:
        strings: n byte strings of any lengths.
        key: two ints, taken modulo 2**64: the lower and the upper half of the key.

    Returns:
        (n,) uint64 array.

    Source: Aumasson and Bernstein 2012, https://www.aumasson.jp/siphash/siphash.pdf.

    >>> siphash24([b"A"], [133, 137]).tolist()
    [11957819678194627024]
    """
    strings = list(strings)
    text = _Bytes(strings)
    low, high = (U64(k % (1 << 64)) for k in key)
    words = b"somepseu", b"dorandom", b"lygenera", b"tedbytes"  # the paper's constants
    start = [U64(int.from_bytes(w, "big")) for w in words]
    zero = np.zeros(len(strings), np.uint64)
    v = tuple(zero + (a ^ k) for a, k in zip(start, (low, high) * 2, strict=True))
    # The longest first: those that go on are the first ones of each round.
    order = np.argsort(-text.lengths, kind="stable")
    n, s = text.lengths[order], text.starts[order]
    last = n // 8
    for i in range(last.max(initial=0) + 1):
        on = np.searchsorted(-last, -i, side="right")  # last[:on] >= i
        m, size = text.word(s[:on] + 8 * i), n[:on]
        # The last word: the bytes that are left, and the length in the highest byte.
        tail = m & ((U64(1) << (size % 8 * 8).astype(np.uint64)) - U64(1))
        tail = tail | (size.astype(np.uint64) << U64(56))
        m = np.where(i == last[:on], tail, m)
        a, b, c, d = _sip_rounds((*(x[:on] for x in v[:3]), v[3][:on] ^ m), 2)
        for x, new in zip(v, (a ^ m, b, c, d), strict=True):
            x[:on] = new
    a, b, c, d = _sip_rounds((v[0], v[1], v[2] ^ U64(0xFF), v[3]), 4)
    out = np.empty(len(strings), np.uint64)
    out[order] = a ^ b ^ c ^ d
    return out


def combine(features: Iterable[Any]) -> np.ndarray:
    """One hash for the values of several features, as TensorFlow crosses them.

    Args:
        features: (n,) arrays: uint64 hashes of strings, or int64 values as they are.

    Returns:
        (n,) uint64 array.

    >>> combine([fingerprint64([b"A"]), np.array([101])]) % np.uint64(10)
    array([1], dtype=uint64)
    """
    out = _CROSSING_START
    for feature in features:
        b = np.asarray(feature).astype(np.uint64)
        out = (out ^ _CROSSING) ^ (_mix(b * _CROSSING) * _CROSSING)
        out = _mix(_mix(out * _CROSSING) * _CROSSING)
    return np.atleast_1d(out)


def to_bytes(values: Any, encoding: str = "utf-8") -> list[bytes]:
    """The entries of an array as byte strings: ints in decimal, floats cut.

    Args:
        values: array of strings, bytes, ints, bools or floats, of any shape.
        encoding: of the strings.
    """
    flat = np.ravel(values)
    if flat.dtype.kind == "b":
        return [b"true" if v else b"false" for v in flat]
    if flat.dtype.kind in "iuf":
        return [b"%d" % v for v in flat.astype(np.int64).tolist()]
    entries = flat.tolist()
    kinds = {*map(type, entries)}
    if kinds and kinds <= {int, bool}:
        return [b"%d" % v for v in entries]
    if wrong := [k for k in kinds if not issubclass(k, (str, bytes))]:
        names = ", ".join(sorted(k.__name__ for k in wrong))
        raise TypeError(
            f"Expected strings or bytes, got also {names}. Replace missing values "
            "first, for instance by frame.fillna('')."
        )
    if flat.dtype.kind in "UT":  # one call for all takes half the time
        parts = "\0".join(entries).encode(encoding).split(b"\0")
        if len(parts) == len(entries):
            return parts
    return [v if isinstance(v, bytes) else v.encode(encoding) for v in entries]
