"""`keras.preprocessing.image`: images changed at random, in batches."""

import warnings
from typing import Any

import numpy as np

from minikeras.core.checks import positive_int
from minikeras.data.image_files import array_to_img, img_to_array, load_img, save_img
from minikeras.legacy.preprocessing.dataframe_iterator import (
    DataFrameIterator,
    validate_filename,
)
from minikeras.legacy.preprocessing.image_iterators import (
    BatchFromFilesMixin,
    DirectoryIterator,
    Iterator,
    NumpyArrayIterator,
    check_images,
)
from minikeras.legacy.preprocessing.image_transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    checked_range,
    draw_within,
    draw_zoom,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from minikeras.settings import floatx, standardize_data_format

__all__ = [
    "BatchFromFilesMixin", "DataFrameIterator", "DirectoryIterator",
    "ImageDataGenerator", "Iterator", "NumpyArrayIterator", "apply_affine_transform",
    "apply_brightness_shift", "apply_channel_shift", "array_to_img", "flip_axis",
    "img_to_array", "load_img", "random_brightness", "random_channel_shift",
    "random_rotation", "random_shear", "random_shift", "random_zoom", "save_img",
    "validate_filename",
]  # fmt: skip


# The sizes of an affine transform that leaves an image as it is.
_UNCHANGED = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}


# Whitening and division by a deviation need centred images.
_CONSEQUENCES = (
    ("zca_whitening", "featurewise_std_normalization", False),
    ("zca_whitening", "featurewise_center", True),
    ("featurewise_std_normalization", "featurewise_center", True),
    ("samplewise_std_normalization", "samplewise_center", True),
)


