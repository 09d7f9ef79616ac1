"""AdditiveAttention: the scores come from a network with one hidden layer."""

import jax.numpy as jnp

from minikeras.layers.attention.attention import Attention, pairwise_sums


class AdditiveAttention(Attention):
    """Average values, weighted by the scores Σ scale · tanh(query + key).

    softmax(Σ scale · tanh(query + key)) value

    Call it on [query, value] or [query, value, key]: (batch, targets, d),
    (batch, sources, d) and (batch, sources, d); the key is the value by default. The
    output is (batch, targets, d).

    Args:
        use_scale: bool, whether to train the (d,) weight `scale`; otherwise it is 1.
        dropout: share of the weights that is dropped in training, in [0, 1].
        **kwargs: `seed` of the dropout, int or None; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not such a list.

    Source: Bahdanau et al. 2014, https://arxiv.org/abs/1409.0473.

    >>> keras.layers.AdditiveAttention()([np.ones((1, 2, 4)), np.ones((1, 3, 4))]).shape
    (1, 2, 4)
    """

    _mk_not_in_config = ("score_mode",)

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
        pairs = jnp.tanh(pairwise_sums(query, key))
        return jnp.sum(
            pairs if self.scale is None else pairs * self.scale.value, axis=-1
        )
