"""Sets of TensorFlow Datasets, without TensorFlow."""

import contextlib
import functools
from collections.abc import Iterator

import jax

from minikeras.core.late_import import late_import
from minikeras.data.file_datasets import installed
from minikeras.data.libraries import SampleSource


class _Pairs(SampleSource):
    """Samples (x, y) of a source whose samples are dicts."""

    def __init__(self, source, keys):
        self.source, self.keys = source, keys

    def __len__(self):
        return len(self.source)

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index):
        return self._pair(self.source[index])

    def __getitems__(self, indices):
        return [self._pair(sample) for sample in self.source.__getitems__(indices)]

    def _pair(self, sample):
        pick = lambda key: (  # noqa: E731
            sample[key] if isinstance(key, str) else tuple(map(pick, key))
        )
        return tuple(map(pick, self.keys))


def from_tfds(
    name, split="train", as_supervised=True, data_dir=None, download=True, **options
):
    """Samples of a TensorFlow Datasets set, read from array_record files.

    TensorFlow is not needed, `tensorflow-datasets` and `array-record` are. A set that
    is not there is downloaded and prepared, arrays of pixels encoded by Pillow. The
    scripts of many sets call TensorFlow for that (in TFDS 4.9 those of mnist and
    cifar10 do, of tf_flowers not). Prepare such a set once where TensorFlow is
    installed, `tfds.data_source(name, data_dir=...)`, and copy the folder `data_dir`.

    Args:
        name: of the set, such as "tf_flowers" or "glue/sst2:2.0.0".
        split: such as "train", "train[:80%]"; a list or dict of them; None for all.
        as_supervised: bool, whether samples are tuples (x, y), not dicts of all.
        data_dir: folder of prepared sets; None: `~/tensorflow_datasets`.
        download: bool, whether to prepare a set that is not there.
        **options: other arguments of `tfds.data_source`.

    Returns:
        A source with `len()` and `[i]`, which `fit` takes with `batch_size`; for lists
        and dicts of splits, lists and dicts of sources.

    Raises:
        ImportError: a package is missing, also TensorFlow to prepare the set.
        ValueError: `as_supervised`, but the set does not name inputs and targets.
    """
    try:
        tfds = late_import("tensorflow_datasets")
        late_import("array_record.python.array_record_data_source")
    except ImportError as error:
        raise ImportError(
            "from_tfds needs tensorflow-datasets and array-record: "
            "pip install 'minikeras-jax[datasets]'"
        ) from error
    kwargs = dict(options.pop("builder_kwargs", None) or {})
    options["builder_kwargs"] = {"file_format": "array_record", **kwargs}
    try:
        with _pillow_encodes():
            source = tfds.data_source(
                name, split=split, data_dir=data_dir, download=download, **options
            )
    except ModuleNotFoundError as error:
        raise ImportError(
            f"from_tfds: {name!r} cannot be prepared without a missing package: "
            f"{error}. Prepare it once where that is installed, by "
            f"tfds.data_source({name!r}, data_dir=folder), and pass a copy of the "
            "folder as `data_dir`."
        ) from error
    if not as_supervised:
        return source
    is_leaf = lambda s: not isinstance(s, (dict, list, tuple))  # noqa: E731
    pairs = functools.partial(_pairs, name)
    return jax.tree_util.tree_map(pairs, source, is_leaf=is_leaf)


def _pairs(name, source):
    keys = source.dataset_info.supervised_keys
    if keys is None:
        raise ValueError(
            f"from_tfds: {name!r} does not say which features are inputs and targets: "
            f"{list(source.dataset_info.features)}. Pass as_supervised=False, and take "
            "them from the dicts."
        )
    return _Pairs(source, keys)


@contextlib.contextmanager
def _pillow_encodes() -> Iterator[None]:
    """Let Pillow encode arrays of pixels while a set is prepared, without TensorFlow.

    TFDS 4.9 encodes files and images of Pillow without TensorFlow, but not arrays.
    """
    module = late_import("tensorflow_datasets.core.features.image_feature")
    encoder = getattr(module, "_ImageEncoder", None)
    if installed("tensorflow") or encoder is None:
        yield
        return
    image = late_import("PIL.Image")

    def encode(self, array):
        pixels = array[..., 0] if array.shape[-1] == 1 else array
        return self._encode_pil_image(image.fromarray(pixels))

    own = encoder._encode_image
    encoder._encode_image = encode
    try:
        yield
    finally:
        encoder._encode_image = own
