"""Summaries of TensorBoard: scalars, histograms, images and text as bytes.

A summary is a tensor with a tag, and with the name of the plugin of TensorBoard that
shows it.
"""

import functools
import struct
import zlib

import numpy as np

from minikeras.callbacks.event_file import message

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # types of tensors
_BUCKETS = 30
_BLOCK = 1 << 20


def scalar(tag: str, value: float) -> bytes:
    """A number, kept as float32.

    Summaries one after the other are one summary: a step needs one event for all.
    """
    with np.errstate(over="ignore"):  # too large is inf
        return _scalar_head(tag) + np.float32(value).tobytes()


@functools.lru_cache(256)
def _scalar_head(tag):
    """The summary of a number without the number, its last 4 bytes.

    To make it takes 40 us, and steps have the same tags again and again.
    """
    return _summary(tag, "scalars", _FLOAT, (), bytes(4))[:-4]


def histogram(tag: str, values: np.ndarray, buckets: int | None = None) -> bytes:
    """Counts of values in buckets; NaN and infinite values are left out."""
    table = histogram_table(values, _BUCKETS if buckets is None else buckets)
    return _summary(tag, "histograms", _DOUBLE, table.shape, table.tobytes())


def histogram_table(values: np.ndarray, buckets: int = _BUCKETS) -> np.ndarray:
    """The rows [left edge, right edge, count] of a histogram, (buckets, 3) float64.

    The buckets have equal widths from the least value to the largest. Equal values are
    all in the last one. Without values, or for buckets=0, all is zero.

    >>> histogram_table(np.array([0.0, 1.0, 4.0]), 2).tolist()
    [[0.0, 2.0, 2.0], [2.0, 4.0, 1.0]]
    """
    table = np.zeros((buckets, 3))
    values = np.asarray(values).ravel()
    if values.dtype.kind not in "biuf":  # of ml_dtypes, such as bfloat16
        values = values.astype(np.float32)
    with np.errstate(invalid="ignore"):
        if not np.isfinite(values.sum(dtype=np.float64)):
            values = values[np.isfinite(values)]
    if not values.size or not buckets:
        return table
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high, buckets + 1)
    table[:, 0], table[:, 1] = edges[:-1], edges[1:]
    # As in TensorBoard: the difference by the width, not the edges, decides.
    width = (high - low) / buckets
    if not width or not np.isfinite(width):
        table[-1, 2] = values.size
        return table
    for start in range(0, values.size, _BLOCK):  # a float64 copy of all may not fit
        block = values[start : start + _BLOCK].astype(np.float64)
        places = np.minimum(((block - low) / width).astype(int), buckets - 1)
        table[:, 2] += np.bincount(places, minlength=buckets)
    return table


def text(tag: str, data: object) -> bytes:
    """A text in Markdown, or an array of texts, shown as a table."""
    texts = np.asarray(data, dtype=object)
    return _summary(tag, "text", _STRING, texts.shape, _strings(texts.ravel()))


def images(tag: str, pixels: np.ndarray, max_outputs: int = 3) -> bytes:
    """Images (n, height, width, channels) of 1 to 4 channels; floats are in [0, 1]."""
    pixels = as_bytes(np.asarray(pixels))
    _, height, width, _ = pixels.shape
    pictures = [png(image) for image in pixels[:max_outputs]]
    content = [str(width), str(height), *pictures]
    return _summary(tag, "images", _STRING, (len(content),), _strings(content))


def keras_model(tag: str, text: str) -> bytes:
    """The JSON text of a model, for the plugin that shows graphs."""
    return _summary(tag, "graph_keras_model", _STRING, (), _strings([text]), "1")


def as_bytes(pixels: np.ndarray) -> np.ndarray:
    """Pixels as uint8: integers as they are, floats from [0, 1]; others are clipped."""
    if pixels.dtype.kind in "iu":
        return np.clip(pixels, 0, 255).astype(np.uint8)
    # 255.5, as TensorFlow has it: 1.0 and all above 0.998 give 255.
    scaled = np.clip(np.nan_to_num(pixels.astype(np.float32)), 0, 1) * 255.5
    return np.minimum(scaled, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of (height, width, channels) uint8: grey, grey + alpha, RGB, RGBA."""
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # 0: no filter
    rows[:, 1:] = pixels.reshape(height, -1)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind, data):
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def _strings(values):
    """Fields of a tensor with strings."""
    return message(*((8, _encoded(value)) for value in values))


def _encoded(value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def _summary(tag, plugin, dtype, shape, content, plugin_content=""):
    """A message `Summary` with one tensor."""
    dimensions = message(*((2, message((1, size))) for size in shape))
    values = content if dtype == _STRING else message((4, content))
    tensor = message((1, dtype), (2, dimensions)) + values
    plugin_data = [(1, plugin), (2, plugin_content)][: 2 if plugin_content else 1]
    metadata = message((1, message(*plugin_data)))
    return message((1, message((1, tag), (9, metadata), (8, tensor))))
