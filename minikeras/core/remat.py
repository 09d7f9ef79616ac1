"""Rematerialization: what a layer computed is computed again for the gradient.

It trades time for memory: intermediate values are not kept until the backward pass.
"""

import math

import jax

from minikeras.core.bridge import Frame, Scope, bound, get_mask, set_mask

MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope(Scope):
    """Layers made inside compute again what they computed, instead of keeping it.

    Args:
        mode: "full": all layers; "activations": all but products and convolutions
            are computed again; "larger_than": layers whose output is larger than
            `output_size_threshold`; "list_of_layers": those in `layer_names`;
            None: no layer.
        output_size_threshold: number of entries, the batch not counted.
        layer_names: list of names.
    """

    def __init__(self, mode="full", output_size_threshold=1024, layer_names=None):
        if mode not in MODES:
            raise ValueError(f"RematScope: mode must be one of {MODES}, got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = layer_names or []

    def _changes(self):
        return {"remat": self}

    def covers(self, layer, output_shapes):
        """Does the scope apply to a layer? `output_shapes()` gives its shapes."""
        if self.mode == "list_of_layers":
            return layer.name in self.layer_names
        if self.mode == "larger_than":
            sizes = (math.prod(x.shape[1:]) for x in output_shapes())
            return any(size > self.output_size_threshold for size in sizes)
        return self.mode is not None

    def policy(self):
        """Which intermediate values `jax.checkpoint` keeps."""
        return _keep_products if self.mode == "activations" else None


def _keep_products(primitive, *_, **__):
    return primitive.name in ("dot_general", "conv_general_dilated")


def remat(f):
    """`f`, with its intermediate values computed again for the gradient.

    Args:
        f: function of arrays and Variables, which it must not assign.
    """

    def rematted(*args, **kwargs):
        return _checkpointed(f, args, kwargs, None)

    return rematted


def call_again(layer, call, /, *args, **kwargs):
    """`call(*args, **kwargs)` of a layer under its scope.

    What `call` assigns (statistics, random counters), the losses it adds and the
    masks it sets come out of the rematerialized part as its results.
    """
    scope, variables = layer._mk_remat, layer.variables
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

    if not scope.covers(layer, shapes):
        return call(*args, **kwargs)
    outputs, values, losses, masks = _checkpointed(
        pure, (values, args, kwargs), {}, scope.policy()
    )
    with Frame(autocast=None):
        for variable, value in zip(variables, values, strict=True):
            if not variable.trainable:
                variable.assign(value)
    for loss in losses:
        layer.add_loss(loss)
    for x, mask in zip(jax.tree_util.tree_leaves(outputs), masks, strict=True):
        if mask is not None:
            set_mask(x, mask)
    return outputs


def _checkpointed(f, args, kwargs, policy):
    """`jax.checkpoint` over the arrays among the arguments; the rest is static."""
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(leaves) if isinstance(x, jax.Array)]
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