class ImageDataGenerator:
    """Changes images at random, standardizes them and gives them in batches.

    Args:
        featurewise_center, featurewise_std_normalization: bools, whether images lose
            the mean, and are divided by the deviation, of the data given to `fit`.
        samplewise_center, samplewise_std_normalization: the same with each image's own.
        zca_whitening: bool, whether pixels lose the correlations of those data.
        zca_epsilon: float, added to singular values.
        rotation_range: degrees.
        width_shift_range, height_shift_range: float: share of the size, from 1 on
            pixels; int: whole pixels below it; list: one of its values, either sign.
        brightness_range: pair of floats, or None.
        shear_range: degrees.
        zoom_range: float z for [1 - z, 1 + z], or a pair.
        channel_shift_range: float.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: value outside, for "constant".
        horizontal_flip, vertical_flip: bools, whether half of the images are flipped.
        rescale: factor, or None; comes after `preprocessing_function`.
        preprocessing_function: function of one image, after its transform.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        validation_split: share of the samples in the subset "validation".
        interpolation_order: order of the spline.
        dtype: of the images; None: `floatx()`.

    Raises:
        ValueError: a range that is none, or a split outside of 0..1.
    """

    def __init__(
        self, featurewise_center=False, samplewise_center=False,
        featurewise_std_normalization=False, samplewise_std_normalization=False,
        zca_whitening=False, zca_epsilon=1e-6, rotation_range=0, width_shift_range=0.0,
        height_shift_range=0.0, brightness_range=None, shear_range=0.0, zoom_range=0.0,
        channel_shift_range=0.0, fill_mode="nearest", cval=0.0, horizontal_flip=False,
        vertical_flip=False, rescale=None, preprocessing_function=None,
        data_format=None, validation_split=0.0, interpolation_order=1, dtype=None,
    ):  # fmt: skip
        options = dict(locals())
        del options["self"], options["validation_split"]
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"validation_split must be between 0 and 1, not {validation_split}."
            )
        if brightness_range is not None:
            checked_range("brightness_range", brightness_range)
        if isinstance(zoom_range, (int, float)):
            zoom_range = [1 - zoom_range, 1 + zoom_range]
        options["zoom_range"] = list(checked_range("zoom_range", zoom_range))
        vars(self).update(options)
        self.data_format = standardize_data_format(data_format)
        is_first = self.data_format == "channels_first"
        self.row_axis, self.col_axis = (2, 3) if is_first else (1, 2)
        self.channel_axis = 1 if is_first else 3
        self._validation_split = validation_split
        self.dtype = dtype or floatx()
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        for cause, name, value in _CONSEQUENCES:
            if getattr(self, cause) and bool(getattr(self, name)) != value:
                message = f"ImageDataGenerator({cause}=True) sets {name}={value}."
                warnings.warn(message, stacklevel=2)
                setattr(self, name, value)

    def _mk_part(self, n, subset):
        """Where a subset is among `n` samples: validation comes first."""
        cut = int(n * self._validation_split)
        return slice(0, cut) if subset == "validation" else slice(cut, n)

    def _mk_flow(self, kind, arguments):
        """The iterator with the arguments of a method, and what is set here."""
        for name in ("self", "kwargs"):
            arguments.pop(name, None)
        own = {"data_format": self.data_format, "dtype": self.dtype}
        return kind(image_data_generator=self, **own, **arguments)

    def flow(
        self, x, y=None, batch_size=32, shuffle=True, sample_weight=None, seed=None,
        save_to_dir=None, save_prefix="", save_format="png", ignore_class_split=False,
        subset=None,
    ):  # fmt: skip
        """Batches of the images of an array: a `NumpyArrayIterator`.

        Args:
            x, y, batch_size, shuffle, sample_weight, seed: as there.
            save_to_dir, save_prefix, save_format, ignore_class_split, subset: as there.
        """
        return self._mk_flow(NumpyArrayIterator, dict(locals()))

    def flow_from_directory(
        self, directory, target_size=(256, 256), color_mode="rgb", classes=None,
        class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        save_to_dir=None, save_prefix="", save_format="png", follow_links=False,
        subset=None, interpolation="nearest", keep_aspect_ratio=False,
    ):  # fmt: skip
        """Batches of the images in the folders of classes: a `DirectoryIterator`.

        Args:
            directory, target_size, color_mode, classes, class_mode: as there.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format: as there.
            follow_links, subset, interpolation, keep_aspect_ratio: as there.
        """
        return self._mk_flow(DirectoryIterator, dict(locals()))

    def flow_from_dataframe(
        self, dataframe, directory=None, x_col="filename", y_col="class",
        weight_col=None, target_size=(256, 256), color_mode="rgb", classes=None,
        class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        save_to_dir=None, save_prefix="", save_format="png", subset=None,
        interpolation="nearest", validate_filenames=True, **kwargs,
    ):  # fmt: skip
        """Batches of the images of a data frame: a `DataFrameIterator`.

        Args:
            dataframe, directory, x_col, y_col, weight_col, target_size: as there.
            color_mode, classes, class_mode, batch_size, shuffle, seed: as there.
            save_to_dir, save_prefix, save_format, subset, interpolation: as there.
            validate_filenames: as there.
            **kwargs: have no effect, as in Keras; a warning names them.
        """
        if kwargs:
            warnings.warn(
                f"flow_from_dataframe() ignores {sorted(kwargs)}.", stacklevel=2
            )
        if class_mode == "other":
            warnings.warn('class_mode="other" is now called "raw".', stacklevel=2)
            class_mode = "raw"
        return self._mk_flow(DataFrameIterator, dict(locals()))

    def standardize(self, x):
        """Scale, centre and whiten images, in place, as the options say.

        Args:
            x: NumPy array of one image, or of several.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._mk_is_fitted("mean"):
            x -= self.mean
        if self.featurewise_std_normalization and self._mk_is_fitted("std"):
            x /= self.std + 1e-6
        if self.zca_whitening and self._mk_is_fitted("zca_whitening_matrix"):
            rows = x.reshape(-1, np.prod(x.shape[-3:]))
            x = (rows @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _mk_is_fitted(self, name):
        if getattr(self, name) is None:
            warnings.warn(
                f"ImageDataGenerator has no {name} yet, so images stay without it. "
                "Call fit(images) first.",
                stacklevel=3,
            )
        return getattr(self, name) is not None

    def get_random_transform(self, img_shape, seed=None):
        """Draw a transform from `np.random`: a dict for `apply_transform`.

        Args:
            img_shape: tuple, the shape of an image.
            seed: int for `np.random.seed`; None: draws go on.
        """
        if seed is not None:
            np.random.seed(seed)
        row, col = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        light = self.brightness_range
        # The order of the draws is Keras's; both flips draw in any case.
        drawn = {
            "theta": _draw_if(self.rotation_range, 0),
            "tx": _draw_shift(self.height_shift_range, row),
            "ty": _draw_shift(self.width_shift_range, col),
            "shear": _draw_if(self.shear_range, 0),
        }
        drawn["zx"], drawn["zy"] = draw_zoom(self.zoom_range)
        return drawn | {
            "flip_horizontal": (np.random.random() < 0.5) * self.horizontal_flip,
            "flip_vertical": (np.random.random() < 0.5) * self.vertical_flip,
            "channel_shift_intensity": _draw_if(self.channel_shift_range, None),
            "brightness": None if light is None else np.random.uniform(*light),
        }

    def apply_transform(self, x, transform_parameters):
        """Change an image: affine transform, shift of values, flips, light.

        Args:
            x: NumPy array of one image.
            transform_parameters: dict, what `get_random_transform` returns or a part
                of it.
        """
        given = transform_parameters.get
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        sizes = {name: given(name, rest) for name, rest in _UNCHANGED.items()}
        x = apply_affine_transform(
            x, **sizes, row_axis=row, col_axis=col, channel_axis=channel,
            fill_mode=self.fill_mode, cval=self.cval, order=self.interpolation_order,
        )  # fmt: skip
        if (shift := given("channel_shift_intensity")) is not None:
            x = apply_channel_shift(x, shift, channel)
        for name, axis in (("flip_horizontal", col), ("flip_vertical", row)):
            x = flip_axis(x, axis) if given(name) else x
        if (brightness := given("brightness")) is not None:
            x = apply_brightness_shift(x, brightness, scale=False)
        return x

    def random_transform(self, x, seed=None):
        """Draw a transform, and apply it to an image.

        Args:
            x: NumPy array of one image.
            seed: int for `np.random.seed`; None: draws go on.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Measure what `featurewise_...` and `zca_whitening` take from the data.

        Args:
            x: array of images, with 4 axes.
            augment: bool, whether changed images are measured in place of `x`.
            rounds: int, how many changed images of each one.
            seed: int for `np.random.seed`; None: draws go on.

        Raises:
            ValueError: no images, or no rounds.
        """
        x = np.array(x, dtype=self.dtype)
        check_images(x, self.data_format)
        positive_int(len(x), "the number of images")
        positive_int(rounds, "rounds")
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.concatenate([x] * rounds)
            for image in x:
                image[:] = self.random_transform(image)
        others = tuple({0, 1, 2, 3} - {self.channel_axis})
        keep = {"axis": others, "keepdims": True}
        if self.featurewise_center:
            self.mean = x.mean(**keep)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(**keep)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            rows = x.reshape(len(x), -1)
            self.zca_whitening_matrix = whitening(rows, self.zca_epsilon)


def whitening(rows, epsilon):
    """The (k, k) matrix W so that `rows @ W` has nearly the covariance 1.

    For centred `rows` (n, k) with the singular values S and the vectors U (k, n), W is
    U diag(sqrt(n) / (S + epsilon)) U^T.
    """
    u, s, _ = np.linalg.svd(rows.T, full_matrices=False)
    return (u * (np.sqrt(len(rows)) / (s + epsilon))) @ u.T


def _draw_if(limit, otherwise):
    return draw_within(limit) if limit else otherwise


def _draw_shift(limit, size):
    """A shift in pixels: a value of a list, a whole number, or a share of the size."""
    if not np.any(limit):
        return 0
    try:
        shift = np.random.choice(limit) * np.random.choice([-1, 1])
    except ValueError:  # neither a list nor a positive int; nothing is drawn yet
        shift = draw_within(limit)
    return shift * size if np.max(limit) < 1 else shift
