"""SpatialLayer: base of cropping, padding, upsampling; spatial and channel axes."""

from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.settings import standardize_data_format


def spatial_axes(rank, data_format):
    """The axes of space or time, without those of batch and channels.

    >>> spatial_axes(2, "channels_last"), spatial_axes(2, "channels_first")
    ((1, 2), (2, 3))
    """
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + rank))


def channel_axis(data_format):
    """The axis of the channels: -1 or 1."""
    return -1 if data_format == "channels_last" else 1


class SpatialLayer(Layer):
    """Base of layers that treat all spatial axes alike; `rank` is their number."""

    rank: int
    data_format = "channels_last"

    def _mk_set_data_format(self, data_format="channels_last"):
        """Store the data format, and require inputs of rank + 2 axes."""
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _mk_axes(self):
        return spatial_axes(self.rank, self.data_format)
