"""Draws of pooling."""

from compat.layer_cases.convolutional import FORMATS, images, window
from compat.layer_cases.drawing import Case, draws, image, step_mask


def free(rank, kwargs):
    """The batch and the axes of space."""
    first = 2 if kwargs.get("data_format") == "channels_first" else 1
    return (0, *range(first, first + rank))


@draws(
    "MaxPooling1D MaxPooling2D MaxPooling3D "
    "AveragePooling1D AveragePooling2D AveragePooling3D"
)
def pooling(d, name):
    rank = int(name[-2])
    kwargs = {"pool_size": window(d, rank)}
    kwargs |= d.options(
        {
            "strides": (window(d, rank), None),
            "padding": ("valid", "same"),
            "data_format": FORMATS,
        }
    )
    return Case(kwargs, images(d, rank, kwargs), free=free(rank, kwargs), terms=9)


@draws(
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D "
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D"
)
def global_pooling(d, name):
    rank = int(name[-2])
    kwargs = d.options({"data_format": FORMATS, "keepdims": (True, False)})
    x = image(d, rank, kwargs.get("data_format"), low=1, high=5)
    mask = None
    if name == "GlobalAveragePooling1D" and d.chance():
        steps = x.shape[2 if kwargs.get("data_format") == "channels_first" else 1]
        mask = step_mask(d, len(x), steps)
        mask[:, 0] = True  # means of nothing are NaN
    return Case(kwargs, x, mask=mask, free=free(rank, kwargs), terms=9)


@draws(
    "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D "
    "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D"
)
def adaptive_pooling(d, name):
    rank = int(name[-2])
    kwargs = {"output_size": window(d, rank, (1, 2, 3, 4, 6))}
    kwargs |= d.options({"data_format": FORMATS})
    x = image(d, rank, kwargs.get("data_format"), low=1, high=7)
    return Case(kwargs, x, terms=9)
