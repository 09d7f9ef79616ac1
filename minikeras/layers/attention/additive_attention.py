"""AdditiveAttention: scores of a network with one hidden layer."""

import jax.numpy as jnp

from minikeras.layers.attention.attention import Attention, sums_of_pairs


class AdditiveAttention(Attention):
    """Averages of values, weighted by scale · tanh(query + key).

    Args:
        use_scale: have the (d,) weight `scale`? It is 1 otherwise.
        dropout: share of the weights dropped while training, in [0, 1].
        seed: int; None takes one from Python's `random`.

    Inputs, masks and output: as `Attention`.

    Source: Bahdanau et al. 2014, https://arxiv.org/abs/1409.0473.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        """Create the (d,) scale."""
        self._mk_check_shapes(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                (input_shape[0][-1],), "glorot_uniform", name="scale"
            )

    def _calculate_scores(self, query, key):
        pairs = jnp.tanh(sums_of_pairs(query, key))
        return jnp.sum(
            pairs if self.scale is None else pairs * self.scale.value, axis=-1
        )

    def get_config(self):
        """The constructor's arguments."""
        config = super().get_config()
        del config["score_mode"]
        return config
