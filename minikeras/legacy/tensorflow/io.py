"""`tf.io`: files, and images as bytes. Text and bytes are arrays of NumPy."""

import glob
import io
import os
import pathlib
import shutil

import jax.numpy as jnp
import numpy as np

from minikeras.data.dataset.iterator import as_data_array
from minikeras.data.image_files import pillow
from minikeras.legacy.tensorflow.strings import as_text
from minikeras.legacy.tensorflow.types import as_dtype, jax_dtype

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _path(filename):
    return os.fspath(filename) if _is_path(filename) else as_text(filename).item()


def _is_path(x):
    return isinstance(x, (str, os.PathLike))


def _bytes(contents):
    found = contents if isinstance(contents, bytes) else np.asarray(contents).item()
    return found.encode() if isinstance(found, str) else found


def read_file(filename, name=None):
    """The bytes of a file."""
    return as_data_array(pathlib.Path(_path(filename)).read_bytes())


def write_file(filename, contents, name=None):
    """Write text or bytes to a file; its folder is made."""
    path = pathlib.Path(_path(filename))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_bytes(contents))


def _decode(caller, contents, channels, dtype):
    image = pillow(caller).open(io.BytesIO(_bytes(contents)))
    if channels or image.mode == "P":
        image = image.convert(_MODES[channels or 3])
    pixels = np.asarray(image)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if as_dtype(dtype).is_floating:
        return jnp.asarray(pixels / np.iinfo(pixels.dtype).max, jax_dtype(dtype))
    return jnp.asarray(pixels, jax_dtype(dtype))


def decode_image(contents, channels=None, dtype="uint8", name=None, **kwargs):
    """The pixels of an image file, (height, width, channels)."""
    return _decode("tf.io.decode_image", contents, channels, dtype)


def decode_jpeg(contents, channels=0, ratio=1, name=None, **kwargs):
    """The pixels of a JPEG file, (height, width, channels)."""
    pixels = _decode("tf.io.decode_jpeg", contents, channels, "uint8")
    return pixels[::ratio, ::ratio]


def decode_png(contents, channels=0, dtype="uint8", name=None):
    """The pixels of a PNG file, (height, width, channels)."""
    return _decode("tf.io.decode_png", contents, channels, dtype)


def _encode(caller, image, form, **options):
    pixels = np.asarray(image)
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    file = io.BytesIO()
    pillow(caller).fromarray(pixels).save(file, form, **options)
    return as_data_array(file.getvalue())


def encode_jpeg(image, format="", quality=95, name=None, **kwargs):
    """The bytes of a JPEG file of the pixels."""
    return _encode("tf.io.encode_jpeg", image, "JPEG", quality=quality)


def encode_png(image, compression=-1, name=None):
    """The bytes of a PNG file of the pixels."""
    return _encode("tf.io.encode_png", image, "PNG")


def decode_raw(input_bytes, out_type, little_endian=True, name=None):
    """Numbers from their bytes."""
    dtype = np.dtype(as_dtype(out_type).np).newbyteorder("<" if little_endian else ">")
    return jnp.asarray(np.frombuffer(_bytes(input_bytes), dtype), jax_dtype(out_type))


def matching_files(pattern, name=None):
    """Paths that match a pattern, in order."""
    patterns = np.atleast_1d(as_text(pattern)).tolist()
    found = sorted(path for p in patterns for path in glob.glob(p))
    return as_data_array(np.array(found, dtype=object))


def _copy(src, dst, overwrite=False):
    if os.path.exists(dst) and not overwrite:
        raise FileExistsError(f"tf.io.gfile.copy: {dst} exists; pass overwrite=True.")
    shutil.copy(src, dst)


def _list(path):
    return sorted(os.listdir(path))


def _open(name, mode="r"):
    return open(name, mode)


GFILE = {
    "GFile": _open,
    "copy": _copy,
    "exists": os.path.exists,
    "glob": lambda pattern: sorted(glob.glob(pattern)),
    "isdir": os.path.isdir,
    "join": os.path.join,
    "listdir": _list,
    "makedirs": lambda path: os.makedirs(path, exist_ok=True),
    "mkdir": os.mkdir,
    "remove": os.remove,
    "rename": lambda src, dst, overwrite=False: os.replace(src, dst),
    "rmtree": shutil.rmtree,
    "stat": os.stat,
    "walk": os.walk,
}
_NAMES = """decode_image decode_jpeg decode_png decode_raw encode_jpeg encode_png
    matching_files read_file write_file"""
FUNCTIONS = {name: globals()[name] for name in _NAMES.split()} | {
    "decode_bmp": decode_png,
    "decode_and_crop_jpeg": lambda contents, crop_window, channels=0, **kwargs: (
        lambda x, w: x[w[0] : w[0] + w[2], w[1] : w[1] + w[3]]
    )(decode_jpeg(contents, channels), np.asarray(crop_window)),
}
