"""Audio files as float arrays: wav by Python alone, flac and ogg by soundfile."""

import math
import os
import struct
from typing import Any

import numpy as np

from minikeras.core.late_import import late_import

FORMATS = (".wav", ".flac", ".ogg")
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def read_wav(path: Any) -> tuple[np.ndarray, int]:
    """A wav file of integers or floats: `(audio, rate)`.

    float32 (samples, channels) in [-1, 1), x / 2^(bits - 1) for integers; samples per
    second. A ValueError names files that are no wav file, cut off, or compressed.

    Source: "Multimedia Programming Interface", IBM and Microsoft, 1991.
    """
    with open(path, "rb") as file:
        data = file.read()
    chunks = _chunks(data) if data[:4] == b"RIFF" and data[8:12] == b"WAVE" else {}
    if not {b"fmt ", b"data"} <= {*chunks} or len(chunks[b"fmt "]) < 16:
        raise ValueError(f"{os.fspath(path)!r} is not a wav file, or damaged.")
    header, samples = chunks[b"fmt "], chunks[b"data"]
    kind, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", header[:16])
    if kind == _EXTENSIBLE and len(header) >= 26:
        (kind,) = struct.unpack("<H", header[24:26])
    if (kind, bits) not in _DECODERS or channels < 1 or frame != channels * bits // 8:
        raise ValueError(
            f"{os.fspath(path)!r}: wav files of integers of 8, 16, 24, 32 bits or of "
            f"floats can be read; this has the encoding {kind} with {bits} bits."
        )
    if len(samples) % frame:
        raise ValueError(
            f"{os.fspath(path)!r} is cut off: its {len(samples)} bytes are not whole "
            f"samples of {frame} bytes."
        )
    audio = _DECODERS[kind, bits](samples)
    return audio.astype("float32", copy=False).reshape(-1, channels), rate


def _chunks(data):
    """{name: content} of the chunks of a RIFF file; only whole ones."""
    found, at = {}, 12
    while at + 8 <= len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        content = data[at + 8 : at + 8 + size]
        # Programs that record to a pipe do not know the size of the data.
        if len(content) == size or (name == b"data" and size >= 2**31 - 2**16):
            found.setdefault(name, content)
        at += 8 + size + size % 2
    return found


def _integers_24(data):
    """Three bytes become the upper three of an int32."""
    wide = np.zeros((len(data) // 3, 4), "uint8")
    wide[:, 1:] = np.frombuffer(data, "uint8").reshape(-1, 3)
    return wide.view("<i4")[:, 0] / np.float32(2**31)


_DECODERS = {
    (_PCM, 8): lambda data: np.frombuffer(data, "u1") / np.float32(128) - np.float32(1),
    (_PCM, 16): lambda data: np.frombuffer(data, "<i2") / np.float32(2**15),
    (_PCM, 24): _integers_24,
    (_PCM, 32): lambda data: np.frombuffer(data, "<i4") / np.float32(2**31),
    (_FLOAT, 32): lambda data: np.frombuffer(data, "<f4"),
    (_FLOAT, 64): lambda data: np.frombuffer(data, "<f8"),
}


def read_audio(path: Any) -> tuple[np.ndarray, int]:
    """A wav, flac or ogg file: `(audio, rate)`, as `read_wav`."""
    if os.fspath(path).lower().endswith(".wav"):
        return read_wav(path)
    try:
        soundfile = late_import("soundfile")
    except ImportError as error:
        raise ImportError(
            f"{os.fspath(path)!r}: flac and ogg files need soundfile: pip install "
            "soundfile"
        ) from error
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be read: {error}") from error


def decode_audio(path: Any, rate: int | None, length: int | None) -> np.ndarray:
    """A file as float32 (samples, channels), resampled to `rate`, then of `length`."""
    audio, own = read_audio(path)
    if rate is not None and rate != own:
        common = math.gcd(rate, own)
        # A window of Kaiser, 20 periods long, against aliases.
        resample = late_import("scipy.signal").resample_poly
        audio = resample(audio, rate // common, own // common, axis=0)
        audio = audio.astype("float32", copy=False)
    if length is None or len(audio) == length:
        return audio
    missing = max(length - len(audio), 0)
    return np.pad(audio[:length], ((0, missing), (0, 0)))
