"""Weights for the networks: of ImageNet, of a file, of the Hugging Face Hub."""

import os
import urllib.parse

from minikeras.applications.weight_hashes import HASHES
from minikeras.core.late_import import late_import
from minikeras.datasets.download import get_file

IMAGENET = "imagenet"
_FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/"
_HUB = "hf://"
# What Keras names the weights in a repository of the Hub.
_HUB_FILE = "model.weights.h5"


def check(name, weights):
    """Check `weights` before a network is built.

    Args:
        name: of the network, for errors.
        weights: None, "imagenet", a path, or "hf://owner/repository[/file]".

    Raises:
        ValueError: there is no such file.
    """
    if weights is None or weights == IMAGENET:
        return
    known = isinstance(weights, (str, os.PathLike))
    if known and (_is_on_hub(weights) or os.path.exists(weights)):
        return
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
    if weights == IMAGENET:
        origin = urllib.parse.urljoin(_FOLDER, file)
        name = os.path.basename(file)
        path = get_file(
            cached_as or name,
            origin,
            cache_subdir="models",
            file_hash=HASHES.get(name),
        )
    elif _is_on_hub(weights):
        path = _fetch_from_hub(weights)
    else:
        path = weights
    model.load_weights(path)


def _is_on_hub(weights):
    return str(weights).startswith(_HUB)


def _fetch_from_hub(weights):
    """The path of "hf://owner/repository[/file]" in the Hub's own cache."""
    owner, _, rest = weights.removeprefix(_HUB).partition("/")
    repository, _, file = rest.partition("/")
    if not (owner and repository):
        raise ValueError(
            f'weights={weights!r}: expected "hf://owner/repository" or '
            '"hf://owner/repository/file".'
        )
    hub = late_import("huggingface_hub")
    return hub.hf_hub_download(f"{owner}/{repository}", file or _HUB_FILE)
