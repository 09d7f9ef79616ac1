"""Errors of a call name the layer that failed, its inputs, and what fed them."""

import jax

from minikeras.core.bridge import current, isolated
from minikeras.core.call_errors import WITH_TEXT, names_feeder
from minikeras.core.call_errors import explain as explain_call
from minikeras.core.feeders import is_traced


def explain(error, layer, args, kwargs):
    """Add to an error the layer that failed, its inputs, and what fed them.

    Args:
        error: raised in the layer; its message changes.
        layer: the layer.
        args, kwargs: of its call.
    """
    explain_call(error, layer, args, kwargs)
    is_outermost = not current().path and current().bindings is None
    if is_outermost and type(error) in WITH_TEXT and not names_feeder(str(error)):
        _explain_by_trace(error, layer, args, kwargs)


def _explain_by_trace(error, layer, args, kwargs):
    """Take the message of the same error in a trace, which knows where arrays are from.

    Arrays outside of a trace do not know it.
    """
    leaves = jax.tree_util.tree_leaves((args, kwargs))
    within = layer._mk_flatten_layers(include_self=False)
    is_array = [isinstance(x, jax.Array) for x in leaves]
    if not within or not any(is_array) or any(map(is_traced, leaves)):
        return

    def run(arrays):
        arrays = iter(arrays)
        mixed = [
            next(arrays) if a else x for a, x in zip(is_array, leaves, strict=True)
        ]
        tree = jax.tree_util.tree_structure((args, kwargs))
        again, named = jax.tree_util.tree_unflatten(tree, mixed)
        return layer.call(*again, **named)

    try:
        with layer._mk_unchanged(), isolated(path=(layer.name,)):
            arrays = [x for a, x in zip(is_array, leaves, strict=True) if a]
            jax.eval_shape(run, arrays)
    except Exception as traced:
        same = type(traced) is type(error) and names_feeder(str(traced))
        if same and str(traced).splitlines()[0] == str(error).splitlines()[0]:
            error.args = traced.args
