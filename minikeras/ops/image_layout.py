"""Ops on images: one or a batch, in either layout, reach functions as (n, h, w, c)."""

import functools
import inspect

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import IMAGE
from minikeras.settings import standardize_data_format


def check_rank(images, argument="images"):
    """ValueError unless there are 3 or 4 axes."""
    if len(images.shape) not in (3, 4):
        raise ValueError(
            f"Invalid {argument} rank: expected rank 3 (one image) or 4 (a batch), got "
            f"{argument}.shape={tuple(images.shape)}."
        )


def image_op(function=None, *, name=None, tensors=("images",), spec=None):
    """An `op` on images of 3 or 4 axes and both layouts.

    Args:
        function: of `images` (n, h, w, c), whose result begins with such axes.
        name, tensors, spec: as in `op`.
    """
    if function is None:
        return functools.partial(image_op, name=name, tensors=tensors, spec=spec)
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        # The global data format may change between calls.
        layout = standardize_data_format(bound.arguments["data_format"])
        images = as_array(bound.arguments["images"])
        check_rank(images)
        single = images.ndim == 3
        images = images[None] if single else images
        if layout == "channels_first":
            images = jnp.moveaxis(images, 1, 3)
        channels_last = {"images": images, "data_format": "channels_last"}
        out = function(**{**bound.arguments, **channels_last})
        if layout == "channels_first":
            out = jnp.moveaxis(out, 3, 1)
        return out[0] if single else out

    # `op` records the parameters that it finds in the signature.
    call.__signature__ = signature
    return op(call, name=name, tensors=tensors, module=IMAGE, spec=spec)
