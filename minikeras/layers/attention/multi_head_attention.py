"""MultiHeadAttention: attention of several heads, each with its own projections."""

from operator import attrgetter

from minikeras import regularizers
from minikeras.core.checks import is_int, positive_int
from minikeras.layers.attention.projected_attention import ProjectedAttention


def _alias_of(name):
    """A property that reads and writes the attribute `name`.

    Files of Keras have these layers under names without an underscore.
    """
    return property(attrgetter(name), lambda self, layer: setattr(self, name, layer))


class MultiHeadAttention(ProjectedAttention):
    """Attention in several subspaces (heads) at once.

    concat_h(softmax(Q_h K_hᵀ / √key_dim) V_h) W, where Q_h, K_h and V_h are projections
    of query, key and value

    Call it on a query (batch, …, targets, n), a value (batch, …, sources, m) and a key,
    which is the value by default. The output is (batch, …, targets, n).

    Args:
        num_heads: int >= 1, number of heads.
        key_dim: int >= 1, size of query and key in each head.
        value_dim: int >= 1, size of the value in each head; None takes `key_dim`.
        dropout: share of the weights that is dropped in training, in [0, 1].
        use_bias: bool, whether the projections have a bias.
        output_shape: int or ints, size(s) of the last axis or axes of the output; None
            takes the size of the query.
        attention_axes: int or ints, axes over which to attend; None takes all axes
            except the first and the last.
        sliding_window: int >= 1, mask sources that are this many steps away, or more;
            None for no window.
        flash_attention: bool, whether to require cuDNN's fused kernel (GPU, half
            floats); False never uses it; None uses it where it runs, unless
            `keras.config.disable_flash_attention()` was called.
        kernel_initializer: initializer of the projections' kernels.
        bias_initializer: initializer of the projections' biases.
        kernel_regularizer, bias_regularizer: penalties on these weights; None for none.
        activity_regularizer: penalty on the outputs of the projections.
        kernel_constraint, bias_constraint: projections of these weights after each
            update; None for no constraint.
        use_gate: bool, whether to multiply the heads' outputs by σ(a projection of the
            query).
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: an invalid argument; in a call: value and key differ in length.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.

    >>> query, value = np.ones((1, 3, 8)), np.ones((1, 5, 8))
    >>> keras.layers.MultiHeadAttention(2, 4)(query, value).shape
    (1, 3, 8)
    """

    _mk_consumes_masks = True
    _query_dense = _alias_of("query_dense")
    _key_dense = _alias_of("key_dense")
    _value_dense = _alias_of("value_dense")
    _output_dense = _alias_of("output_dense")

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
            single = is_int(attention_axes)
            axes = (attention_axes,) if single else tuple(attention_axes)
            self.attention_axes = axes
        self._mk_projection_regularizer = regularizers.get(activity_regularizer)

    def _mk_heads(self, projection):
        is_scored = projection in ("query", "key")
        return self.num_heads, self.key_dim if is_scored else self.value_dim


def _sizes(output_shape):
    """`output_shape` as a tuple of ints, or None."""
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
