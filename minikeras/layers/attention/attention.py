"""Attention between two sequences, without projections."""

import jax
import jax.numpy as jnp

from minikeras import ops, random
from minikeras.core.checks import unit_interval
from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.attention.masks import causal_mask, combined
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import is_shape
from minikeras.random.seed_generator import SeedGenerator


def dot_scores(query, key):
    """query · key of every pair: (…, targets, d), (…, sources, d) -> (…, t, s)."""
    return query @ jnp.swapaxes(key, -1, -2)


def sums_of_pairs(query, key):
    """query + key of every pair: (…, t, d), (…, s, d) -> (…, t, s, d)."""
    return query[..., :, None, :] + key[..., None, :, :]


def attention_weights(scores, mask=None):
    """softmax over the sources (last axis); about 0 where `mask` is False.

    Where all sources of a target are hidden, all of them count alike.
    """
    if mask is not None:
        # Far below any score, and within the range of the narrowest dtype.
        gap = 65504.0 if scores.dtype == jnp.float16 else 1e9
        scores = jnp.where(mask, scores, scores - gap)
    return jax.nn.softmax(scores, axis=-1)


class Attention(Layer):
    """Averages of values, weighted by how well query and key go together.

    softmax(score(query, key)) value

    Args:
        use_scale: multiply the scores by a weight?
        score_mode: `"dot"` for query · key; `"concat"` for
            w Σ tanh(scale (query + key)), w a weight.
        dropout: share of the weights dropped while training, in [0, 1].
        seed: int; None takes one from Python's `random`.

    Called on [query, value] or [query, value, key]: (batch, targets, d),
    (batch, sources, n) and (batch, sources, d), which is the value by default. The
    output is (batch, targets, n). `call` also takes `mask`, a list of the bool masks
    of query and value, (batch, targets) and (batch, sources): outputs are 0 where the
    first is False, and sources count only where the second is True;
    `use_causal_mask=True` to hide sources after the target; and
    `return_attention_scores=True` to return the weights, too.

    Raises:
        ValueError: unknown `score_mode`; inputs that are no such list.

    Source: Luong et al. 2015, https://arxiv.org/abs/1508.04025.

    >>> import numpy as np
    >>> Attention()([np.ones((1, 2, 4)), np.ones((1, 3, 4))]).shape
    (1, 2, 4)
    """

    def __init__(
        self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. Expected one of "
                f"{{'dot', 'concat'}}. Received: score_mode={score_mode}"
            )
        self.use_scale, self.score_mode = use_scale, score_mode
        self.dropout, self.seed = unit_interval(dropout, "dropout"), seed
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)
        self.scale = self.concat_score_weight = None
        self.supports_masking = True

    def build(self, input_shape):
        """Create the scalar weights."""
        self._mk_check_shapes(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                (), "ones", name="concat_score_weight"
            )

    @staticmethod
    def _mk_check_shapes(shapes):
        _check_list(shapes, is_shape(shapes), f"the input shape {shapes}")

    def _calculate_scores(self, query, key):
        """(…, targets, sources); for subclasses to replace."""
        if self.score_mode == "dot":
            scores = dot_scores(query, key)
            return scores if self.scale is None else scores * self.scale.value
        pairs = sums_of_pairs(query, key)
        if self.scale is not None:
            pairs = self.scale.value * pairs
        return self.concat_score_weight.value * jnp.sum(jnp.tanh(pairs), axis=-1)

    def _calculate_score_mask(self, scores, v_mask, use_causal_mask):
        """What of (…, targets, sources) counts; None for everything."""
        if v_mask is not None:
            v_mask = jnp.asarray(v_mask)
            if v_mask.ndim < scores.ndim:
                v_mask = jnp.expand_dims(v_mask, -2)
        causal = causal_mask(*scores.shape[-2:]) if use_causal_mask else None
        return combined([v_mask, causal])

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        """softmax(score(query, key)) value, and the weights if asked for"""
        _check_inputs(inputs, mask)
        query, value = inputs[:2]
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self._calculate_scores(query, inputs[2] if inputs[2:] else value)
        counts = self._calculate_score_mask(scores, value_mask, use_causal_mask)
        weights = attention_weights(scores, counts)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = weights @ value
        if query_mask is not None:
            seen = jnp.asarray(query_mask).astype(bool)[..., None]
            outputs = jnp.where(seen, outputs, jnp.zeros_like(outputs))
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs, mask=None):
        """The query's mask."""
        _check_inputs(inputs, mask)
        if mask is None or mask[0] is None:
            return None
        return ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape):
        """(*query, the value's last size)"""
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs,
        mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        """The output, and the weights if asked for, as KerasTensors."""
        _check_inputs(inputs, mask)
        query, value = (x.shape for x in inputs[:2])
        shape = self.compute_output_shape([query, value])
        output = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        return output, KerasTensor((*query[:-1], value[-2]), self.compute_dtype)


def _check_list(inputs, single, shown):
    what = "[query, value] or [query, value, key]"
    if single or not isinstance(inputs, (list, tuple)):
        raise ValueError(
            "Attention layer must be called on a list of inputs, namely "
            f"{what}. Received: {shown}."
        )
    if len(inputs) not in (2, 3):
        raise ValueError(
            f"Attention layer accepts inputs list of length 2 or 3, namely {what}. "
            f"Received length: {len(inputs)}."
        )


def _check_inputs(inputs, mask):
    _check_list(inputs, False, type(inputs).__name__)
    if mask is None:
        return
    if not isinstance(mask, (list, tuple)):
        raise ValueError(
            "Attention layer mask must be a list, namely [query_mask, value_mask], "
            f"got {type(mask).__name__}."
        )
    if len(mask) not in (2, 3):
        raise ValueError(
            "Attention layer accepts mask list of length 2 or 3: one for each input, "
            f"None where there is none. Received length: {len(mask)}."
        )
