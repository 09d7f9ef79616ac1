"""Batches of changed images: of arrays, of folders, of the rows of a data frame.

The draws are Keras's: `np.random.permutation` once an epoch, then those of each image;
with a seed, each batch first seeds `np.random` with the seed plus its number.
"""

import itertools
import os
import threading
import warnings
from typing import Any

import numpy as np

from minikeras.core.printing import print_msg
from minikeras.data.image_files import array_to_img, img_to_array, load_img
from minikeras.data.pydataset import PyDataset
from minikeras.settings import floatx, standardize_data_format

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_CLASS_MODES = ("categorical", "binary", "sparse")


class Iterator(PyDataset):
    """Base class: endless by `next`, and batches by index for `fit`.

    Subclasses define `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: int, number of samples.
        batch_size: int.
        shuffle: bool, whether each epoch has its own order.
        seed: int, or None.
        **kwargs: those of `keras.utils.PyDataset`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n, batch_size, shuffle, seed, **kwargs):
        super().__init__(**kwargs)
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.total_batches_seen = 0
        self.index_array: Any = None
        self.lock = threading.Lock()
        self.reset()

    def __getstate__(self):  # for worker processes
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state):
        vars(self).update(state, lock=threading.Lock())

    def _set_index_array(self):
        order = np.random.permutation if self.shuffle else np.arange
        self.index_array = order(self.n)

    def _mk_start_batch(self):
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx):
        if idx >= len(self):
            raise ValueError(f"Batch {idx} was asked for, but there are {len(self)}.")
        self._mk_start_batch()
        if not hasattr(self.index_array, "shape"):  # None: no epoch has begun
            self._set_index_array()
        start = self.batch_size * idx
        indices = self.index_array[start : start + self.batch_size]
        return self._get_batches_of_transformed_samples(indices)

    def on_epoch_end(self):
        """Draw the order of the next epoch."""
        self._set_index_array()

    def reset(self):
        """Let `next` begin a new epoch."""
        self.batch_index = 0

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:  # images are then changed in parallel
            self._mk_start_batch()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % max(self.n, 1)
            is_last = start + self.batch_size >= self.n
            self.batch_index = 0 if is_last else self.batch_index + 1
            indices = self.index_array[start : start + self.batch_size]
        return self._get_batches_of_transformed_samples(indices)

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError(
            f"{type(self).__name__} must define "
            "_get_batches_of_transformed_samples(index_array), returning a batch."
        )

    def _mk_save(self, batch, indices, largest):
        """Write the images of a batch to `save_to_dir`, under random names."""
        for x, index in zip(batch, indices, strict=True):
            image = array_to_img(x, self.data_format, scale=True)
            number = np.random.randint(largest)
            name = f"{self.save_prefix}_{index}_{number}.{self.save_format}"
            image.save(os.path.join(self.save_to_dir, name))


def _changed(generator, x):
    """One image after a random transform and the standardization."""
    x = generator.apply_transform(x, generator.get_random_transform(x.shape))
    return generator.standardize(x)


def _check_subset(subset):
    if subset not in (None, "training", "validation"):
        raise ValueError(
            f'subset must be "training", "validation" or None, but is {subset!r}.'
        )


class NumpyArrayIterator(Iterator):
    """Batches of the images of an array; `ImageDataGenerator.flow` makes it.

    Args:
        x: (n, h, w, c) array, or a list of it and of arrays (or a list of them)
            that pass unchanged.
        y: targets, or None.
        image_data_generator: `ImageDataGenerator`.
        batch_size: int.
        shuffle: bool, whether each epoch has its own order.
        sample_weight: array, or None.
        seed: int, or None.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        save_to_dir, save_prefix, save_format: where images are written to, or None.
        subset: "training" or "validation", of the generator's `validation_split`.
        ignore_class_split: bool, whether subsets may have different classes.
        dtype: of the images; None: `floatx()`.

    Raises:
        ValueError: unequal lengths, no images, subsets of different classes.
    """

    def __init__(
        self, x, y, image_data_generator, batch_size=32, shuffle=False,
        sample_weight=None, seed=None, data_format=None, save_to_dir=None,
        save_prefix="", save_format="png", subset=None, ignore_class_split=False,
        dtype=None,
    ):  # fmt: skip
        x, *others = x if isinstance(x, (tuple, list)) else [x]
        parts = (part if isinstance(part, list) else [part] for part in others)
        arrays = [x, *itertools.chain(*parts), y, sample_weight]
        arrays: list[Any] = [x if x is None else np.asarray(x) for x in arrays]
        lengths = [len(array) for array in arrays if array is not None]
        if len(set(lengths)) > 1:
            raise ValueError(
                "Expected x, y and sample_weight to have one length, but got "
                f"{lengths}."
            )
        _check_subset(subset)
        if subset is not None:
            part = image_data_generator._mk_part(lengths[0], subset)
            if y is not None and not ignore_class_split:
                cut = part.stop if subset == "validation" else part.start
                _check_same_classes(arrays[-2], cut)
            arrays = [None if array is None else array[part] for array in arrays]
        self.dtype = dtype or floatx()
        self.x, *self.x_misc, self.y, self.sample_weight = arrays
        self.x = np.asarray(self.x, dtype=self.dtype)
        self.data_format = standardize_data_format(data_format)
        _check_images(self.x, self.data_format)
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        shape = (len(index_array), *self.x.shape[1:])
        batch = np.zeros(shape, dtype=self.dtype)
        for i, index in enumerate(index_array):
            # A copy: the standardization changes its argument.
            batch[i] = _changed(self.image_data_generator, self.x[index].copy())
        if self.save_to_dir:
            self._mk_save(batch, index_array, 10_000)
        others = [array[index_array] for array in self.x_misc]
        x = [batch, *others] if others else batch
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _check_same_classes(y, cut):
    if not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise ValueError(
            "The training and the validation subset have different classes. Shuffle "
            "the arrays first, or set ignore_class_split=True."
        )


def _check_images(x, data_format):
    if x.ndim != 4:
        raise ValueError(f"Expected images with 4 axes, but got shape {x.shape}.")
    channels = x.shape[1 if data_format == "channels_first" else 3]
    if channels not in (1, 3, 4):
        warnings.warn(
            f"Expected images with 1, 3 or 4 channels and {data_format}, but got "
            f"{channels}, in shape {x.shape}.",
            stacklevel=4,
        )


class BatchFromFilesMixin:
    """Batches of image files, for iterators with `filepaths` and `labels`."""

    def set_processing_attrs(
        self, image_data_generator, target_size, color_mode, data_format, save_to_dir,
        save_prefix, save_format, subset, interpolation, keep_aspect_ratio,
    ):  # fmt: skip
        """Keep what the reading of files needs.

        Args:
            image_data_generator, target_size, color_mode, data_format, save_to_dir,
                save_prefix, save_format, subset, interpolation, keep_aspect_ratio: as
                in `DirectoryIterator`.
        """
        options = dict(locals())
        del options["self"]
        if color_mode not in _CHANNELS:
            raise ValueError(
                f"color_mode must be one of {list(_CHANNELS)}, but is {color_mode!r}."
            )
        _check_subset(subset)
        vars(self).update(options)
        self.target_size = size = tuple(target_size)
        channels, last = (_CHANNELS[color_mode],), data_format == "channels_last"
        self.image_shape = (*size, *channels) if last else (*channels, *size)

    def _mk_part(self, n):
        if self.subset is None:
            return slice(0, n)
        return self.image_data_generator._mk_part(n, self.subset)

    def _get_batches_of_transformed_samples(self, index_array):
        shape = (len(index_array), *self.image_shape)
        batch = np.zeros(shape, dtype=self.dtype)
        filepaths = self.filepaths
        for i, index in enumerate(index_array):
            image = load_img(
                filepaths[index],
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            x = np.array(img_to_array(image, data_format=self.data_format))
            generator = self.image_data_generator
            batch[i] = _changed(generator, x) if generator else x
        if self.save_to_dir:
            self._mk_save(batch, index_array, 10_000_000)
        if self.class_mode is None:
            return batch
        targets = self._mk_targets(batch, index_array)
        if self.sample_weight is None:
            return batch, targets
        return batch, targets, self.sample_weight[index_array]

    def _mk_targets(self, batch, indices):
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "raw":
            return self.labels[indices]
        if self.class_mode == "multi_output":
            return [output[indices] for output in self.labels]
        if self.class_mode != "categorical":
            return np.array([self.classes[i] for i in indices], dtype=self.dtype)
        targets = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
        for row, index in zip(targets, indices, strict=True):
            row[self.classes[index]] = 1.0
        return targets


def _check_class_mode(class_mode, allowed):
    if class_mode not in allowed:
        names = sorted(map(repr, allowed))
        raise ValueError(f"class_mode must be one of {names}, but is {class_mode!r}.")


def _image_files(folder, formats, follow_links):
    """Paths of the images in a folder and those below it, relative to it."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.relpath(os.path.join(root, name), folder)


