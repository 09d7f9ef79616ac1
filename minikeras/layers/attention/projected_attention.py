"""ProjectedAttention: base of attention with several heads and linear projections."""

import math
import string

import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.bridge import get_mask, set_mask
from minikeras.core.checks import positive_int, unit_interval
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import serialize_keras_object
from minikeras.initializers.initializer import copy_initializer
from minikeras.layers.activations.softmax import Softmax
from minikeras.layers.attention import masks
from minikeras.layers.core.einsum_dense import EinsumDense
from minikeras.layers.layer import Layer
from minikeras.layers.regularization.dropout import Dropout


def projection_equation(kept, summed, added):
    """The einsum that keeps `kept` axes, sums over `summed` axes and adds `added` axes.

    Returns:
        (equation, the letters of the added axes).

    >>> projection_equation(2, 1, 2)
    ('abc,cde->abde', 'de')
    """
    letters = string.ascii_lowercase
    inputs, new = letters[: kept + summed], letters[kept + summed :][:added]
    return f"{inputs},{inputs[kept:]}{new}->{inputs[:kept]}{new}", new


def attention_equations(rank, axes):
    """The einsums of the scores (key, query) and of the outputs (weights, value).

    The weights have the axes (batch and others, heads, *targets, *sources).

    Args:
        rank: number of axes of the projected query: (batch, …, heads, d).
        axes: tuple of ints, over which targets attend to sources.

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
    """Base of MultiHeadAttention and GroupQueryAttention.

    A subclass says how many heads of which size each projection has: `_mk_heads`.
    """

    attention_axes: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    # Does the layer read the query's mask from the query alone, and pass no mask on? In
    # Keras MultiHeadAttention does, and GroupQueryAttention does not.
    _mk_consumes_masks = False

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
        self._mk_projection_regularizer = self.activity_regularizer
        self.supports_masking = True

    def _mk_heads(self, projection):
        """(number of heads, size of a head) of "query", "key", "value" or "gate"."""
        raise NotImplementedError

    def _mk_axes(self, rank):
        """The axes of targets and sources as ints >= 0; by default all inner axes."""
        axes = self.attention_axes
        axes = range(1, rank - 1) if axes is None else axes
        return tuple(axis % rank for axis in axes)

    def build(self, query_shape, value_shape, key_shape=None):
        """Create the projections.

        Args:
            query_shape: (batch, …, targets, n).
            value_shape: (batch, …, sources, m).
            key_shape: shape of the key; None takes the value's.
        """
        key_shape = value_shape if key_shape is None else key_shape
        self._mk_check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        self.attention_axes = axes = self._mk_axes(rank)
        self._query_dense = self._mk_project_to_heads("query", query_shape)
        self._key_dense = self._mk_project_to_heads("key", key_shape)
        if self.use_gate:
            self._gate_dense = self._mk_project_to_heads("gate", query_shape)
        self._value_dense = self._mk_project_to_heads("value", value_shape)
        equations = attention_equations(rank + 1, axes)
        self._mk_dot_product_equation, self._mk_combine_equation = equations
        policy = self.dtype_policy
        self._softmax = Softmax(axis=tuple(range(-len(axes), 0)), dtype=policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=policy)
        self._output_dense = self._mk_project_to_output(query_shape)

    def _mk_project_to_heads(self, name, shape):
        """The projection (…, n) -> (…, heads, d)."""
        return self._mk_projection(name, shape, 1, self._mk_heads(name))

    def _mk_project_to_output(self, query_shape):
        """The projection (…, heads, d) -> output."""
        heads = self._mk_heads("gate")  # what the gate is multiplied with
        sizes = self.output_shape or query_shape[-1:]
        shape = (*query_shape[:-1], *heads)
        return self._mk_projection("attention_output", shape, 2, sizes)

    def _mk_projection(self, name, input_shape, summed, sizes):
        """A built EinsumDense that sums over `summed` axes and adds axes of `sizes`."""
        kept = len(input_shape) - summed
        equation, new = projection_equation(kept, summed, len(sizes))
        layer = EinsumDense(
            equation,
            output_shape=(*(None,) * (kept - 1), *sizes),
            activation="sigmoid" if name == "gate" else None,
            bias_axes=new if self.use_bias else None,
            kernel_initializer=copy_initializer(self.kernel_initializer),
            bias_initializer=copy_initializer(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            activity_regularizer=self._mk_projection_regularizer,
            name=name,
            dtype=self.dtype_policy,
        )
        layer.supports_masking = True  # `call` applies the masks: no warning
        layer.build(input_shape)
        return layer

    def _mk_check_shapes(self, query_shape, value_shape, key_shape):
        """Raise ValueError if value and key differ in an inner axis."""
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                f"{self.name}: all dimensions of `value` and `key`, except the last "
                f"one, must be equal. Received: value_shape={tuple(value_shape)} and "
                f"key_shape={tuple(key_shape)}."
            )

    def _mk_lengths(self, query, value):
        """(number of targets, number of sources), for masks that compare positions."""
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
        """The mask that broadcasts to (batch, targets, sources), or None."""
        parts = [m if m is None else m[..., None, :] for m in (value_mask, key_mask)]
        if query_mask is not None:
            parts.append(query_mask[..., :, None])
        if use_causal_mask:
            parts.append(masks.causal_mask(*self._mk_lengths(query, value)))
        if self.sliding_window is not None:
            lengths = self._mk_lengths(query, value)
            parts.append(masks.sliding_window_mask(*lengths, self.sliding_window))
        mask = masks.combine_masks(parts)
        if mask is None or attention_mask is None:
            return attention_mask if mask is None else mask
        if mask.ndim < attention_mask.ndim:  # `attention_mask` has an axis of heads
            mask = masks.expand_mask(mask, attention_mask.ndim, 2)
        return masks.combine_masks([mask, attention_mask])

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
        """Compute the outputs.

        The masks that the inputs carry are used where none is given.

        Args:
            query: (batch, …, targets, n).
            value: (batch, …, sources, m).
            key: (batch, …, sources, k); None takes the value.
            query_mask: (batch, targets) bools. As in Keras, MultiHeadAttention reads
                the mask that the query carries instead.
            value_mask: (batch, sources) bools, False for sources without a weight.
            key_mask: (batch, sources) bools, False for sources without a weight.
            attention_mask: bools that broadcast to (batch, targets, sources) or
                (batch, heads, targets, sources).
            return_attention_scores: bool, whether to also return the weights.
            training: bool, whether to apply dropout to the weights.
            use_causal_mask: bool, whether to mask the sources after the target.

        Returns:
            (batch, …, targets, n), or a tuple of it and the weights
            (batch, heads, targets, sources).
        """
        key = value if key is None else key
        if self._mk_consumes_masks:
            query_mask = get_mask(query)
            for x in (query, value, key):
                set_mask(x, None)
        is_fused_mask = use_causal_mask and self._mk_is_fused_mask(
            query_mask, value_mask, key_mask, attention_mask
        )
        attention_mask = self._compute_attention_mask(
            query,
            value,
            query_mask=query_mask,
            value_mask=value_mask,
            key_mask=key_mask,
            attention_mask=attention_mask,
            use_causal_mask=use_causal_mask and not is_fused_mask,
        )
        options = {
            "return_attention_scores": return_attention_scores,
            "use_causal_mask": is_fused_mask,
        }
        outputs, weights = self._compute_attention(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            attention_mask,
            training,
            # A subclass's method may lack an argument that is not used.
            **{name: True for name, is_used in options.items() if is_used},
        )
        if self.use_gate:
            outputs = jnp.multiply(outputs, self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _mk_is_fused_mask(self, *given_masks):
        """Can a fused kernel apply the causal mask, so that no array is made for it?

        Only if there is no other mask, and if no subclass computes the attention.
        """
        method = type(self)._compute_attention
        return (
            method is ProjectedAttention._compute_attention
            and self.sliding_window is None
            and all(mask is None for mask in given_masks)
        )

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
        """(outputs, weights or None) of (…, heads, d); subclasses may replace this."""
        if return_attention_scores and self.flash_attention:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Please disable flash attention to access attention scores."
            )
        scale = 1 / math.sqrt(query.shape[-1])
        same_size = query.shape[-1] == value.shape[-1]
        # Fused kernels take (batch, length, heads, d) with one size d. They compute
        # neither the weights nor dropout of the weights.
        if (
            query.ndim == 4
            and same_size
            and not (self.dropout or return_attention_scores)
        ):
            if attention_mask is not None:
                attention_mask = masks.expand_mask(attention_mask, 4, 2)
            outputs = ops.dot_product_attention(
                query,
                key,
                value,
                mask=attention_mask,
                scale=scale,
                is_causal=use_causal_mask,
                flash_attention=self.flash_attention,
            )
            return outputs, None
        if use_causal_mask:
            causal = masks.causal_mask(*self._mk_lengths(query, value))
            attention_mask = masks.combine_masks([causal, attention_mask])
        key, value = (repeat_heads(x, query.shape[-2]) for x in (key, value))
        scores = jnp.einsum(self._mk_dot_product_equation, key, query * scale)
        weights = self._masked_softmax(scores, attention_mask)
        dropped = weights  # as in Keras, the returned weights are those before dropout
        if self.dropout > 0:
            dropped = self._dropout_layer(weights, training=training)
        return jnp.einsum(self._mk_combine_equation, dropped, value), weights

    def _masked_softmax(self, attention_scores, attention_mask=None):
        """The weights; subclasses may replace this method."""
        if attention_mask is not None:
            last = 2 * len(self.attention_axes)
            attention_mask = masks.expand_mask(
                attention_mask, attention_scores.ndim, last
            )
        return self._softmax(attention_scores, mask=attention_mask)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        """Return the query's shape with the last size(s) of the output.

        Args:
            query_shape: (batch, …, targets, n).
            value_shape: (batch, …, sources, m).
            key_shape: shape of the key; None takes the value's.
        """
        key_shape = value_shape if key_shape is None else key_shape
        self._mk_check_shapes(query_shape, value_shape, key_shape)
        return (*query_shape[:-1], *(self.output_shape or query_shape[-1:]))

    def compute_output_spec(
        self, query, value, key=None, return_attention_scores=False, **options
    ):
        """Return the output, and the weights if they are returned, as KerasTensors.

        Args:
            query: KerasTensor (batch, …, targets, n).
            value: KerasTensor (batch, …, sources, m).
            key: KerasTensor; None takes the value.
            return_attention_scores: bool, whether to also return the weights.
            **options: other arguments of `call`, which do not change the shapes.
        """
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
        """Return the constructor's arguments."""
        penalty = serialize_keras_object(self._mk_projection_regularizer)
        config = {**super().get_config(), "activity_regularizer": penalty}
        del config["flash_attention"]
        return config


def repeat_heads(x, heads):
    """Repeat each of the groups for several heads: (…, groups, d) -> (…, heads, d)."""
    return x if x.shape[-2] == heads else jnp.repeat(x, heads // x.shape[-2], axis=-2)
