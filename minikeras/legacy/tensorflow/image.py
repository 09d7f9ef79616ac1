"""`tf.image`: images of shape (height, width, channels), or batches of them."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import ops
from minikeras.data.image_decoding import resize as host_resize
from minikeras.legacy.tensorflow.dispatch import number, sizes, table
from minikeras.legacy.tensorflow.random import key_of
from minikeras.legacy.tensorflow.types import jax_dtype

_H, _W = -3, -2


def convert_image_dtype(image, dtype, saturate=False):
    """Another dtype; integers span their range, floats 0 to 1."""
    old, new = image.dtype, jax_dtype(dtype)
    ints = [jnp.issubdtype(d, jnp.integer) for d in (old, new)]
    top = lambda d: int(jnp.iinfo(d).max)  # noqa: E731
    if all(ints):
        if top(old) >= top(new):
            return (image // ((top(old) + 1) // (top(new) + 1))).astype(new)
        return image.astype(new) * ((top(new) + 1) // (top(old) + 1))
    if ints[0]:
        return image.astype(new) * (1.0 / top(old))
    if ints[1]:
        scaled = image * (top(new) + 0.5)
        return (scaled.clip(0, top(new)) if saturate else scaled).astype(new)
    return image.astype(new)


def _in_floats(function):
    """Compute on floats from 0 to 1; the result has the dtype of the images."""

    def change(image, *args):
        old = image.dtype
        found = function(convert_image_dtype(image, _float(old)), *args)
        return convert_image_dtype(found, old, saturate=True)

    return change


def _float(dtype):
    return dtype if jnp.issubdtype(dtype, jnp.floating) else "float32"


def resize(
    images, size, method="bilinear", preserve_aspect_ratio=False, antialias=False
):
    """Images of another size, as floats unless the method is "nearest"."""
    method = getattr(method, "lower", lambda: method)()
    height, width = sizes(size)
    if preserve_aspect_ratio:
        scale = min(height / images.shape[_H], width / images.shape[_W])
        height, width = (round(scale * images.shape[d]) for d in (_H, _W))
    x = images if method == "nearest" else images.astype(_float(images.dtype))
    known = "bilinear nearest bicubic lanczos3 lanczos5".split()
    if method in known:
        return ops.image.resize(
            x, (height, width), method, antialias, data_format="channels_last"
        )
    if isinstance(x, jax.core.Tracer) or method not in ("area", "gaussian"):
        raise ValueError(
            f"tf.image.resize: method={method!r}; expected one of {known}."
        )
    batch = np.asarray(x).reshape(-1, *x.shape[-3:])
    found = [host_resize(one, (height, width), method) for one in batch]
    return jnp.asarray(np.stack(found).reshape(*x.shape[:-3], *found[0].shape))


def _crop(image, offset_height, offset_width, target_height, target_width):
    tops = number(offset_height), number(offset_width)
    h, w = number(target_height), number(target_width)
    return image[..., tops[0] : tops[0] + h, tops[1] : tops[1] + w, :]


def _pad(image, offset_height, offset_width, target_height, target_width):
    h, w = number(offset_height), number(offset_width)
    after = target_height - h - image.shape[_H], target_width - w - image.shape[_W]
    widths = [(0, 0)] * (image.ndim - 3) + [(h, after[0]), (w, after[1]), (0, 0)]
    return jnp.pad(image, widths)


def _crop_or_pad(image, target_height, target_width):
    for axis, target in ((_H, number(target_height)), (_W, number(target_width))):
        over = image.shape[axis] - target
        if over > 0:
            start = over // 2
            image = jax.lax.slice_in_dim(image, start, start + target, axis=axis)
        elif over < 0:
            widths = [(0, 0)] * image.ndim
            widths[axis] = (-over // 2, -over - -over // 2)
            image = jnp.pad(image, widths)
    return image


def _central_crop(image, central_fraction):
    h, w = image.shape[-3:-1]
    top, left = (int((s - s * central_fraction) / 2) for s in (h, w))
    return _crop(image, top, left, h - 2 * top, w - 2 * left)


def _random_crop(value, size, seed=None):
    size, room = sizes(size), np.array(value.shape)
    size = tuple(n if s == -1 else s for s, n in zip(size, value.shape, strict=True))
    room = jnp.asarray(room - np.array(size) + 1)
    start = jax.random.randint(key_of(seed), (len(size),), 0, room)
    return jax.lax.dynamic_slice(value, list(start), size)


def _random_flip(axis):
    def flip(image, seed=None):
        # Each image of a batch has its own draw.
        draws = jax.random.uniform(key_of(seed), (*image.shape[:-3], 1, 1, 1))
        return jnp.where(draws < 0.5, jnp.flip(image, axis), image)

    return flip


def _between(seed, lower, upper):
    return jax.random.uniform(key_of(seed), (), minval=lower, maxval=upper)


def _standardize(image):
    x = image.astype("float32")
    count = x.shape[-1] * x.shape[-2] * x.shape[-3]
    mean = x.mean((-3, -2, -1), keepdims=True)
    deviation = x.std((-3, -2, -1), keepdims=True)
    # The least deviation keeps images of one colour finite.
    return (x - mean) / jnp.maximum(deviation, count**-0.5)


@_in_floats
def _contrast(images, factor):
    mean = images.mean((_H, _W), keepdims=True)
    return (images - mean) * factor + mean


@_in_floats
def _hue(image, delta):
    hsv = ops.image.rgb_to_hsv(image, data_format="channels_last")
    hue = (hsv[..., :1] + delta) % 1.0
    both = jnp.concatenate([hue, hsv[..., 1:]], -1)
    return ops.image.hsv_to_rgb(both, data_format="channels_last")


@_in_floats
def _saturation(image, factor):
    hsv = ops.image.rgb_to_hsv(image, data_format="channels_last")
    parts = [hsv[..., :1], jnp.clip(hsv[..., 1:2] * factor, 0, 1), hsv[..., 2:]]
    return ops.image.hsv_to_rgb(jnp.concatenate(parts, -1), data_format="channels_last")


_brightness = _in_floats(lambda image, delta: image + delta)
_grey = _in_floats(lambda x: x @ jnp.asarray([[0.2989], [0.587], [0.114]], x.dtype))


def _total_variation(images):
    axes = (-3, -2, -1)
    steps = (jnp.abs(jnp.diff(images, axis=d)).sum(axes) for d in (_H, _W))
    return sum(steps)


def _psnr(a, b, max_val):
    top = convert_image_dtype(jnp.asarray(max_val, a.dtype), "float32")
    a, b = (convert_image_dtype(x, "float32") for x in (a, b))
    error = jnp.mean((a - b) ** 2, (-3, -2, -1))
    return 20 * jnp.log10(top) - 10 * jnp.log10(error)


def _sobel(image):
    widths = [(0, 0)] * (image.ndim - 3) + [(1, 1), (1, 1), (0, 0)]
    x = jnp.pad(image, widths, mode="reflect")
    smooth = lambda a, d: (  # noqa: E731
        jax.lax.slice_in_dim(a, 0, -2, axis=d)
        + 2 * jax.lax.slice_in_dim(a, 1, -1, axis=d)
        + jax.lax.slice_in_dim(a, 2, None, axis=d)
    )
    step = lambda a, d: (  # noqa: E731
        jax.lax.slice_in_dim(a, 2, None, axis=d)
        - jax.lax.slice_in_dim(a, 0, -2, axis=d)
    )
    h, w = image.ndim - 3, image.ndim - 2
    return jnp.stack([smooth(step(x, h), w), smooth(step(x, w), h)], -1)


def _extract_patches(images, sizes, strides, rates, padding):
    return ops.image.extract_patches(
        images,
        tuple(sizes[1:3]),
        tuple(strides[1:3]),
        rates[1],
        padding.lower(),
        data_format="channels_last",
    )


# fmt: off
FUNCTIONS = table("image.", {
    "adjust_brightness": lambda image, delta: _brightness(image, delta),
    "adjust_contrast": lambda images, contrast_factor: _contrast(
        images, contrast_factor),
    "adjust_gamma": lambda image, gamma=1, gain=1: _in_floats(
        lambda x: gain * x**gamma)(image),
    "adjust_hue": lambda image, delta: _hue(image, delta),
    "adjust_saturation": lambda image, saturation_factor: _saturation(
        image, saturation_factor),
    "central_crop": _central_crop,
    "convert_image_dtype": convert_image_dtype,
    "crop_to_bounding_box": _crop,
    "extract_patches": _extract_patches,
    "flip_left_right": lambda image: jnp.flip(image, _W),
    "flip_up_down": lambda image: jnp.flip(image, _H),
    "grayscale_to_rgb": lambda images: jnp.repeat(images, 3, -1),
    "hsv_to_rgb": lambda images: ops.image.hsv_to_rgb(
        images, data_format="channels_last"),
    "image_gradients": lambda image: tuple(
        jnp.diff(image, axis=d, append=jax.lax.slice_in_dim(
            image, -1 + image.shape[d], image.shape[d], axis=d)) for d in (1, 2)),
    "pad_to_bounding_box": _pad,
    "per_image_standardization": _standardize,
    "psnr": _psnr,
    "random_brightness": lambda image, max_delta, seed=None: _brightness(
        image, _between(seed, -max_delta, max_delta)),
    "random_contrast": lambda image, lower, upper, seed=None: _contrast(
        image, _between(seed, lower, upper)),
    "random_crop": _random_crop,
    "random_flip_left_right": _random_flip(_W),
    "random_flip_up_down": _random_flip(_H),
    "random_hue": lambda image, max_delta, seed=None: _hue(
        image, _between(seed, -max_delta, max_delta)),
    "random_saturation": lambda image, lower, upper, seed=None: _saturation(
        image, _between(seed, lower, upper)),
    "resize": resize,
    "resize_with_crop_or_pad": _crop_or_pad,
    "rgb_to_grayscale": lambda images: _grey(images),
    "rgb_to_hsv": lambda images: ops.image.rgb_to_hsv(
        images, data_format="channels_last"),
    "rot90": lambda image, k=1: jnp.rot90(image, k, (_H, _W)),
    "sobel_edges": _sobel,
    "ssim": lambda img1, img2, max_val, filter_size=11, filter_sigma=1.5, k1=0.01,
        k2=0.03: ops.image.ssim(
            img1, img2, max_val, filter_size, filter_sigma, k1, k2),
    "total_variation": _total_variation,
    "transpose": lambda image: image.swapaxes(_H, _W),
})
# fmt: on


class ResizeMethod:
    """Names of the ways to resize."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC = "bilinear", "nearest", "bicubic"
    AREA, LANCZOS3, LANCZOS5, GAUSSIAN = "area", "lanczos3", "lanczos5", "gaussian"
