"""Bidirectional: one recurrent layer forward and one backward over a sequence."""

import jax.numpy as jnp

from minikeras.core.serialization import (
    deserialize_keras_object,
    recreate,
    serialize_keras_object,
)
from minikeras.layers.call_signature import signature_of
from minikeras.layers.layer import Layer

_MERGE_FUNCTIONS = {
    "concat": lambda a, b: jnp.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
    None: lambda a, b: (a, b),
}


class Bidirectional(Layer):
    """Run a recurrent layer over the steps in both directions.

    merge(forward(x), backward(x)), both sequences in the order of the inputs

    Args:
        layer: a recurrent layer; the forward layer is a copy of it.
        merge_mode: `"concat"`, `"sum"`, `"mul"` or `"ave"`; None returns both outputs.
        weights: list of initial weights, first those of the forward layer; None for the
            layers' initializers.
        backward_layer: layer for the other direction, with the opposite `go_backwards`;
            None makes a copy of `layer`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, …).
    Output shape: that of `layer`, with twice the last axis for `"concat"`; then the
    states of both layers if `layer` returns its states.

    Raises:
        ValueError: `layer` or `backward_layer` is not a layer, an unknown `merge_mode`,
            or layers whose settings contradict each other.
        TypeError: `layer` is not a recurrent layer.

    Source: Schuster & Paliwal 1997, https://doi.org/10.1109/78.650093.

    >>> keras.layers.Bidirectional(keras.layers.GRU(4))(np.ones((2, 5, 3))).shape
    (2, 8)
    """

    def __init__(
        self,
        layer,
        merge_mode="concat",
        weights=None,
        backward_layer=None,
        **kwargs,
    ):
        check_layers(layer, backward_layer)
        if merge_mode not in _MERGE_FUNCTIONS:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one "
                f"of {list(_MERGE_FUNCTIONS)}."
            )
        super().__init__(weights=weights, **kwargs)
        self.merge_mode = merge_mode
        name = layer.name.removeprefix("forward_")
        self.forward_layer = copy_layer(layer, name=f"forward_{name}")
        if backward_layer is None:
            backward_layer = copy_layer(
                layer, name=f"backward_{name}", go_backwards=not layer.go_backwards
            )
        self.backward_layer = backward_layer
        check_directions(self.forward_layer, backward_layer)
        # As in Keras: both sequences have zeros, not old states, at masked steps.
        for direction in (self.forward_layer, backward_layer):
            direction.zero_output_for_mask = layer.return_sequences
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape, initial_state_shape=None):
        """Build both layers.

        Args:
            sequences_shape: (batch, steps, …).
            initial_state_shape: shapes of the initial states; not used.
        """
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)

    def call(self, sequences, initial_state=None, mask=None, training=None):
        """Compute both directions and merge their outputs.

        Args:
            sequences: (batch, steps, …).
            initial_state: list of the states of the forward layer, then of the backward
                layer; None for their defaults.
            mask: (batch, steps) bools, False for steps to skip; None for none.
            training: bool, whether to apply dropout.

        Returns:
            The merged output, followed by the states if the layers return them.
        """
        first, second = split_states(initial_state)
        forward = self._mk_call_layer(
            self.forward_layer, sequences, first, mask, training
        )
        back = self._mk_call_layer(
            self.backward_layer, sequences, second, mask, training
        )
        states = ()
        if self.return_state:
            (forward, *first), (back, *second) = forward, back
            states = (*first, *second)
        if self.return_sequences:
            back = jnp.flip(back, axis=1)
        # The inner layers may have a policy other than this layer's.
        forward, back = (x.astype(self.compute_dtype) for x in (forward, back))
        merge = _MERGE_FUNCTIONS[self.merge_mode]
        return self._mk_with_states(merge(forward, back), states)

    def _mk_with_states(self, merged, states):
        """The merged output(s) with the states, as `call` returns them."""
        if self.merge_mode is None:
            return (*merged, *states)
        return (merged, *states) if states else merged

    def _mk_call_layer(self, layer, sequences, initial_state, mask, training):
        """Call a layer with those arguments that its `call` has."""
        signature = signature_of(layer)
        kwargs = {} if initial_state is None else {"initial_state": initial_state}
        if signature.has_mask:
            kwargs["mask"] = mask
        if signature.has_training and training is not None:
            kwargs["training"] = training
        return layer(sequences, **kwargs)

    @property
    def states(self):
        """States of both `stateful` layers; None if they are not stateful."""
        first, second = self.forward_layer.states, self.backward_layer.states
        return (*first, *second) if first and second else None

    def reset_state(self):
        """Set the states of `stateful` layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Return the shape(s) of the merged output, followed by those of the states.

        Args:
            sequences_shape: (batch, steps, …).
            initial_state_shape: not used.
        """
        outputs, states = [], []
        for layer in (self.forward_layer, self.backward_layer):
            shape = layer.compute_output_shape(sequences_shape)
            if self.return_state:
                shape, *own = shape
                states += own
            outputs.append(shape)
        first, second = outputs
        if self.merge_mode == "concat":
            first = (*first[:-1], first[-1] + second[-1])
        merged = outputs if self.merge_mode is None else first
        return self._mk_with_states(merged, states)

    def compute_mask(self, _, mask):
        """Return the inputs' mask for sequences of outputs.

        Args:
            _: the inputs, not used.
            mask: (batch, steps) bools, or a list that starts with them.
        """
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    def get_config(self):
        """Return the constructor's arguments; the layers as their own configs."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
        }
        if (penalty := self.activity_regularizer) is not None:
            config["activity_regularizer"] = serialize_keras_object(penalty)
        return {
            **config,
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a layer with new inner layers from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize_keras_object(config[name], custom_objects)
        return cls(**config)


def split_states(states):
    """The initial states of the forward and of the backward layer."""
    if states is None:
        return None, None
    n = len(states) // 2
    return states[:n], states[n:]


def copy_layer(layer, **changes):
    """A new layer from the config of `layer`, with some arguments changed."""
    copy = recreate(layer, **changes)
    if hasattr(layer, "use_cudnn"):  # no part of the config
        copy.use_cudnn = layer.use_cudnn
    return copy


def check_layers(layer, backward_layer):
    """Raise an error unless both are layers and `layer` is recurrent."""
    if not isinstance(layer, Layer):
        raise ValueError(
            "Please initialize `Bidirectional` layer with a `keras.layers.Layer` "
            f"instance. Received: {layer!r}"
        )
    if backward_layer is not None and not isinstance(backward_layer, Layer):
        raise ValueError(
            "`backward_layer` need to be a `keras.layers.Layer` instance. Received: "
            f"{backward_layer!r}"
        )
    if not hasattr(layer, "go_backwards"):
        raise TypeError(
            f"Bidirectional: {type(layer).__name__} has no steps to run backwards "
            "through. Pass a recurrent layer, such as LSTM, GRU or RNN(cell)."
        )


def check_directions(forward, backward):
    """Raise ValueError unless the layers differ in `go_backwards` alone."""
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            "Forward layer and backward layer should have different `go_backwards` "
            f"value. Received: forward_layer.go_backwards {forward.go_backwards}, "
            f"backward_layer.go_backwards={backward.go_backwards}"
        )
    for name in ("stateful", "return_sequences", "return_state"):
        first, second = getattr(forward, name), getattr(backward, name)
        if first != second:
            raise ValueError(
                "Forward layer and backward layer are expected to have the same value "
                f'for attribute "{name}", got "{first}" for forward layer and '
                f'"{second}" for backward layer.'
            )
