"""Attention between two sequences, without projections."""

import jax
import jax.numpy as jnp

from minikeras import ops, random
from minikeras.core.checks import unit_interval
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.tree import is_shape
from minikeras.layers.attention.masks import causal_mask, combine_masks
from minikeras.layers.layer import Layer
from minikeras.random.seed_generator import SeedGenerator


def dot_scores(query, key):
    """query · key of every pair: (…, t, d), (…, s, d) -> (…, t, s)."""
    return query @ jnp.swapaxes(key, -1, -2)


def pairwise_sums(query, key):
    """query + key of every pair: (…, t, d), (…, s, d) -> (…, t, s, d)."""
    return query[..., :, None, :] + key[..., None, :, :]


def attention_weights(scores, mask=None):
    """Softmax over the sources (last axis), about 0 where `mask` is False.

    If all sources of a target are masked, all of them have the same weight.
    """
    if mask is not None:
        # As in Keras: a finite offset far below any score (65,504 is the largest
        # float16), so that a row without any True is no NaN.
        offset = 65504.0 if scores.dtype == jnp.float16 else 1e9
        scores = jnp.where(mask, scores, scores - offset)
    return jax.nn.softmax(scores, axis=-1)


class Attention(Layer):
    """Average values, weighted by how well the query matches the keys.

    softmax(score(query, key)) value

    Call it on [query, value] or [query, value, key]: (batch, targets, d),
    (batch, sources, n) and (batch, sources, d); the key is the value by default. The
    output is (batch, targets, n).

    Args:
        use_scale: bool, whether to multiply the scores by a trainable scalar.
        score_mode: `"dot"` for query · key; `"concat"` for
            w Σ tanh(scale (query + key)) with a trainable scalar w.
        dropout: share of the weights that is dropped in training, in [0, 1].
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: an unknown `score_mode`; in a call: inputs that are not such a list.

    Source: Luong et al. 2015, https://arxiv.org/abs/1508.04025.

    >>> keras.layers.Attention()([np.ones((1, 2, 4)), np.ones((1, 3, 4))]).shape
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
        """Create the scalar weights.

        Args:
            input_shape: list of the shapes of query, value and key.
        """
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
        """Scores (…, targets, sources); subclasses may replace this method."""
        if self.score_mode == "dot":
            scores = dot_scores(query, key)
            return scores if self.scale is None else scores * self.scale.value
        pairs = pairwise_sums(query, key)
        if self.scale is not None:
            pairs = self.scale.value * pairs
        return self.concat_score_weight.value * jnp.sum(jnp.tanh(pairs), axis=-1)

    def _calculate_score_mask(self, scores, v_mask, use_causal_mask):
        """The mask that broadcasts to (…, targets, sources), or None."""
        if v_mask is not None:
            v_mask = jnp.asarray(v_mask)
            if v_mask.ndim < scores.ndim:
                v_mask = jnp.expand_dims(v_mask, -2)
        causal = causal_mask(*scores.shape[-2:]) if use_causal_mask else None
        return combine_masks([v_mask, causal])

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        """Compute the outputs.

        Args:
            inputs: [query, value] or [query, value, key].
            mask: list of the bool masks of query (batch, targets) and value
                (batch, sources), or None. Outputs are 0 where the first one is False;
                only sources where the second one is True have a weight.
            training: bool, whether to apply dropout to the weights.
            return_attention_scores: bool, whether to also return the weights.
            use_causal_mask: bool, whether to mask the sources after the target.

        Returns:
            (batch, targets, n), or a tuple of it and the weights (batch, targets,
            sources).
        """
        _check_inputs(inputs, mask)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self._calculate_scores(query, key)
        score_mask = self._calculate_score_mask(scores, value_mask, use_causal_mask)
        weights = attention_weights(scores, score_mask)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = weights @ value
        if query_mask is not None:
            query_mask = jnp.asarray(query_mask).astype(bool)[..., None]
            outputs = jnp.where(query_mask, outputs, jnp.zeros_like(outputs))
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs, mask=None):
        """Return the mask of the query.

        Args:
            inputs: [query, value] or [query, value, key].
            mask: list of their masks, or None.
        """
        _check_inputs(inputs, mask)
        if mask is None or mask[0] is None:
            return None
        return ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape):
        """Return the query's shape with the last size of the value.

        Args:
            input_shape: list of the shapes of query, value and key.
        """
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs,
        mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        """Return the output, and the weights if they are returned, as KerasTensors.

        Args:
            inputs: [query, value] or [query, value, key], KerasTensors.
            mask: as in `call`.
            return_attention_scores: as in `call`.
            training: as in `call`.
            use_causal_mask: as in `call`.
        """
        _check_inputs(inputs, mask)
        query, value = (x.shape for x in inputs[:2])
        shape = self.compute_output_shape([query, value])
        output = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        return output, KerasTensor((*query[:-1], value[-2]), self.compute_dtype)


def _check_list(inputs, is_single, received):
    """ValueError unless `inputs` lists two or three arrays or shapes."""
    expected = "[query, value] or [query, value, key]"
    if is_single or not isinstance(inputs, (list, tuple)):
        raise ValueError(
            "Attention layer must be called on a list of inputs, namely "
            f"{expected}. Received: {received}."
        )
    if len(inputs) not in (2, 3):
        raise ValueError(
            f"Attention layer accepts inputs list of length 2 or 3, namely {expected}. "
            f"Received length: {len(inputs)}."
        )


def _check_inputs(inputs, mask):
    """ValueError unless inputs and mask are lists of two or three."""
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
