"""Batches of the images that the rows of a pandas data frame name."""

import os
import warnings

import numpy as np

from minikeras.core.printing import print_msg
from minikeras.legacy.preprocessing.image_iterators import (
    _CLASS_MODES,
    BatchFromFilesMixin,
    Iterator,
    _check_class_mode,
)
from minikeras.settings import floatx, standardize_data_format


def validate_filename(filename, white_list_formats):
    """Is there a file of that name, with one of the endings?"""
    endings = tuple(white_list_formats)
    return filename.lower().endswith(endings) and os.path.isfile(filename)


def _require(values, types, name, expected):
    wrong = [value for value in values if not isinstance(value, types)]
    if wrong:
        raise TypeError(
            f"Expected {expected} in the column {name!r}, but found {wrong[0]!r} of "
            f"type {type(wrong[0]).__name__}."
        )


def _labels(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


class DataFrameIterator(BatchFromFilesMixin, Iterator):
    """Batches of the images of a data frame: a file and its targets in each row.

    Args:
        dataframe: pandas data frame.
        directory: folder of the files; None: `x_col` has whole paths.
        image_data_generator: `ImageDataGenerator`, or None.
        x_col: column of the names of the files.
        y_col: column, or list of columns, of the targets.
        weight_col: column of the sample weights, or None.
        target_size: (height, width) of the images.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: the classes in the order of their numbers; None: all, sorted.
        class_mode: "categorical", "binary" or "sparse" for names of classes; "raw",
            "multi_output" (a list of columns), "input" (the images) or None.
        batch_size: int.
        shuffle: bool, whether each epoch has its own order.
        seed: int, or None.
        data_format: "channels_last" or "channels_first".
        save_to_dir, save_prefix, save_format: where images are written to, or None.
        subset: "training" or "validation", of the generator's `validation_split`.
        interpolation, keep_aspect_ratio: as in `keras.utils.load_img`.
        dtype: of the images.
        validate_filenames: bool, whether rows without an image file are left out.

    Raises:
        TypeError: a column with values of another type.
        ValueError: an unknown mode, or "binary" with more or less than two classes.
    """

    allowed_class_modes = frozenset(
        (*_CLASS_MODES, "multi_output", "raw", "input", None)
    )

    def __init__(
        self, dataframe, directory=None, image_data_generator=None, x_col="filename",
        y_col="class", weight_col=None, target_size=(256, 256), color_mode="rgb",
        classes=None, class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        data_format="channels_last", save_to_dir=None, save_prefix="",
        save_format="png", subset=None, interpolation="nearest",
        keep_aspect_ratio=False, dtype="float32", validate_filenames=True,
    ):  # fmt: skip
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode,
            standardize_data_format(data_format), save_to_dir, save_prefix, save_format,
            subset, interpolation, keep_aspect_ratio,
        )  # fmt: skip
        _check_class_mode(class_mode, self.allowed_class_modes)
        self.directory = directory or ""
        self.class_mode = class_mode
        self.dtype = dtype or floatx()
        classes = [classes] if isinstance(classes, str) else classes
        self._mk_check_columns(dataframe, x_col, y_col, weight_col, classes)
        rows = dataframe
        if validate_filenames:
            rows = self._mk_with_files(rows, x_col)
        if class_mode in _CLASS_MODES:
            rows = self._mk_with_classes(rows, y_col, classes)
        part = self._mk_part(len(rows))
        rows = rows.iloc[part]
        if class_mode in _CLASS_MODES:
            self.classes = self.classes[part]
        self.filenames = rows[x_col].tolist()
        self._mk_targets_of(rows, y_col)
        self._sample_weight = rows[weight_col].values if weight_col else None
        self.samples = len(self.filenames)
        found = "validated" if validate_filenames else "non-validated"
        text = f"Found {self.samples} {found} image filenames"
        if class_mode in _CLASS_MODES:
            text += f" belonging to {len(self.class_indices)} classes"
        print_msg(f"{text}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _mk_check_columns(self, rows, x_col, y_col, weight_col, classes):
        _require(rows[x_col], str, x_col, "names of files")
        if self.class_mode in ("binary", "sparse"):
            _require(rows[y_col], str, y_col, "names of classes")
        elif self.class_mode == "categorical":
            kinds = (str, list, tuple)
            _require(rows[y_col], kinds, y_col, "names of classes, or lists of them,")
        elif self.class_mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(
                f'class_mode="multi_output" needs a list as y_col, but got {y_col!r}.'
            )
        if self.class_mode == "binary":
            count = len(set(classes or rows[y_col]))
            if count != 2:
                raise ValueError(f'class_mode="binary" needs 2 classes, not {count}.')
        if weight_col:
            _require(rows[weight_col], (int, float, np.number), weight_col, "numbers")

    def _mk_with_files(self, rows, x_col):
        paths = [os.path.join(self.directory, name) for name in rows[x_col]]
        formats = self.white_list_formats
        valid = np.array([validate_filename(path, formats) for path in paths], bool)
        if not valid.all():
            warnings.warn(
                f"{np.sum(~valid)} of the names in the column {x_col!r} are no image "
                "files; their rows are left out.",
                stacklevel=4,
            )
        return rows[valid]

    def _mk_with_classes(self, rows, y_col, classes):
        """The rows with at least one of the classes; sets `classes` to the numbers."""
        found = [_labels(value) for value in rows[y_col]]
        every = classes or sorted({name for names in found for name in names})
        numbers = {name: i for i, name in enumerate(dict.fromkeys(every))}
        self.class_indices = numbers
        kept = [[numbers[name] for name in names if name in numbers] for names in found]
        is_list = [isinstance(value, (list, tuple)) for value in rows[y_col]]
        pairs = zip(kept, is_list, strict=True)
        self.classes = [ids if many else ids[0] for ids, many in pairs if ids]
        return rows[np.array([bool(ids) for ids in kept], bool)]

    def _mk_targets_of(self, rows, y_col):
        if self.class_mode == "multi_output":
            self._targets = [np.array(rows[name].tolist()) for name in y_col]
        elif self.class_mode == "raw":
            self._targets = rows[y_col].values

    @property
    def filepaths(self):
        """List of the paths of the images."""
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def labels(self):
        """Numbers of the classes, or the targets."""
        return self.classes if self.class_mode in _CLASS_MODES else self._targets

    @property
    def sample_weight(self):
        """Array of the weights, or None."""
        return self._sample_weight
