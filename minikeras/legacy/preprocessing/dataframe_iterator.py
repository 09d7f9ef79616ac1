"""Batches of the images that the rows of a pandas data frame name."""

import os
import warnings

import numpy as np

from minikeras.legacy.preprocessing.image_iterators import (
    CLASS_MODES,
    BatchFromFilesMixin,
)


def validate_filename(filename, white_list_formats):
    """Is there a file of that name, with one of the endings?

    Args:
        filename: path.
        white_list_formats: endings in lower case.
    """
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


class DataFrameIterator(BatchFromFilesMixin):
    """Batches of the images of a data frame: a file and its targets in each row.

    Args:
        dataframe: pandas data frame.
        directory: folder of the files; None: `x_col` has whole paths.
        image_data_generator: `ImageDataGenerator`, or None.
        x_col: column of the names of the files.
        y_col: column, or list of columns, of the targets.
        weight_col: column of the sample weights, or None.
        classes: the classes in the order of their numbers; None: all, sorted.
        class_mode: "categorical", "binary" or "sparse" for names of classes; "raw",
            "multi_output" (a list of columns), "input" (the images) or None.
        target_size, color_mode, batch_size, shuffle, seed: as in `DirectoryIterator`.
        data_format, save_to_dir, save_prefix, save_format, subset, dtype: as there.
        interpolation, keep_aspect_ratio: as there.
        validate_filenames: bool, whether rows without an image file are left out.

    Raises:
        TypeError: a column with values of another type.
        ValueError: an unknown mode, or "binary" with more or less than two classes.
    """

    allowed_class_modes = (*CLASS_MODES, "multi_output", "raw", "input", None)
    _mk_choices = BatchFromFilesMixin._mk_choices | {"class_mode": allowed_class_modes}

    def __init__(
        self, dataframe, directory=None, image_data_generator=None, x_col="filename",
        y_col="class", weight_col=None, target_size=(256, 256), color_mode="rgb",
        classes=None, class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        data_format="channels_last", save_to_dir=None, save_prefix="",
        save_format="png", subset=None, interpolation="nearest",
        keep_aspect_ratio=False, dtype="float32", validate_filenames=True,
    ):  # fmt: skip
        self._mk_keep(locals(), "dataframe", "classes")
        self.directory = directory or ""
        classes = [classes] if isinstance(classes, str) else classes
        self._mk_check_columns(dataframe, x_col, y_col, weight_col, classes)
        rows = dataframe
        if validate_filenames:
            rows = self._mk_with_files(rows, x_col)
        if class_mode in CLASS_MODES:
            rows = self._mk_with_classes(rows, y_col, classes)
        part = self._mk_part(len(rows))
        rows = rows.iloc[part]
        if class_mode in CLASS_MODES:
            self.classes = self.classes[part]
        self.filenames = rows[x_col].tolist()
        if class_mode == "multi_output":
            self._mk_targets = [np.array(rows[name].tolist()) for name in y_col]
        elif class_mode == "raw":
            self._mk_targets = rows[y_col].values
        self._mk_weights = rows[weight_col].values if weight_col else None
        found = "validated" if validate_filenames else "non-validated"
        found += " image filenames"
        if class_mode in CLASS_MODES:
            found += f" belonging to {len(self.class_indices)} classes"
        self._mk_start(found, batch_size, shuffle, seed)

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
        """The rows with at least one of the classes; sets `classes` to the numbers.

        Without `classes`, a row with an empty list stays, as in Keras.
        """
        found = [_labels(value) for value in rows[y_col]]
        every = classes or sorted({name for names in found for name in names})
        numbers = {name: i for i, name in enumerate(dict.fromkeys(every))}
        self.class_indices = numbers
        kept = [[numbers[name] for name in names if name in numbers] for names in found]
        is_list = [isinstance(value, (list, tuple)) for value in rows[y_col]]
        pairs = list(zip(kept, is_list, strict=True))
        stays = [bool(ids) or (many and not classes) for ids, many in pairs]
        self.classes = [
            ids if many else ids[0]
            for (ids, many), stay in zip(pairs, stays, strict=True)
            if stay
        ]
        return rows[np.array(stays, bool)]
