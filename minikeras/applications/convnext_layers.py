"""Two layers of ConvNeXt: blocks that are dropped, a scale for each channel."""

import jax.numpy as jnp

from minikeras import initializers, random
from minikeras.core import registry
from minikeras.core.bridge import current
from minikeras.core.checks import positive_int, unit_interval
from minikeras.layers import Layer
from minikeras.random.seed_generator import SeedGenerator, new_stream_seed


def stochastic_depth(x, draw, drop_path_rate):
    """x / (1 - drop_path_rate) where draw >= drop_path_rate, else 0.

    Args:
        x: array (batch, ...).
        draw: uniform numbers in [0, 1), (batch, 1, ...).
        drop_path_rate: number in [0, 1].
    """
    keep = 1 - drop_path_rate
    if keep == 0:
        return jnp.zeros_like(x)
    # The sum in this form, because Keras rounds it so.
    return x / keep * jnp.floor(keep + draw).astype(x.dtype)


class StochasticDepth(Layer):
    """Set all features of some samples to 0 in training.

    Those of the others are multiplied by 1 / (1 - rate), which keeps the expected sum.
    In inference the inputs are returned as they are. It ends the branch of a residual
    block.

    Args:
        drop_path_rate: number in [0, 1], the probability of 0.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...), two axes or more. Output shape: the same.

    Raises:
        ValueError: `drop_path_rate` is not in [0, 1].

    Source: G. Huang et al. 2016, arXiv:1603.09382. Keras draws from the global
    generator, which compiled code cannot step; in a step this layer draws from one of
    its own.
    """

    def __init__(self, drop_path_rate, **kwargs):
        super().__init__(**kwargs)
        self.drop_path_rate = unit_interval(drop_path_rate, "drop_path_rate")
        # No generator of Keras's moves for this seed: Keras draws none here.
        self.seed_generator = SeedGenerator(new_stream_seed())

    def call(self, x, training=None):
        """Return x, in training with some samples set to 0.

        Args:
            x: array (batch, ...).
            training: bool, whether to set any to 0.
        """
        if not training:
            return x
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        # Outside of a step the same draw as Keras's.
        seed = None if current().bindings is None else self.seed_generator
        draw = random.uniform(shape, seed=seed)
        return stochastic_depth(x, draw, self.drop_path_rate)


class LayerScale(Layer):
    """Multiply each channel by a weight of its own: x * gamma.

    Args:
        init_values: number that the weights begin with.
        projection_dim: int, number of channels.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (..., projection_dim). Output shape: the same.

    Raises:
        ValueError: `projection_dim` is no positive integer.

    Source: H. Touvron et al. 2021, arXiv:2103.17239.
    """

    def __init__(self, init_values, projection_dim, **kwargs):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = positive_int(projection_dim, "projection_dim")

    def build(self, input_shape):
        """Create gamma of shape (projection_dim,)."""
        initial = initializers.Constant(self.init_values)
        self.gamma = self.add_weight((self.projection_dim,), initial)

    def call(self, x):
        """Return x * gamma.

        Args:
            x: array (..., projection_dim).
        """
        return x * self.gamma


# Files name these classes by their place in Keras, where they are not public.
registry.register(
    "keras.src.applications.convnext",
    {"LayerScale": LayerScale, "StochasticDepth": StochasticDepth},
)
