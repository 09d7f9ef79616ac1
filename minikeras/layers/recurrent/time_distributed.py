"""TimeDistributed: one layer on each step of a sequence."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import isolated
from minikeras.layers.call_signature import call_signature
from minikeras.layers.core.wrapper import Wrapper
from minikeras.layers.layer import Layer


def writes_state(function, *args):
    """Does the function assign Variables or add losses? (It is traced, not run.)"""
    written, losses = {}, []
    with isolated(written, losses=losses):
        jax.eval_shape(function, *args)
    return bool(written or losses)


def on_each_step(function, inputs):
    """A function of one step on all of them.

    All at once if it only computes; one after another if it also writes state, such
    as random counters and moving averages, so that each step sees what the one before
    has left.

    Args:
        function: of a tree of arrays (batch, …).
        inputs: tree of arrays (batch, steps, …).

    Returns:
        Tree of arrays (batch, steps, …).
    """

    def at(t):
        return jax.tree_util.tree_map(lambda x: x[:, t], inputs)

    if not writes_state(function, jax.eval_shape(at, 0)):
        return jax.vmap(function, in_axes=1, out_axes=1)(inputs)
    steps = jax.tree_util.tree_leaves(inputs)[0].shape[1]
    outputs = [function(at(t)) for t in range(steps)]
    return jax.tree_util.tree_map(lambda *x: jnp.stack(x, axis=1), *outputs)


class TimeDistributed(Wrapper):
    """A layer on each step of its inputs, with the same weights.

    output[:, t] = layer(inputs[:, t])

    Args:
        layer: a `Layer`.

    Input (batch, steps, …), output (batch, steps, …); a mask (batch, steps) reaches the
    layer within step by step.

    Raises:
        ValueError: `layer` is not a Layer; inputs of rank below 3; a mask that does not
            fit them.

    >>> import numpy as np
    >>> from minikeras import layers
    >>> TimeDistributed(layers.Dense(4))(np.ones((2, 5, 3))).shape
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
        """Build the layer within for the shape of one step."""
        super().build(step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        """The output shape of the layer within, with the steps in place 1."""
        batch, *rest = self.layer.compute_output_shape(step_shape(input_shape))
        return (batch, input_shape[1], *rest)

    def call(self, inputs, training=None, mask=None):
        """layer(inputs[:, t]) for each t"""
        spec = call_signature(type(self.layer).call)
        mode = {"training": training} if spec.has_training else {}
        given = [jnp.asarray(inputs)]
        if mask is not None:
            mask = jnp.asarray(mask)
            check_mask(mask.shape, inputs.shape)
            given += [mask] if spec.has_mask else []

        # The layer's `call` itself: Keras leaves out what goes with `__call__`, which
        # is the activity regularizer, the cast of the inputs and the output's mask.
        def step(given):
            more = {"mask": given[1]} if len(given) > 1 else {}
            return self.layer.call(given[0], **mode, **more)

        return on_each_step(step, given)


def step_shape(shape):
    """(batch, steps, …) -> (batch, …)"""
    if not isinstance(shape, (tuple, list)) or len(shape) < 3:
        raise ValueError(
            "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
            f"dimensions (batch, steps, …), received: {shape}"
        )
    return (shape[0], *shape[2:])


def check_mask(shape, inputs_shape):
    """ValueError unless batch and steps of the mask are those of the inputs."""
    if tuple(shape[:2]) != tuple(inputs_shape[:2]):
        raise ValueError(
            "The `mask` passed to the `TimeDistributed` layer has a shape "
            f"{tuple(shape)} that does not fit the inputs of shape "
            f"{tuple(inputs_shape)}: both must begin with (batch, steps)."
        )
