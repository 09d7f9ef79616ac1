"""GroupQueryAttention: heads of queries that share keys and values."""

from minikeras.core.checks import positive_int
from minikeras.layers.attention.projected_attention import ProjectedAttention


class GroupedQueryAttention(ProjectedAttention):
    """Attention whose heads of queries share heads of keys and values in groups.

    As many key and value heads as query heads make it `MultiHeadAttention`; one makes
    it multi-query attention.

    Args:
        head_dim: int >= 1, size of each head.
        num_query_heads: int >= 1.
        num_key_value_heads: int >= 1, divides `num_query_heads`.
        dropout, use_bias, sliding_window, flash_attention, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint, use_gate, seed: as
            `MultiHeadAttention`.
        activity_regularizer: penalty of the projections' outputs and of the output.

    Called on query (batch, targets, n), value (batch, sources, m) and key, which is
    the value by default; the output is (batch, targets, n). Masks and further
    arguments of the call: as `MultiHeadAttention`, and `query_mask`
    (batch, targets).

    Raises:
        ValueError: a bad argument; value and key that differ in length.

    Source: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.

    >>> import numpy as np
    >>> GroupedQueryAttention(4, 4, 2)(np.ones((1, 3, 8)), np.ones((1, 5, 8))).shape
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
        """The query's shape"""
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                f"{self.name}: the last dimensions of `query` and `value` must be "
                f"equal. Received: query_shape={tuple(query_shape)} and "
                f"value_shape={tuple(value_shape)}."
            )
        return super().compute_output_shape(query_shape, value_shape, key_shape)
