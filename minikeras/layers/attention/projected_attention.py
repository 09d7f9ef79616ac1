"""ProjectedAttention: several heads between linear projections."""

import math
import string

import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.bridge import get_mask, set_mask
from minikeras.core.checks import positive_int, unit_interval
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import serialize_keras_object
from minikeras.layers.activations.softmax import Softmax
from minikeras.layers.attention import masks
from minikeras.layers.core.einsum_dense import EinsumDense
from minikeras.layers.layer import Layer
from minikeras.layers.regularization.dropout import Dropout


def projection_equation(kept, summed, made):
    """The einsum that keeps `kept` axes, sums over `summed` and makes `made` new ones.

    Returns:
        (equation, the letters of the new axes).

    >>> projection_equation(2, 1, 2)
    ('abc,cde->abde', 'de')
    """
    letters = string.ascii_lowercase
    inputs, new = letters[: kept + summed], letters[kept + summed :][:made]
    return f"{inputs},{inputs[kept:]}{new}->{inputs[:kept]}{new}", new


def attention_equations(rank, axes):
    """The einsums of scores (key, query) and of outputs (weights, value).

    Args:
        rank: of the projected query: (batch, …, heads, d).
        axes: tuple of ints, over which targets attend to sources.

    The weights have the axes (batch and others, heads, *targets, *sources).

    >>> attention_equations(4, (1,))
    ('aecd,abcd->acbe', 'acbe,aecd->abcd')
    """
    letters = string.ascii_lowercase
    query = letters[:rank]
    new = dict(zip(axes, letters[rank:], strict=False))
    key = "".join(new.get(i, letter) for i, letter in enumerate(query))
    batch = "".join(query[i] for i in range(rank - 1) if i not in axes)
    weights = batch + "".join(query[i] for i in axes) + "".join(new.values())
    return f"{key},{query}->{weights}", f"{weights},{key}->{query}"


