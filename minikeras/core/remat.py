"""Rematerialization: intermediate values are computed again for the gradient.

That trades time for memory, because they are not kept until the backward pass.
"""

import math
from collections.abc import Callable
from typing import Any

import jax

from minikeras.core.bridge import Frame, Scope, bound, get_mask, set_mask

MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope(Scope):
    """Layers made inside compute their intermediate values again for the gradient.

    Args:
        mode: "full": all layers; "activations": all layers, but the results of matrix
            products and convolutions are kept; "larger_than": layers whose output is
            larger than `output_size_threshold`; "list_of_layers": those in
            `layer_names`; None: no layer.
        output_size_threshold: int, entries of an output, the batch not counted.
        layer_names: list of names of layers.

    Raises:
        ValueError: unknown mode.

    Source: Chen et al. 2016, https://arxiv.org/abs/1604.06174.

    >>> from minikeras import layers
    >>> with RematScope("full"):
    ...     block = layers.Dense(8, activation="gelu")
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: list[str] | None = None,
    ):
        if mode not in MODES:
            raise ValueError(f"RematScope: mode must be one of {MODES}, got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = layer_names or []

    def _changes(self):
        return {"remat": self}

    def _applies_to(self, layer, output_shapes):
        """Does the scope apply to a layer? `output_shapes()` gives its shapes."""
        if self.mode == "list_of_layers":
            return layer.name in self.layer_names
        if self.mode == "larger_than":
            # The shapes are asked for in this mode alone: they cost one more trace.
            sizes = (math.prod(x.shape[1:]) for x in output_shapes())
            return any(size > self.output_size_threshold for size in sizes)
        return self.mode is not None

    def _policy(self):
        """Which intermediate values `jax.checkpoint` keeps; None: no value."""
        return _keep_products if self.mode == "activations" else None


def _keep_products(primitive, *_, **__):
    return primitive.name in ("dot_general", "conv_general_dilated")


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `f` so that its intermediate values are computed again for the gradient.

    Args:
        f: function of arrays and Variables, which it must not assign.

    Returns:
        A function with the arguments and results of `f`.

    >>> import jax.numpy as jnp
    >>> jax.grad(remat(lambda x: jnp.sin(jnp.sin(x))))(0.0).tolist()
    1.0
    """

    def rematted(*args, **kwargs):
        return _checkpointed(f, args, kwargs, None)

    return rematted


def call_rematerialized(
    layer: Any, call: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Any:
    """Run the `call` of a layer so that its scope applies; return its outputs.

    What `call` assigns (statistics, random counters), the losses it adds and the
    masks it sets come out of the rematerialized part as its results.

    Args:
        layer: the layer; `layer._mk_remat` is its `RematScope`.
        call: its method, or a function of the same arguments.
        *args, **kwargs: of `call`.
    """
    # `jax.checkpoint` runs `pure` once for the outputs and once more for the gradient.
    # A Variable that `call` assigns would keep a tracer of the first run, and a random
    # counter would move twice: dropout would have another mask in the second run. So
    # all values go in as arguments and come out as results.
    scope, variables = layer._mk_remat, layer.variables
    # Without the cast: values that are not assigned keep their full precision.
    with Frame(autocast=None):
        values = [v.value for v in variables]

    def pure(values, args, kwargs):
        store = dict(zip(map(id, variables), values, strict=True))
        with bound(store, losses=[]) as frame:
            outputs = call(*args, **kwargs)
        masks = [get_mask(x) for x in jax.tree_util.tree_leaves(outputs)]
        return outputs, [store[id(v)] for v in variables], frame.losses, masks

    def shapes():
        outputs = jax.eval_shape(lambda: pure(values, args, kwargs)[0])
        return jax.tree_util.tree_leaves(outputs)

    if not scope._applies_to(layer, shapes):
        return call(*args, **kwargs)
    outputs, values, losses, masks = _checkpointed(
        pure, (values, args, kwargs), {}, scope._policy()
    )
    with Frame(autocast=None):
        for variable, value in zip(variables, values, strict=True):
            # Weights that are trained do not change in a call. Assigning them would
            # make later reads depend on the result of the rematerialized part.
            if not variable.trainable:
                variable.assign(value)
    for loss in losses:
        layer.add_loss(loss)
    for x, mask in zip(jax.tree_util.tree_leaves(outputs), masks, strict=True):
        if mask is not None:
            set_mask(x, mask)
    return outputs


def _checkpointed(f, args, kwargs, policy):
    """Run `f` under `jax.checkpoint`.

    Only the arrays among the arguments are arguments of the checkpoint. Its function
    closes over the rest (bools, numbers, strings), so that `f` may branch on them.

    Args:
        f: the function.
        args, kwargs: its arguments, trees.
        policy: says which intermediate values are kept; None: no value.
    """
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(leaves) if isinstance(x, jax.Array)]
    # Inside, each array is another tracer, which has no mask until it is set.
    masks = [get_mask(leaves[i]) for i in where]

    def run(arrays, masks):
        filled = list(leaves)
        for i, array, mask in zip(where, arrays, masks, strict=True):
            filled[i] = array
            if mask is not None:
                set_mask(array, mask)
        args, kwargs = treedef.unflatten(filled)
        return f(*args, **kwargs)

    return jax.checkpoint(run, policy=policy)([leaves[i] for i in where], masks)
