"""GroupQueryAttention: several query heads share one key and value head."""

from minikeras.core.checks import positive_int
from minikeras.layers.attention.projected_attention import ProjectedAttention


class GroupedQueryAttention(ProjectedAttention):
    """Attention in which groups of query heads share the heads of key and value.

    softmax(Q_h K_gᵀ / √head_dim) V_g for head h of group g, then a projection. With as
    many key and value heads as query heads it is `MultiHeadAttention`; with one it is
    multi-query attention.

    Call it on a query (batch, targets, n), a value (batch, sources, n) and a key, which
    is the value by default. The output is (batch, targets, n).

    Args:
        head_dim: int >= 1, size of each head.
        num_query_heads: int >= 1, number of heads of the query.
        num_key_value_heads: int >= 1, number of heads of key and value; divides
            `num_query_heads`.
        dropout: share of the weights that is dropped in training, in [0, 1].
        use_bias: bool, whether the projections have a bias.
        sliding_window: int >= 1, mask sources that are this many steps away, or more;
            None for no window.
        flash_attention: bool, whether to require cuDNN's fused kernel (GPU, half
            floats); False never uses it; None uses it where it runs, unless
            `keras.config.disable_flash_attention()` was called.
        kernel_initializer: initializer of the projections' kernels.
        bias_initializer: initializer of the projections' biases.
        kernel_regularizer, bias_regularizer: penalties on these weights; None for none.
        activity_regularizer: penalty on the outputs of the projections and of the
            layer.
        kernel_constraint, bias_constraint: projections of these weights after each
            update; None for no constraint.
        use_gate: bool, whether to multiply the heads' outputs by σ(a projection of the
            query).
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: an invalid argument; in a call: value and key differ in length.

    Source: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.

    >>> query, value = np.ones((1, 3, 8)), np.ones((1, 5, 8))
    >>> keras.layers.GroupQueryAttention(4, 4, 2)(query, value).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.head_dim = positive_int(head_dim, "head_dim")
        self.num_query_heads = positive_int(num_query_heads, "num_query_heads")
        shared = positive_int(num_key_value_heads, "num_key_value_heads")
        self.num_key_value_heads = shared
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`, got "
                f"{num_query_heads} and {num_key_value_heads}."
            )

    def _mk_heads(self, projection):
        shared = projection in ("key", "value")
        heads = self.num_key_value_heads if shared else self.num_query_heads
        return heads, self.head_dim

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        """Return the shape of the query.

        Args:
            query_shape: (batch, targets, n).
            value_shape: (batch, sources, n).
            key_shape: (batch, sources, n); None takes the value's.

        Raises:
            ValueError: query and value differ in their last size.
        """
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                f"{self.name}: the last dimensions of `query` and `value` must be "
                f"equal. Received: query_shape={tuple(query_shape)} and "
                f"value_shape={tuple(value_shape)}."
            )
        return super().compute_output_shape(query_shape, value_shape, key_shape)
