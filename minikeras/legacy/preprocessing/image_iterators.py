"""Batches of changed images: of arrays, and of the files in the folders of classes.

The draws are Keras's: `np.random.permutation` once an epoch, then those of each image;
with a seed, each batch first seeds `np.random` with the seed plus its number.
"""

import itertools
import os
import threading
import warnings
from typing import Any

import numpy as np

from minikeras.core.checks import positive_int
from minikeras.core.printing import print_msg
from minikeras.data.image_files import array_to_img, img_to_array, load_img
from minikeras.data.pydataset import PyDataset
from minikeras.settings import floatx, standardize_data_format

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
CLASS_MODES = ("categorical", "binary", "sparse")


class Iterator(PyDataset):
    """Batches of samples by index, and by `next` without end.

    Subclasses define `_get_batches_of_transformed_samples(indices)`.

    Args:
        n: int, number of samples.
        batch_size: int.
        shuffle: bool, whether each epoch has its own order.
        seed: int, or None: the draws of `np.random` go on.
        **kwargs: those of `keras.utils.PyDataset`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
    _mk_choices = {"subset": (None, "training", "validation")}

    def __init__(self, n, batch_size, shuffle, seed, **kwargs):
        super().__init__(**kwargs)
        self.batch_size = positive_int(batch_size, "batch_size")
        self.n, self.shuffle, self.seed = n, shuffle, seed
        self.batch_index = 0  # of the next batch of `next`
        self.total_batches_seen = 0
        self.index_array: Any = None  # the order of this epoch
        self.lock = threading.Lock()

    def __getstate__(self):
        return {**vars(self), "lock": None}  # locks stay in their process

    def __setstate__(self, state):
        vars(self).update(state, lock=threading.Lock())

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            number = self.batch_index
            indices = self._mk_indices(number, new_order=number == 0)
            is_last = (number + 1) * self.batch_size >= self.n
            self.batch_index = 0 if is_last else number + 1
        return self._get_batches_of_transformed_samples(indices)

    next = __next__

    def __getitem__(self, idx):
        if not 0 <= idx < len(self):
            raise ValueError(f"There is no batch {idx}; there are {len(self)}, from 0.")
        with self.lock:
            indices = self._mk_indices(idx, new_order=self.index_array is None)
        return self._get_batches_of_transformed_samples(indices)

    def _mk_indices(self, number, new_order):
        """The indices of the samples of a batch, which is counted as seen."""
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1
        if new_order:
            self._set_index_array()
        start = number * self.batch_size
        return self.index_array[start : start + self.batch_size]

    def _set_index_array(self):
        order = np.random.permutation if self.shuffle else np.arange
        self.index_array = order(self.n)

    def on_epoch_end(self):
        """Draw the order of the next epoch."""
        self._set_index_array()

    def reset(self):
        """Let `next` start an epoch."""
        self.batch_index = 0

    def _get_batches_of_transformed_samples(self, index_array) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define _get_batches_of_transformed_samples"
            "(index_array), returning the batch of the samples with these indices."
        )

    def _mk_images(self, read, indices, shape, numbers):
        """The images `read(index)`, changed; saved, if asked, below random numbers."""
        batch = np.zeros((len(indices), *shape), dtype=self.dtype)
        generator = self.image_data_generator
        for i, index in enumerate(indices):
            x = read(index)
            if generator:
                change = generator.get_random_transform(x.shape)
                x = generator.standardize(generator.apply_transform(x, change))
            batch[i] = x
        if self.save_to_dir:
            for x, index in zip(batch, indices, strict=True):
                name = f"{self.save_prefix}_{index}_{np.random.randint(numbers)}"
                path = os.path.join(self.save_to_dir, f"{name}.{self.save_format}")
                array_to_img(x, self.data_format, scale=True).save(path)
        return batch

    def _mk_joined(self, x, y, indices):
        """What `fit` takes: x, (x, y) or (x, y, sample_weight)."""
        if y is None or self.sample_weight is None:
            return x if y is None else (x, y)
        return x, y, self.sample_weight[indices]

    def _mk_keep(self, arguments, *left_out):
        """Keep the arguments of a constructor as attributes, checked and completed."""
        skip = {"self", "__class__", *left_out}
        options = {k: v for k, v in arguments.items() if k not in skip}
        for name, allowed in self._mk_choices.items():
            if name in options and options[name] not in allowed:
                raise ValueError(
                    f"{name} must be one of {list(allowed)}, but is {options[name]!r}."
                )
        vars(self).update(options)
        self.data_format = standardize_data_format(options["data_format"])
        self.dtype = options.get("dtype") or floatx()


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
        self._mk_keep(locals(), "x", "y", "sample_weight")
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
        if subset is not None:
            part = image_data_generator._mk_part(lengths[0], subset)
            if y is not None and not ignore_class_split:
                cut = part.stop if subset == "validation" else part.start
                _check_same_classes(arrays[-2], cut)
            arrays = [None if array is None else array[part] for array in arrays]
        self.x, *self.x_misc, self.y, self.sample_weight = arrays
        self.x = np.asarray(self.x, dtype=self.dtype)
        check_images(self.x, self.data_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        # Copies: the standardization changes its argument.
        read = lambda index: self.x[index].copy()  # noqa: E731
        batch = self._mk_images(read, index_array, self.x.shape[1:], 10_000)
        others = [array[index_array] for array in self.x_misc]
        x = [batch, *others] if others else batch
        y = None if self.y is None else self.y[index_array]
        return self._mk_joined(x, y, index_array)


def _check_same_classes(y, cut):
    if not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise ValueError(
            "The training and the validation subset have different classes. Shuffle "
            "the arrays first, or set ignore_class_split=True."
        )


def check_images(x, data_format):
    """Raise if `x` has not 4 axes, and warn if its channels are none of an image."""
    if x.ndim != 4:
        raise ValueError(f"Expected images with 4 axes, but got shape {x.shape}.")
    channels = x.shape[1 if data_format == "channels_first" else 3]
    if channels not in (1, 3, 4):
        warnings.warn(
            f"Expected images with 1, 3 or 4 channels and {data_format}, but got "
            f"{channels}, in shape {x.shape}.",
            stacklevel=4,
        )


class BatchFromFilesMixin(Iterator):
    """Batches of image files, for iterators with `filenames` and `classes`.

    Args:
        n, batch_size, shuffle, seed, **kwargs: as in `Iterator`.
    """

    _mk_choices = Iterator._mk_choices | {"color_mode": tuple(_CHANNELS)}
    directory: Any = ""
    filenames: Any = ()
    classes: Any = None
    _mk_targets: Any = None  # in place of classes
    _mk_weights: Any = None

    def set_processing_attrs(
        self, image_data_generator, target_size, color_mode, data_format, save_to_dir,
        save_prefix, save_format, subset, interpolation, keep_aspect_ratio,
    ):  # fmt: skip
        """Keep what the reading of files needs.

        Args:
            image_data_generator, target_size, color_mode: as in `DirectoryIterator`.
            data_format, save_to_dir, save_prefix, save_format, subset: as there.
            interpolation, keep_aspect_ratio: as there.
        """
        self._mk_keep(locals())

    def _mk_keep(self, arguments, *left_out):
        super()._mk_keep(arguments, *left_out)
        self.target_size = size = tuple(self.target_size)
        channels = (_CHANNELS[self.color_mode],)
        is_last = self.data_format == "channels_last"
        self.image_shape = (*size, *channels) if is_last else (*channels, *size)

    def _mk_start(self, found, batch_size, shuffle, seed):
        self.samples = len(self.filenames)
        print_msg(f"Found {self.samples} {found}.")
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _mk_part(self, n):
        if self.subset is None:
            return slice(0, n)
        return self.image_data_generator._mk_part(n, self.subset)

    @property
    def filepaths(self):
        """List of the paths of the images."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self):
        """Numbers of the classes, or the targets."""
        return self.classes if self._mk_targets is None else self._mk_targets

    @property
    def sample_weight(self):
        """Array of the weights, or None."""
        return self._mk_weights

    def _get_batches_of_transformed_samples(self, index_array):
        filepaths = self.filepaths

        def read(index):
            look = self.color_mode, self.target_size, self.interpolation
            image = load_img(filepaths[index], *look, self.keep_aspect_ratio)
            return np.array(img_to_array(image, data_format=self.data_format))

        batch = self._mk_images(read, index_array, self.image_shape, 10_000_000)
        return self._mk_joined(
            batch, self._mk_targets_of(batch, index_array), index_array
        )

    def _mk_targets_of(self, batch, indices):
        if self.class_mode is None:
            return None
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


