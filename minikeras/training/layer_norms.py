"""Gradients, weights and silent units of a model, by layer, on one batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from minikeras.core import host_calls
from minikeras.core.bridge import Bridge, Frame
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.feed.dispatch import BatchSlice
from minikeras.training.protocol import TrainableModel
from minikeras.training.state import TrainState


def layer_of(path: str) -> str:
    """Path of the layer that a weight belongs to: "a/dense" of "a/dense/kernel"."""
    return path.rpartition("/")[0] or path


def norms(arrays: dict[str, Any]) -> dict[str, Any]:
    """{path of a layer: Euclidean norm over all its weights} of {path: array}.

    sqrt(sum x²), in float32.
    """
    squares: dict[str, Any] = {}
    for path, array in arrays.items():
        square = jnp.sum(jnp.square(jnp.asarray(array, jnp.float32)))
        squares[layer_of(path)] = squares.get(layer_of(path), 0.0) + square
    return {layer: jnp.sqrt(square) for layer, square in squares.items()}


def silent_units(outputs: Any) -> Any:
    """Which units, along the last axis, are 0 for all samples and positions."""
    return jnp.all(outputs == 0, axis=tuple(range(outputs.ndim - 1)))


def make_look(model: TrainableModel, variables: TrainState) -> Callable[..., Any]:
    """Make `look(sections, batch)`, compiled: (gradients, weights, silent units).

    The gradients are those of the compiled loss in training mode; the weights, random
    generators and statistics stay as they are. The first two are norms by layer, the
    last by layer which units are silent.

    Args:
        model: compiled and built.
        variables: its Variables, as in `sections`.
    """

    def loss_fn(params, state, batch):
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        silent, level = {}, get_opaque_trace_state(convention="flax")

        def watch(layer, call, *args, **kwargs):
            outputs = call(*args, **kwargs)
            # What loops on the device compute within cannot leave them.
            is_outside = get_opaque_trace_state(convention="flax") == level
            if is_outside and _may_be_silent(layer, outputs):
                found = silent_units(outputs)
                silent[layer.path] = silent.get(layer.path, True) & found
            return outputs

        with Bridge(variables, state._replace(params=params), owner=model):
            with Frame(on_call=watch):
                y_pred = model.call(x, **model._mk_training_kwargs(True))
            loss, _ = model._mk_loss_and_logs(x, y, y_pred, sample_weight, True)
        return loss, silent

    def look(sections, batch):
        batch = batch.cut() if isinstance(batch, BatchSlice) else batch
        state = TrainState(*sections)
        grads, silent = jax.grad(loss_fn, has_aux=True)(state.params, state, batch)
        return norms(grads), norms(state.params), silent

    on_host = model._mk_subtree_state().on_host
    return jax.jit(host_calls.looking_up(look) if on_host else look)


def _may_be_silent(layer, outputs):
    """Does a layer have units of its own that an activation may hold at 0?"""
    is_activation = type(layer).__module__.startswith("minikeras.layers.activations.")
    has_units = is_activation or bool(layer._mk_own_variables())
    is_array = isinstance(outputs, jax.Array) and outputs.ndim > 1
    return has_units and is_array and not layer._mk_flatten_layers(False)