class ProjectedAttention(Layer):
    """What MultiHeadAttention and GroupQueryAttention have in common.

    A subclass says how many heads of which size each projection has (`_heads`).
    """

    attention_axes: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    # Do the masks that came with the inputs end here, the one with the query being
    # the only one that it can have? In Keras they do in one of the two layers.
    _mk_masks_end_here = False

    def __init__(
        self,
        *,
        dropout,
        use_bias,
        sliding_window,
        flash_attention,
        kernel_initializer,
        bias_initializer,
        kernel_regularizer,
        bias_regularizer,
        kernel_constraint,
        bias_constraint,
        use_gate,
        seed,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout, self.seed = unit_interval(dropout, "dropout"), seed
        self.use_bias, self.use_gate = use_bias, use_gate
        if sliding_window is not None:
            positive_int(sliding_window, "sliding_window")
        self.sliding_window = sliding_window
        if flash_attention and dropout > 0:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. Set dropout "
                f"to 0.0, not {dropout}, or flash_attention to None."
            )
        self.flash_attention = flash_attention
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._mk_projection_penalty = self.activity_regularizer
        self.supports_masking = True

    def _mk_heads(self, projection):
        """(number of heads, size) of "query", "key", "value" or "gate"."""
        raise NotImplementedError

    def _mk_axes(self, rank):
        """The axes of targets and sources, from 0 on: all in the middle by default."""
        axes = self.attention_axes
        axes = range(1, rank - 1) if axes is None else axes
        return tuple(axis % rank for axis in axes)

    def build(self, query_shape, value_shape, key_shape=None):
        """Create the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._mk_check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        self.attention_axes = axes = self._mk_axes(rank)
        self._query_dense = self._mk_split("query", query_shape)
        self._key_dense = self._mk_split("key", key_shape)
        if self.use_gate:
            self._gate_dense = self._mk_split("gate", query_shape)
        self._value_dense = self._mk_split("value", value_shape)
        equations = attention_equations(rank + 1, axes)
        self._mk_dot_product_equation, self._mk_combine_equation = equations
        policy = self.dtype_policy
        self._softmax = Softmax(axis=tuple(range(-len(axes), 0)), dtype=policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=policy)
        self._output_dense = self._mk_join(query_shape)

    def _mk_split(self, name, shape):
        """The projection of (…, n) to (…, heads, d)."""
        return self._mk_projection(name, shape, 1, self._mk_heads(name))

    def _mk_join(self, query_shape):
        """The projection of (…, heads, d) to the output."""
        heads = self._mk_heads("gate")  # what the gate is multiplied with
        sizes = self.output_shape or query_shape[-1:]
        shape = (*query_shape[:-1], *heads)
        return self._mk_projection("attention_output", shape, 2, sizes)

    def _mk_projection(self, name, input_shape, summed, sizes):
        kept = len(input_shape) - summed
        equation, new = projection_equation(kept, summed, len(sizes))
        layer = EinsumDense(
            equation,
            output_shape=(*(None,) * (kept - 1), *sizes),
            activation="sigmoid" if name == "gate" else None,
            bias_axes=new if self.use_bias else None,
            # Copies: one initializer without a seed would make equal kernels.
            kernel_initializer=_copy(self.kernel_initializer),
            bias_initializer=_copy(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            activity_regularizer=self._mk_projection_penalty,
            name=name,
            dtype=self.dtype_policy,
        )
        layer.supports_masking = True  # masks are seen to here: nothing to warn of
        layer.build(input_shape)
        return layer

    def _mk_check_shapes(self, query_shape, value_shape, key_shape):
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"{self.name}: all dimensions of `value` and `key`, except the last "
                f"one, must be equal. Received: value_shape={tuple(value_shape)} and "
                f"key_shape={tuple(key_shape)}."
            )

    def _mk_lengths(self, query, value):
        """(targets, sources), which masks by position need."""
        axes = self._mk_axes(query.ndim)
        if len(axes) != 1:
            raise ValueError(
                f"{self.name}: `use_causal_mask` and `sliding_window` need one axis of "
                f"attention, not attention_axes={axes}. Pass an `attention_mask`."
            )
        return query.shape[axes[0]], value.shape[axes[0]]

    def _compute_attention_mask(
        self,
        query,
        value,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        use_causal_mask=False,
    ):
        """One mask that broadcasts to (batch, targets, sources), or None."""
        found = [m if m is None else m[..., None, :] for m in (value_mask, key_mask)]
        if query_mask is not None:
            found.append(query_mask[..., :, None])
        if use_causal_mask:
            found.append(masks.causal_mask(*self._mk_lengths(query, value)))
        if self.sliding_window is not None:
            lengths = self._mk_lengths(query, value)
            found.append(masks.sliding_window_mask(*lengths, self.sliding_window))
        own = masks.combined(found)
        if own is None or attention_mask is None:
            return attention_mask if own is None else own
        if own.ndim < attention_mask.ndim:  # which then has an axis for the heads
            own = masks.raised(own, attention_mask.ndim, 2)
        return masks.combined([own, attention_mask])

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        """The outputs, and the weights if asked for"""
        key = value if key is None else key
        if self._mk_masks_end_here:
            query_mask = get_mask(query)
            for x in (query, value, key):
                set_mask(x, None)
        given = (query_mask, value_mask, key_mask, attention_mask, self.sliding_window)
        # Fused kernels know the causal mask; subclasses' own functions may not.
        own = type(self)._compute_attention is ProjectedAttention._compute_attention
        fused_mask = use_causal_mask and own and all(x is None for x in given)
        attention_mask = self._compute_attention_mask(
            *(query, value, query_mask, value_mask, key_mask, attention_mask),
            use_causal_mask=use_causal_mask and not fused_mask,
        )
        options = {
            "return_attention_scores": return_attention_scores,
            "use_causal_mask": fused_mask,
        }
        outputs, weights = self._compute_attention(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            *(attention_mask, training),
            **{name: True for name, wanted in options.items() if wanted},
        )
        if self.use_gate:
            outputs = jnp.multiply(outputs, self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _compute_attention(
        self,
        query,
        key,
        value,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        """(outputs, weights or None) of (…, heads, d); for subclasses to replace."""
        if return_attention_scores and self.flash_attention:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Please disable flash attention to access attention scores."
            )
        scale = 1 / math.sqrt(query.shape[-1])
        one_size = query.shape[-1] == value.shape[-1]
        if (
            query.ndim == 4
            and one_size
            and not (self.dropout or return_attention_scores)
        ):
            if attention_mask is not None:
                attention_mask = masks.raised(attention_mask, 4, 2)
            outputs = ops.dot_product_attention(
                *(query, key, value),
                mask=attention_mask,
                scale=scale,
                is_causal=use_causal_mask,
                flash_attention=self.flash_attention,
            )
            return outputs, None
        if use_causal_mask:
            causal = masks.causal_mask(*self._mk_lengths(query, value))
            attention_mask = masks.combined([causal, attention_mask])
        key, value = (_repeated(x, query.shape[-2]) for x in (key, value))
        scores = jnp.einsum(self._mk_dot_product_equation, key, query * scale)
        weights = self._masked_softmax(scores, attention_mask)
        kept = weights
        if self.dropout > 0:
            kept = self._dropout_layer(weights, training=training)
        return jnp.einsum(self._mk_combine_equation, kept, value), weights

    def _masked_softmax(self, attention_scores, attention_mask=None):
        """The weights; for subclasses to replace."""
        if attention_mask is not None:
            last = 2 * len(self.attention_axes)
            attention_mask = masks.raised(attention_mask, attention_scores.ndim, last)
        return self._softmax(attention_scores, mask=attention_mask)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        """(*query, but for its last size that of the output)"""
        key_shape = value_shape if key_shape is None else key_shape
        self._mk_check_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], *(self.output_shape or query_shape[-1:]))

    def compute_output_spec(
        self, query, value, key=None, return_attention_scores=False, **options
    ):
        """The output, and the weights if asked for, as KerasTensors."""
        shapes = [x.shape for x in (query, value, value if key is None else key)]
        output = KerasTensor(self.compute_output_shape(*shapes), self.compute_dtype)
        if not return_attention_scores:
            return output
        rank = len(query.shape)
        axes = self._mk_axes(rank)
        batch = (n for i, n in enumerate(query.shape[:-1]) if i not in axes)
        lengths = (x.shape[axis] for x in (query, value) for axis in axes)
        shape = (*batch, self._mk_heads("query")[0], *lengths)
        return output, KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        """The constructor's arguments."""
        penalty = serialize_keras_object(self._mk_projection_penalty)
        config = {**super().get_config(), "activity_regularizer": penalty}
        del config["flash_attention"]
        return config


def _copy(initializer):
    return initializer.clone() if hasattr(initializer, "clone") else initializer


def _repeated(x, heads):
    """(…, groups, d) -> (…, heads, d), each group for several heads."""
    return x if x.shape[-2] == heads else jnp.repeat(x, heads // x.shape[-2], axis=-2)
