"""Images turned, moved, zoomed and sheared at random: affine maps of coordinates."""

from functools import partial

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor, check_mode
from minikeras.layers.preprocessing.image.geometric_layer import GeometricLayer
from minikeras.ops.boxes import affine_transform as affine_boxes
from minikeras.ops.image_moves import (
    affine_images,
    rotation_matrix,
    shear_matrix,
    sheared_boxes,
    translation_matrix,
    zoom_matrix,
    zoomed_boxes,
)

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_INTERPOLATIONS = ("nearest", "bilinear")


class AffineLayer(GeometricLayer):
    """Base of layers that move pixels by a random affine map."""

    def _mk_set_affine(self, fill_mode, interpolation, seed, fill_value):
        """Check and store the arguments that all of these layers have."""
        check_mode("fill_mode", fill_mode, _FILL_MODES)
        check_mode("interpolation", interpolation, _INTERPOLATIONS)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.interpolation = interpolation
        self._mk_set_seed(seed)

    def _mk_set_range(self, side, factor, low=-1):
        """Store `height_factor` or `width_factor`, and its lower and upper bound."""
        name, pair = f"{side}_factor", isinstance(factor, (tuple, list))
        check_factor(factor, (low, 1), name, strict=True)
        lower, upper = sorted(factor) if pair else (-abs(factor), abs(factor))
        setattr(self, name, factor)
        setattr(self, f"{side}_lower", lower)
        setattr(self, f"{side}_upper", upper)

    def _mk_transform(self, images, transformation, interpolation):
        height, width = self._mk_sizes(images)[1:]
        matrix = self._mk_matrix(transformation, height, width)
        mode, value, layout = self.fill_mode, self.fill_value, self.data_format
        return affine_images(images, matrix, interpolation, mode, value, layout)

    def _mk_matrix(self, transformation, height, width):
        """The maps (n, 8) from new to old coordinates."""
        raise NotImplementedError