def _image_files(folder, formats, follow_links):
    """Paths of the images in a folder and those below it, relative to it."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.relpath(os.path.join(root, name), folder)


class DirectoryIterator(BatchFromFilesMixin):
    """Batches of the images in a folder with one folder a class.

    Args:
        directory: path.
        image_data_generator: `ImageDataGenerator`, or None.
        target_size: (height, width) of the images.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: names of the folders, in the order of their numbers; None: all, sorted.
        class_mode: "categorical", "binary", "sparse", "input" (the images) or None.
        batch_size, shuffle, seed, data_format: as in `NumpyArrayIterator`.
        save_to_dir, save_prefix, save_format, subset, dtype: as there.
        follow_links: bool, whether links to folders are followed.
        interpolation, keep_aspect_ratio: as in `keras.utils.load_img`.
    """

    allowed_class_modes = (*CLASS_MODES, "input", None)
    _mk_choices = BatchFromFilesMixin._mk_choices | {"class_mode": allowed_class_modes}

    def __init__(
        self, directory, image_data_generator, target_size=(256, 256), color_mode="rgb",
        classes=None, class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        data_format=None, save_to_dir=None, save_prefix="", save_format="png",
        follow_links=False, subset=None, interpolation="nearest",
        keep_aspect_ratio=False, dtype=None,
    ):  # fmt: skip
        self._mk_keep(locals(), "classes")
        if not classes:
            classes = sorted(e.name for e in os.scandir(directory) if e.is_dir())
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
        found = f"images belonging to {len(classes)} classes"
        self._mk_start(found, batch_size, shuffle, seed)