class DirectoryIterator(BatchFromFilesMixin, Iterator):
    """Batches of the images in a folder with one folder a class.

    Args:
        directory: path.
        image_data_generator: `ImageDataGenerator`, or None.
        target_size: (height, width) of the images.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: names of the folders, in the order of their numbers; None: all, sorted.
        class_mode: "categorical", "binary", "sparse", "input" (the images) or None.
        batch_size: int.
        shuffle: bool, whether each epoch has its own order.
        seed: int, or None.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        save_to_dir, save_prefix, save_format: where images are written to, or None.
        follow_links: bool, whether links to folders are followed.
        subset: "training" or "validation", of the generator's `validation_split`.
        interpolation, keep_aspect_ratio: as in `keras.utils.load_img`.
        dtype: of the images; None: `floatx()`.
    """

    allowed_class_modes = frozenset((*_CLASS_MODES, "input", None))

    def __init__(
        self, directory, image_data_generator, target_size=(256, 256), color_mode="rgb",
        classes=None, class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        data_format=None, save_to_dir=None, save_prefix="", save_format="png",
        follow_links=False, subset=None, interpolation="nearest",
        keep_aspect_ratio=False, dtype=None,
    ):  # fmt: skip
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode,
            standardize_data_format(data_format), save_to_dir, save_prefix, save_format,
            subset, interpolation, keep_aspect_ratio,
        )  # fmt: skip
        _check_class_mode(class_mode, self.allowed_class_modes)
        self.directory = directory
        self.class_mode = class_mode
        self.dtype = dtype or floatx()
        if not classes:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
            classes = [entry.name for entry in entries if entry.is_dir()]
        self.num_classes = len(classes)
        self.class_indices = {name: i for i, name in enumerate(classes)}
        self.filenames, numbers = [], []
        for name, i in self.class_indices.items():
            folder = os.path.join(directory, name)
            files = list(_image_files(folder, self.white_list_formats, follow_links))
            files = files[self._mk_part(len(files))]
            self.filenames += [os.path.join(name, file) for file in files]
            numbers += [i] * len(files)
        self.classes = np.array(numbers, dtype="int32")
        self.samples = len(self.filenames)
        print_msg(f"Found {self.samples} images belonging to {len(classes)} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def filepaths(self):
        """List of the paths of the images."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self):
        """Array of the numbers of the classes."""
        return self.classes

    @property
    def sample_weight(self):
        """None: a folder has no weights."""
        return None