class RandomRotation(AffineLayer):
    """Turn each image by a random angle in training.

    Args:
        factor: number f in [-1, 1] for angles between -f and f whole turns, or a pair
            (lower, upper). Positive angles turn counter-clockwise.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the angles; None draws one from Python's `random`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> keras.layers.RandomRotation(0.2, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _mk_config_names = ("factor", "fill_mode", "fill_value", "interpolation", "seed")

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, (-1, 1))
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def _mk_draw(self, sizes, seed, training):
        n, height, width = sizes
        low, high = (f * 360.0 for f in self.factor)
        angle = random.uniform((n,), low, high, seed=self._mk_source(seed))
        matrix = rotation_matrix(angle, height, width)
        return {"angle": angle, "rotation_matrix": matrix}

    def _mk_matrix(self, transformation, height, width):
        return transformation["rotation_matrix"]

    def _mk_move(self, boxes, transformation, height, width):
        angle = transformation["angle"]
        return affine_boxes(boxes, angle, 0.0, 0.0, 1.0, 0.0, 0.0, height, width)


class RandomTranslation(AffineLayer):
    """Move each image by a random distance in training.

    Args:
        height_factor: number f in [-1, 1] for distances between -f and f heights, or a
            pair (lower, upper). Positive ones move the image down.
        width_factor: the same in widths. Positive ones move the image to the right.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the distances; None draws one from Python's `random`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input and output shape: as of `RandomRotation`.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> layer = keras.layers.RandomTranslation((0.5, 0.5), 0.0, fill_mode="constant")
    >>> layer(np.ones((1, 2, 1, 1))).ravel().tolist()
    [0.0, 1.0]
    """

    _mk_config_names = (
        *("height_factor", "width_factor", "fill_mode", "interpolation", "seed"),
        "fill_value",
    )

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_range("height", height_factor)
        self._mk_set_range("width", width_factor)
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def _mk_draw(self, sizes, seed, training):
        (n, height, width), seed = sizes, self._mk_source(seed)
        y = random.uniform((n, 1), self.height_lower, self.height_upper, seed=seed)
        x = random.uniform((n, 1), self.width_lower, self.width_upper, seed=seed)
        xy = jnp.concatenate([x * width, y * height], axis=1)
        return {"translations": xy.astype("float32")}

    def _mk_matrix(self, transformation, height, width):
        return translation_matrix(jnp.asarray(transformation["translations"]))

    def _mk_move(self, boxes, transformation, height, width):
        xy = jnp.tile(jnp.asarray(transformation["translations"], boxes.dtype), 2)
        return boxes + (xy[:, None] if boxes.ndim == 3 else xy)


class RandomZoom(AffineLayer):
    """Zoom into or out of each image by a random factor in training.

    Args:
        height_factor: number f in (-1, 1] for changes between -f and f of the height
            that is shown, or a pair (lower, upper). Negative ones zoom in.
        width_factor: the same for the width; None: the change of the height, which
            keeps the aspect ratio.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the factors; None draws one from Python's `random`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input and output shape: as of `RandomRotation`.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> x = np.arange(4.0).reshape(1, 1, 4, 1)
    >>> keras.layers.RandomZoom(0.0, (-0.5, -0.5))(x).ravel().tolist()
    [0.75, 1.25, 1.75, 2.25]
    """

    _mk_config_names = RandomTranslation._mk_config_names

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        above = -1 + 1e-9  # at -1 nothing would be shown
        self._mk_set_range("height", height_factor, above)
        self.width_factor = None
        if width_factor is not None:
            self._mk_set_range("width", width_factor, above)
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def _mk_draw(self, sizes, seed, training):
        shape, seed = (sizes[0], 1), self._mk_source(seed)
        low, high = 1.0 + self.height_lower, 1.0 + self.height_upper
        height_zoom = width_zoom = random.uniform(shape, low, high, seed=seed)
        if self.width_factor is not None:
            low, high = 1.0 + self.width_lower, 1.0 + self.width_upper
            width_zoom = random.uniform(shape, low, high, seed=seed)
        return {"height_zoom": height_zoom, "width_zoom": width_zoom}

    def _mk_zooms(self, transformation):
        zooms = [jnp.asarray(transformation[f"{s}_zoom"]) for s in ("width", "height")]
        return jnp.concatenate(zooms, axis=1).astype("float32")

    def _mk_matrix(self, transformation, height, width):
        return zoom_matrix(self._mk_zooms(transformation), height, width)

    def _mk_move(self, boxes, transformation, height, width):
        return zoomed_boxes(boxes, self._mk_zooms(transformation), height, width)


class RandomShear(AffineLayer):
    """Move the rows and columns of each image against each other in training.

    Args:
        x_factor: number f in [0, 1] for a shear along x between -f and f, in pixels for
            each row, or a pair (lower, upper).
        y_factor: the same along y, for each column.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the shears; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input and output shape: as of `RandomRotation`.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> keras.layers.RandomShear(0.3, 0.1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _mk_config_names = (
        *("x_factor", "y_factor", "fill_mode", "interpolation", "seed", "fill_value"),
    )

    def __init__(
        self,
        x_factor=0.0,
        y_factor=0.0,
        interpolation="bilinear",
        fill_mode="reflect",
        fill_value=0.0,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        for name, factor in (("x_factor", x_factor), ("y_factor", y_factor)):
            # Keras refuses pairs with a negative number, and so its own configs.
            low = -1 if isinstance(factor, (tuple, list)) else 0
            lower, upper = check_factor(factor, (low, 1), name, strict=True)
            setattr(self, name, (-upper if low == 0 else lower, upper))
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def _mk_draw(self, sizes, seed, training):
        draw = partial(
            random.uniform,
            (sizes[0], 1),
            dtype=self.compute_dtype,
            seed=self._mk_source(seed),
        )
        sign = jnp.where(draw(0.0, 1.0) > 0.5, -1, 1).astype(self.compute_dtype)
        y, x = draw(*self.y_factor), draw(*self.x_factor)  # in Keras's order
        return {"shear_factor": jnp.concatenate([x, y], axis=1) * sign}

    def _mk_matrix(self, transformation, height, width):
        return shear_matrix(jnp.asarray(transformation["shear_factor"]))

    def _mk_move(self, boxes, transformation, height, width):
        shear = jnp.asarray(transformation["shear_factor"], boxes.dtype)
        return sheared_boxes(boxes, shear, height, width)
