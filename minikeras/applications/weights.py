"""Weights for the networks: of ImageNet, of a file, of the Hugging Face Hub."""

import os
import re
import urllib.parse

from minikeras.applications.weight_hashes import HASHES
from minikeras.core.late_import import late_import
from minikeras.datasets.download import get_file
from minikeras.saving.errors import FileError

IMAGENET = "imagenet"
_FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/"
_HUB = "hf://"
# What Keras names the weights in a repository of the Hub.
_HUB_FILE = "model.weights.h5"
# Letters, digits, `-`, `_` and inner or leading dots; never "..".
_NAME = re.compile(r"(?!\.+$)[\w.-]+", re.ASCII)


def check(name, weights):
    """Check `weights` before a network is built.

    Args:
        name: of the network, for errors.
        weights: None, "imagenet", a path, or "hf://owner/repository[/file]".

    Raises:
        ValueError: there is no such file, or no such place on the Hub.
        ImportError: the Hub's library is not installed.
    """
    if weights is None or weights == IMAGENET:
        return
    known = isinstance(weights, (str, os.PathLike))
    if known and _is_on_hub(weights):
        _hub_place(weights)
        _hub()
    elif not known or not os.path.exists(weights):
        raise ValueError(
            f'{name}: expected weights to be None (random), "imagenet", the path of a '
            f'file, or "hf://owner/repository/file", got {weights!r}'
            f"{', which does not exist' if known else ''}."
        )


def load(model, weights, file, cached_as=None):
    """Give a network its weights.

    Args:
        model: the network.
        weights: as for `check`.
        file: of the ImageNet weights, a path within Keras's folder of them.
        cached_as: its name in the cache, if that is another.

    Raises:
        ConnectionError: the file is not in the cache and cannot be fetched.
        FileError: the file is damaged, or does not fit; it names the layers.
    """
    if weights is None:
        return
    remedy = "Build the network with the arguments that the file was saved with."
    if weights == IMAGENET:
        origin = urllib.parse.urljoin(_FOLDER, file)
        name = os.path.basename(file)
        path = get_file(
            cached_as or name,
            origin,
            cache_subdir="models",
            file_hash=HASHES.get(name),
        )
        remedy = "Delete the file: the next call fetches it again."
    elif _is_on_hub(weights):
        path = _hub().hf_hub_download(*_hub_place(weights))
    else:
        path = weights
    try:
        model.load_weights(path)
    except FileError as error:
        error.remedy = remedy
        raise


def _is_on_hub(weights):
    return os.fspath(weights).startswith(_HUB)


def _hub_place(weights):
    """The (repository, file) of "hf://owner/repository[/file]"."""
    parts = os.fspath(weights).removeprefix(_HUB).split("/")
    if len(parts) < 2 or not all(map(_NAME.fullmatch, parts)):
        raise ValueError(
            f'weights={weights!r}: expected "hf://owner/repository" or '
            '"hf://owner/repository/file".'
        )
    return "/".join(parts[:2]), "/".join(parts[2:]) or _HUB_FILE


def _hub():
    """The library of the Hub, which has its own cache."""
    try:
        return late_import("huggingface_hub")
    except ImportError as error:
        raise ImportError(
            "Weights of the Hugging Face Hub need huggingface_hub: "
            "pip install 'minikeras-jax[hub]'."
        ) from error
