"""The base of the image layers: images alone, or with labels, boxes and masks."""

import functools
from types import MappingProxyType, SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import ops, random
from minikeras.core.dtypes import is_text
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.image.arguments import check_factor, image_axes
from minikeras.ops.boxes import FORMATS, as_boxes
from minikeras.random.seed_generator import SeedGenerator
from minikeras.settings import standardize_data_format

# {key of the input: that of one image}, in Keras's order: some methods draw.
_PARTS = MappingProxyType(
    {
        "images": "image",
        "bounding_boxes": "bounding_box",
        "labels": "label",
        "segmentation_masks": "segmentation_mask",
    }
)


@functools.cache
def _backend():
    return SimpleNamespace(**vars(ops), random=random, core=ops)


def _for_one(name, what):
    """A method that calls the method `name` of batches for one image."""

    def method(self, data, transformation, training=True):
        batch = jax.tree_util.tree_map(lambda x: x[None], data)
        transform = getattr(self, name)
        batch = transform(batch, transformation=transformation, training=training)
        return jax.tree_util.tree_map(lambda x: x[0], batch)

    method.__doc__ = f"""Apply `{name}` to one image.

        Args:
            data: {what}
            transformation: what `get_random_transformation` returned for the image.
            training: bool.
        """
    return method


class BaseImagePreprocessingLayer(DataLayer):
    """Base of image layers: one random transformation for all that belongs to an image.

    The input is an array of images, or a dict with the key `images` and any of
    `labels`, `bounding_boxes` (a dict of `boxes` and `labels`) and
    `segmentation_masks`. A subclass draws in `get_random_transformation` and applies
    the draw in `transform_images`, `transform_labels`, `transform_bounding_boxes` and
    `transform_segmentation_masks`. These get batches; one image becomes a batch of one.

    Args:
        factor: number, or pair (lower, upper), strength of the transformation.
        bounding_box_format: one of the nine formats of `keras.utils.bounding_boxes`;
            needed for inputs with `bounding_boxes`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Attributes:
        _mk_takes_factor: does the constructor take `factor`?
        _mk_factor_bounds: least and greatest factor.
        _mk_in_inference: does the layer transform in inference too?
        _mk_casts_masks: do masks get the compute dtype, as images?
        _mk_config_names: arguments that the config shows after those of this class, in
            Keras's order.

    Raises:
        ValueError: an argument is out of its range.
    """

    _convert_input_args = False  # lists of boxes stay lists until they are padded
    _mk_takes_factor = True
    _mk_factor_bounds = (-1, 1)
    _mk_in_inference = False
    _mk_casts_masks = False
    _mk_config_names: tuple[str, ...] = ()
    factor: Any = None
    interpolation = "bilinear"

    def __init__(
        self, factor=None, bounding_box_format=None, data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        known = bounding_box_format is None or (
            isinstance(bounding_box_format, str)
            and bounding_box_format.lower() in FORMATS
        )
        if not known:
            raise ValueError(
                "`bounding_box_format` must be one of "
                f"{FORMATS}, got {bounding_box_format!r}."
            )
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)
        if self._mk_takes_factor:
            self.factor = check_factor(factor or 0.0, self._mk_factor_bounds)
        elif factor is not None:
            raise ValueError(
                f"Layer {type(self).__name__} does not take a `factor` argument. "
                f"Received: factor={factor}"
            )

    # -- what subclasses define ---------------------------------------------------

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Draw what the `transform_…` methods need; None for no transformation.

        Args:
            data: the input of the layer: images or a dict.
            training: bool, whether to draw.
            seed: `SeedGenerator` or int to draw from; None: the layer's own.
        """
        return None

    def transform_images(
        self, images: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Transform a batch of images; the result has the compute dtype.

        Args:
            images: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the images as they are.
        """
        images = self._mk_cast(images)
        if not (training or self._mk_in_inference):
            return images
        return self._mk_any_rank(images, transformation, self.interpolation)

    def transform_labels(
        self, labels: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Transform the labels of a batch; by default they stay as they are.

        Args:
            labels: array whose first axis is the batch.
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Transform the boxes of a batch; by default they stay as they are.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k, …).
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Transform masks as images, but to the nearest pixel: classes do not blend.

        Args:
            segmentation_masks: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the masks as they are.
        """
        masks = segmentation_masks
        masks = self._mk_cast(masks) if self._mk_casts_masks else masks
        if not (training or self._mk_in_inference):
            return masks
        return self._mk_any_rank(masks, transformation, "nearest")

    def _mk_any_rank(self, images, transformation, interpolation):
        # Called by hand, the methods of batches take one image too, as in Keras.
        if images.ndim == 3:
            return self._mk_transform(images[None], transformation, interpolation)[0]
        return self._mk_transform(images, transformation, interpolation)

    def _mk_transform(self, images, transformation, interpolation):
        """The images of a batch in training, in their own dtype."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define how images or masks change: it "
            "needs `transform_images` and `transform_segmentation_masks`."
        )

    transform_single_image = _for_one("transform_images", "array of rank 3.")
    transform_single_label = _for_one("transform_labels", "array without batch axis.")
    transform_single_bounding_box = _for_one(
        "transform_bounding_boxes", "dict of `boxes` (k, 4) and `labels` (k, …)."
    )
    transform_single_segmentation_mask = _for_one(
        "transform_segmentation_masks", "array of rank 3."
    )

    @property
    def backend(self) -> Any:
        """The functions of arrays, for code written for Keras's image layers."""
        return _backend()

    # -- the call -----------------------------------------------------------------

    def call(self, data: Any, training: bool = True) -> Any:
        """Transform images, and what belongs to them.

        Args:
            data: array of images (batch, h, w, channels), or one (h, w, channels), or
                channels first; or a dict with the keys `images` and any of `labels`,
                `bounding_boxes` and `segmentation_masks`. The dict does not change.
            training: bool, whether to augment.
        """
        if isinstance(data, dict) and "images" not in data:
            raise ValueError(
                f"{type(self).__name__}: expected the key 'images', besides 'labels', "
                f"'bounding_boxes' and 'segmentation_masks', got {sorted(data)}."
            )
        images = data["images"] if isinstance(data, dict) else data
        batched = not self._mk_is_single(images)
        transformation = self.get_random_transformation(data, training=training)
        outputs = dict(data) if isinstance(data, dict) else {"images": data}
        for key, single in _PARTS.items():
            if key not in outputs:
                continue
            boxes = key == "bounding_boxes"
            convert = self._mk_as_boxes if boxes else self._mk_as_array
            name = f"transform_{key}" if batched else f"transform_single_{single}"
            outputs[key] = getattr(self, name)(
                convert(outputs[key]), transformation=transformation, training=training
            )
        return outputs if isinstance(data, dict) else outputs["images"]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or the dict of shapes.

        Args:
            input_shape: shape of the images, or dict of the shapes.
        """
        if not isinstance(input_shape, dict):
            return self._mk_image_shape(tuple(input_shape))
        images = ("images", "segmentation_masks")
        return {
            key: self._mk_image_shape(tuple(shape)) if key in images else shape
            for key, shape in input_shape.items()
        }

    def _mk_image_shape(self, shape):
        """The shape of the transformed images."""
        return shape

    # -- help for subclasses ------------------------------------------------------

    def _mk_cast(self, images):
        return jnp.asarray(images, self.compute_dtype)

    def _mk_as_array(self, x):
        """An input as an array of JAX, cast as layers cast inputs; text as it is."""
        return x if is_text(x) else self._mk_convert(x)

    def _mk_as_boxes(self, bounding_boxes):
        if not self.bounding_box_format:
            raise ValueError(
                "The input has the key 'bounding_boxes', but you didn't specify a "
                "bounding box format. Pass `bounding_box_format='xyxy'`, or another of "
                f"{FORMATS}, to {type(self).__name__}."
            )
        return as_boxes(bounding_boxes)

    def _mk_is_single(self, images):
        """Is it one image (rank 3), not a batch (rank 4)? ValueError for others."""
        shape = np.shape(images)
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: Expected the input image to be rank 3 or 4. "
                f"Received: inputs.shape={shape}"
            )
        return len(shape) == 3

    def _mk_shape(self, data):
        """The shape of the images."""
        return np.shape(data["images"] if isinstance(data, dict) else data)

    def _mk_sizes(self, data):
        """(batch size, height, width) of the images; a single one is a batch of 1."""
        shape = self._mk_shape(data)
        height, width = (shape[axis] for axis in image_axes(self.data_format))
        return (shape[0] if len(shape) == 4 else 1), height, width

    def _mk_set_seed(self, seed):
        """Make the generator of the draws; without a seed it takes one."""
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def _mk_source(self, seed):
        """Where to draw from: the argument, or the layer's own generator."""
        return self.generator if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        common = ("name", "trainable", "dtype", "activity_regularizer")
        names = [*(n for n in common if n in config), "data_format"]
        if self.bounding_box_format is not None:
            names.append("bounding_box_format")
        names += [n for n in self._mk_config_names if n in config]
        return {n: config[n] for n in dict.fromkeys(names)}
