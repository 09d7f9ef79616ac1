"""TimeDistributed: one layer applied to each step of a sequence."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import isolated
from minikeras.layers.call_signature import signature_of
from minikeras.layers.core.wrapper import Wrapper
from minikeras.layers.layer import Layer


def writes_state(function, *args):
    """Does the function assign Variables or add losses? It is traced, not run."""
    written, losses = {}, []
    with isolated(written, losses=losses):
        jax.eval_shape(function, *args)
    return bool(written or losses)


def map_steps(function, inputs):
    """Apply a function of one step to all steps.

    A pure function is applied to all steps at once, by `vmap`. A function that writes
    state, such as random counters and moving averages, is called once a step, so that
    each step reads what the previous one has written.

    Args:
        function: function of a tree of arrays (batch, …).
        inputs: tree of arrays (batch, steps, …).

    Returns:
        Tree of arrays (batch, steps, …).
    """

    def step_inputs(t):
        return jax.tree_util.tree_map(lambda x: x[:, t], inputs)

    if not writes_state(function, jax.eval_shape(step_inputs, 0)):
        return jax.vmap(function, in_axes=1, out_axes=1)(inputs)
    steps = jax.tree_util.tree_leaves(inputs)[0].shape[1]
    outputs = [function(step_inputs(t)) for t in range(steps)]
    return jax.tree_util.tree_map(lambda *x: jnp.stack(x, axis=1), *outputs)


class TimeDistributed(Wrapper):
    """Apply a layer to each step of the inputs, with the same weights.

    output[:, t] = layer(inputs[:, t])

    Args:
        layer: a `keras.Layer`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, …).
    Output shape: (batch, steps, …). A mask (batch, steps) is passed to the wrapped
    layer step by step.

    Raises:
        ValueError: `layer` is not a Layer; in a call: inputs of rank below 3, or a mask
            that does not fit them.

    >>> keras.layers.TimeDistributed(keras.layers.Dense(4))(np.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(
                "Please initialize `TimeDistributed` layer with a `keras.layers.Layer` "
                f"instance. Received: {layer!r}"
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Build the wrapped layer for the shape of one step.

        Args:
            input_shape: (batch, steps, …).
        """
        super().build(step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        """Return the output shape of the wrapped layer, with the steps as axis 1.

        Args:
            input_shape: (batch, steps, …).
        """
        batch, *rest = self.layer.compute_output_shape(step_shape(input_shape))
        return (batch, input_shape[1], *rest)

    def call(self, inputs, training=None, mask=None):
        """Return layer(inputs[:, t]) for each step t.

        Args:
            inputs: (batch, steps, …).
            training: bool, passed to the wrapped layer if it has this argument.
            mask: (batch, steps) bools, passed likewise; None for no mask.
        """
        signature = signature_of(self.layer)
        mode = {"training": training} if signature.has_training else {}
        sequences = [jnp.asarray(inputs)]
        if mask is not None:
            mask = jnp.asarray(mask)
            check_mask(mask.shape, inputs.shape)
            sequences += [mask] if signature.has_mask else []

        # As in Keras, `call` and not `__call__`: there is no activity regularizer, no
        # cast of the inputs and no mask of the output.
        def step(one_step):
            step_mask = {"mask": one_step[1]} if len(one_step) > 1 else {}
            return self.layer.call(one_step[0], **mode, **step_mask)

        return map_steps(step, sequences)


def step_shape(shape):
    """(batch, steps, …) -> (batch, …)"""
    if not isinstance(shape, (tuple, list)) or len(shape) < 3:
        raise ValueError(
            "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
            f"dimensions (batch, steps, …), received: {shape}"
        )
    return (shape[0], *shape[2:])


def check_mask(shape, inputs_shape):
    """Raise ValueError unless the mask fits the batch and steps of the inputs."""
    if tuple(shape[:2]) != tuple(inputs_shape[:2]):
        raise ValueError(
            "The `mask` passed to the `TimeDistributed` layer has a shape "
            f"{tuple(shape)} that does not fit the inputs of shape "
            f"{tuple(inputs_shape)}: both must begin with (batch, steps)."
        )
