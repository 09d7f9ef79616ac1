"""What images become for networks that were trained on ImageNet, and their answers."""

import json

import numpy as np

from minikeras import config, ops
from minikeras.datasets.download import get_file

_INDEX = "imagenet_class_index.json"
_INDEX_URL = f"https://storage.googleapis.com/download.tensorflow.org/data/{_INDEX}"
_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"
_CLASSES = 1000
_MODES = ("caffe", "tf", "torch")
# Means of the channels of ImageNet's images: blue, green, red in [0, 255]; then mean
# and deviation of red, green, blue in [0, 1].
_MEAN_BGR = (103.939, 116.779, 123.68)
_MEAN_RGB, _STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocess_input(x, data_format=None, mode="caffe"):
    """Scale images as a network was trained on them.

    - "caffe": RGB becomes BGR, minus the means (103.939, 116.779, 123.68).
    - "tf": x / 127.5 - 1, in [-1, 1].
    - "torch": (x / 255 - mean) / std of each channel of ImageNet.

    Args:
        x: images with values in [0, 255]: NumPy array, array of JAX or KerasTensor,
            (..., height, width, 3). A NumPy array of floats is changed in place, if it
            may be written.
        data_format: "channels_last", "channels_first" for (batch, 3, ...) or (3,
            height, width), or None for the setting of `keras.config`.
        mode: "caffe", "tf" or "torch".

    Returns:
        Images of the shape of `x`: a NumPy array for one, else as `x`. Integers become
        `floatx()`.

    Raises:
        ValueError: unknown `mode` or `data_format`, or fewer than 3 channels.
    """
    if mode not in _MODES:
        raise ValueError(
            f"preprocess_input: expected mode to be one of {_MODES}, got {mode!r}."
        )
    if data_format is None:
        data_format = config.image_data_format()
    elif data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            'preprocess_input: expected data_format to be "channels_first", '
            f'"channels_last" or None, got {data_format!r}.'
        )
    if isinstance(x, np.ndarray):
        return _preprocess_numpy(x, data_format, mode)
    return _preprocess_tensor(ops.convert_to_tensor(x), data_format, mode)


def preprocess_caffe(x, data_format=None):
    """Turn RGB into BGR, and take off the mean of each channel of ImageNet.

    Args:
        x: images with values in [0, 255], as for
            `keras.applications.imagenet_utils.preprocess_input`. A NumPy array of
            floats is changed in place.
        data_format: "channels_last", "channels_first", or None for the setting.

    Returns:
        Images of the shape of `x`.

    Raises:
        ValueError: unknown `data_format`, or fewer than 3 channels.
    """
    return preprocess_input(x, data_format, mode="caffe")


def preprocess_tf(x, data_format=None):
    """Scale images to [-1, 1]: x / 127.5 - 1.

    Args:
        x: images with values in [0, 255]. A NumPy array of floats is changed in place.
        data_format: "channels_last", "channels_first", or None; not needed.

    Returns:
        Images of the shape of `x`.

    Raises:
        ValueError: unknown `data_format`.
    """
    return preprocess_input(x, data_format, mode="tf")


def preprocess_torch(x, data_format=None):
    """Scale images to (x / 255 - mean) / deviation of each channel of ImageNet.

    Args:
        x: images with values in [0, 255], as for
            `keras.applications.imagenet_utils.preprocess_input`. A NumPy array of
            floats is changed in place.
        data_format: "channels_last", "channels_first", or None for the setting.

    Returns:
        Images of the shape of `x`.

    Raises:
        ValueError: unknown `data_format`, or fewer than 3 channels.
    """
    return preprocess_input(x, data_format, mode="torch")


def preprocess_nothing(x, data_format=None):
    """Return the images as they are: the network itself scales them.

    Args:
        x: images with values in [0, 255].
        data_format: not used.

    Returns:
        `x`.
    """
    return x


def decode_predictions(preds, top=5):
    """Name the most probable classes of ImageNet.

    Args:
        preds: array (samples, 1000) of scores.
        top: int, how many classes of each sample.

    Returns:
        A list for each sample: (WordNet id, name, score), best first.

    Raises:
        ValueError: `preds` has another shape, or `top` is not positive.
        ConnectionError: the file of the names is not in the cache and cannot be
            fetched; the error says where to put it.
    """
    preds = ops.convert_to_numpy(preds)
    if preds.ndim != 2 or preds.shape[1] != _CLASSES:
        raise ValueError(
            "decode_predictions: expected preds of shape (samples, 1000), the scores "
            f"of ImageNet's classes, got the shape {preds.shape}."
        )
    if not 0 < top <= _CLASSES:
        raise ValueError(f"decode_predictions: top must be in [1, 1000], got {top!r}.")
    path = get_file(_INDEX, _INDEX_URL, file_hash=_INDEX_HASH, cache_subdir="models")
    with open(path, encoding="utf-8") as file:
        index = json.load(file)
    # Of equal scores the one with the higher number comes first, as in Keras.
    best = preds.argsort(axis=1)[:, -top:][:, ::-1]
    return [
        [(*index[str(i)], scores[i]) for i in row]
        for row, scores in zip(best, preds, strict=True)
    ]


def _preprocess_numpy(x, data_format, mode):
    """The same for a NumPy array, in place if it has floats."""
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype(config.floatx())
    elif not x.flags.writeable:
        x = x.copy()
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    axis = _channel_axis(x, data_format)
    if mode == "torch":
        x /= 255.0
    else:
        x = np.flip(x, axis)
    channels = np.moveaxis(x, axis, 0)  # a view: what is written to it is in x
    for i in range(3):
        channels[i] -= _MEAN_BGR[i] if mode == "caffe" else _MEAN_RGB[i]
        if mode == "torch":
            channels[i] /= _STD_RGB[i]
    return x


def _preprocess_tensor(x, data_format, mode):
    """The same for an array of JAX or a KerasTensor."""
    if "float" not in str(x.dtype):
        x = ops.cast(x, config.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = _channel_axis(x, data_format)
    shape = [1] * len(x.shape)
    shape[axis] = 3
    if mode == "caffe":
        return ops.flip(x, axis) - _constant(_MEAN_BGR, shape, x)
    x = x / 255.0 - _constant(_MEAN_RGB, shape, x)
    return x / _constant(_STD_RGB, shape, x)


def _channel_axis(x, data_format):
    """Axis of the channels of one image, a batch, or a batch of more, as of videos."""
    rank = len(x.shape)
    axis = rank - 1 if data_format == "channels_last" else int(rank > 3)
    if axis >= rank or x.shape[axis] is not None and x.shape[axis] < 3:
        raise ValueError(
            f"preprocess_input: expected images of 3 channels on axis {axis}, got an "
            f"array of shape {tuple(x.shape)}. Load them in colour, or say "
            "data_format=."
        )
    return axis


def _constant(values, shape, x):
    return ops.convert_to_tensor(np.reshape(values, shape), dtype=x.dtype)
