"""Looking into the layers of a model while it runs, without changing it."""

from typing import Any, NamedTuple

import jax
import numpy as np

from minikeras.core.bridge import isolated
from minikeras.layers.layer import Layer


class LayerCall(NamedTuple):
    """A call of a layer.

    Args:
        layer: the layer.
        number: int, how many calls of this layer came before.
        inputs: first argument.
        outputs: what it returned.
    """

    layer: Any
    number: int
    inputs: Any
    outputs: Any


def check_built(caller, model):
    """Raise an error unless it is a layer or model with weights.

    Args:
        caller: name of the public function.
        model: what it got.
    """
    if not isinstance(model, Layer):
        raise TypeError(f"{caller}: expected a model, got {type(model).__name__}.")
    if not model.built:
        raise ValueError(
            f"{caller}: the model {model.name!r} has no weights yet. Train it, call it "
            "on a batch or call `build()` first."
        )


def as_batch(caller, x):
    """Inputs as arrays of NumPy, in their nesting; nested lists of numbers are one.

    Args:
        caller: name of the public function.
        x: array, or tree of arrays.
    """
    leaves = jax.tree_util.tree_leaves(x)
    if leaves and all(np.ndim(leaf) == 0 for leaf in leaves):
        x = np.asarray(x)
    x = jax.tree_util.tree_map(np.asarray, x)
    for leaf in jax.tree_util.tree_leaves(x):
        if leaf.ndim == 0 or leaf.dtype.kind == "O":
            raise TypeError(
                f"{caller}: expected a batch of inputs as arrays, (samples, …), got "
                f"{leaf.dtype} of the shape {leaf.shape}. Of a data set take a batch."
            )
        if not len(leaf):
            raise ValueError(f"{caller}: the batch is empty: {leaf.shape}.")
    return x


def run(model, x, on_call=None):
    """The outputs of a model in inference mode.

    Weights, random generators and losses of the model stay as they are.

    Args:
        model: a built model.
        x: a batch of inputs.
        on_call: function (layer, call, *args, **kwargs) that runs each layer; None runs
            `call`.
    """
    with isolated(training=False, on_call=on_call):
        return model(x)


def recorded(model, x):
    """(outputs, list of `LayerCall`s in the order in which they end).

    Calls within compiled loops, such as those of cells, are left out.
    """
    calls, counts = [], {}

    def watch(layer, call, *args, **kwargs):
        outputs = call(*args, **kwargs)
        leaves = jax.tree_util.tree_leaves(outputs)
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            number = counts[id(layer)] = counts.get(id(layer), -1) + 1
            calls.append(LayerCall(layer, number, args[0] if args else None, outputs))
        return outputs

    return run(model, x, watch), calls


def predicted(model, x, batch_size):
    """The outputs of a model for all samples, as NumPy arrays.

    Args:
        model: a built model.
        x: array, or tree of arrays, (samples, …).
        batch_size: int, samples that are computed at once.
    """
    size = len(jax.tree_util.tree_leaves(x)[0])
    cut = lambda i: jax.tree_util.tree_map(lambda a: a[i : i + batch_size], x)  # noqa: E731
    parts = [
        jax.tree_util.tree_map(np.asarray, run(model, cut(i)))
        for i in range(0, size, batch_size)
    ]
    return jax.tree_util.tree_map(lambda *p: np.concatenate(p), *parts)


def find_layer(caller, model, layer):
    """A layer of a model, by itself or by its name.

    Args:
        caller: name of the public function.
        model: the model.
        layer: a layer, or the name of one, in nested models, too.

    Raises:
        ValueError: there is none, or there are several of this name.
    """
    within = model._mk_flatten_layers()
    if not isinstance(layer, str):
        if any(layer is own for own in within):
            return layer
        raise ValueError(
            f"{caller}: expected a layer of the model {model.name!r} or its name, got "
            f"{layer!r}."
        )
    found = [own for own in within if own.name == layer]
    top = [own for own in getattr(model, "layers", []) if own.name == layer]
    if len(top or found) == 1:
        return (top or found)[0]
    if found:
        paths = [own.path for own in found]
        raise ValueError(f"{caller}: several layers are called {layer!r}: {paths}.")
    names = [own.name for own in within if own is not model]
    raise ValueError(
        f"{caller}: the model {model.name!r} has no layer {layer!r}. It has {names}."
    )
