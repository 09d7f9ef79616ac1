"""MultiHeadAttention: attention of several heads, each with its own projections."""

from operator import attrgetter

from minikeras import regularizers
from minikeras.core.checks import is_int, positive_int
from minikeras.layers.attention.projected_attention import ProjectedAttention


def _stored_as(name):
    """An attribute that is `name` in files: Keras has them without the underscore."""
    return property(attrgetter(name), lambda self, layer: setattr(self, name, layer))


class MultiHeadAttention(ProjectedAttention):
    """Attention in several subspaces at once.

    concat_h(softmax(Q_h K_hᵀ / √key_dim) V_h) W, with Q_h, K_h and V_h projections of
    query, key and value

    Args:
        num_heads: int >= 1.
        key_dim: int >= 1, size of each head's query and key.
        value_dim: int >= 1, size of each head's value; key_dim by default.
        dropout: share of the weights dropped while training, in [0, 1].
        use_bias: do the projections have a bias?
        output_shape: size, or sizes, of the output's last axes; the query's by
            default.
        attention_axes: int or ints, axes of the query over which to attend; all but
            the first and last by default.
        sliding_window: int >= 1; targets attend to sources less than this many steps
            away only.
        flash_attention: True asks for cuDNN's fused kernel (GPU, half floats); by
            default it is taken where it runs.
        kernel_initializer, bias_initializer: of the projections' weights.
        kernel_regularizer, bias_regularizer: penalties.
        activity_regularizer: penalty of the projections' outputs.
        kernel_constraint, bias_constraint: projections after each update.
        use_gate: multiply the heads' outputs by σ(a projection of the query)?
        seed: int, of the dropout.

    Called on query (batch, …, targets, n), value (batch, …, sources, m) and key, which
    is the value by default; the output is (batch, …, targets, n). `call` also takes
    `value_mask` and `key_mask`, (batch, sources); `attention_mask`, broadcastable to
    (batch, targets, sources) or (batch, heads, targets, sources); and
    `use_causal_mask=True` to hide sources after the target. With
    `return_attention_scores=True` the weights (batch, heads, targets, sources) come
    out, too. As in Keras, the query's mask is the one that came with it (`query_mask`
    is not looked at), and the inputs' masks are taken from them.

    Raises:
        ValueError: a bad argument; value and key that differ in length.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.

    >>> import numpy as np
    >>> MultiHeadAttention(2, 4)(np.ones((1, 3, 8)), np.ones((1, 5, 8))).shape
    (1, 3, 8)
    """

    _mk_masks_end_here = True
    _query_dense = _stored_as("query_dense")
    _key_dense = _stored_as("key_dense")
    _value_dense = _stored_as("value_dense")
    _output_dense = _stored_as("output_dense")

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
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
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.num_heads = positive_int(num_heads, "num_heads")
        self.key_dim = positive_int(key_dim, "key_dim")
        value_dim = key_dim if value_dim is None else value_dim
        self.value_dim = positive_int(value_dim, "value_dim")
        self.output_shape = _sizes(output_shape)
        if attention_axes is not None:
            one = is_int(attention_axes)
            self.attention_axes = (attention_axes,) if one else tuple(attention_axes)
        self._mk_projection_penalty = regularizers.get(activity_regularizer)

    def _mk_heads(self, projection):
        compared = projection in ("query", "key")
        return self.num_heads, self.key_dim if compared else self.value_dim


def _sizes(output_shape):
    if output_shape is None:
        return None
    if is_int(output_shape):
        return (output_shape,)
    if not isinstance(output_shape, (tuple, list)):
        raise ValueError(
            f"Invalid `output_shape`: {output_shape!r}. Expected an int, or a tuple or "
            "list of ints."
        )
    return tuple(output_shape)
