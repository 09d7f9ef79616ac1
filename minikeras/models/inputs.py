"""What was passed to a graph, as the graph's own inputs."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.layers.input_spec import InputSpec


def names_of(own):
    """Names of the input layers, flat."""
    return [x._keras_history[0].name for x in jax.tree_util.tree_leaves(own)]


def specs_of(own):
    """An `InputSpec` for each input; the size of the batch is free."""
    specs = []
    for path, x in tree.flatten_with_path(own):
        layer = x._keras_history[0]
        named = isinstance(own, dict) and len(path) == 1
        specs.append(
            InputSpec(
                shape=(None, *x.shape[1:]) if x.shape else (),
                allow_last_axis_squeeze=True,
                name=path[0] if named else layer.name,
                optional=layer.optional,
            )
        )
    return specs


def refill(structure, leaves):
    """The nest with other leaves."""
    return jax.tree_util.tree_unflatten(
        jax.tree_util.tree_structure(structure), list(leaves)
    )


def _is_array(x):
    return hasattr(x, "shape")


def arrange(own, inputs):
    """`inputs` in the nest of the graph's inputs `own`.

    A dict may name the inputs of a list, and a list give those of a dict in the order
    of its keys.

    Raises:
        ValueError: the inputs cannot be told apart, or a dict lacks one.
    """
    if isinstance(inputs, dict):
        _check_names(own, inputs)
    if isinstance(own, KerasTensor):
        return _single(own, inputs)
    if isinstance(own, dict):
        return _for_dict(own, inputs)
    if isinstance(inputs, dict):
        return refill(own, [inputs[n] for n in names_of(own)])
    if _is_array(inputs) and len(jax.tree_util.tree_leaves(own)) == 1:
        return refill(own, [inputs])
    return inputs


def _single(own, inputs):
    if isinstance(inputs, (list, tuple)) and len(inputs) == 1:
        if _is_array(inputs[0]) or inputs[0] is None:
            return inputs[0]
    if isinstance(inputs, dict):
        return inputs[names_of(own)[0]]
    return inputs


def _check_names(own, inputs):
    """No array may stand for an input of another name."""
    names = list(own) if isinstance(own, dict) else names_of(own)
    if missing := [name for name in names if name not in inputs]:
        raise ValueError(
            f"The model expects the inputs {names}; {missing} are missing from "
            f"{list(inputs)}."
        )


def _for_dict(own, inputs):
    if isinstance(inputs, dict):
        if set(own) < set(inputs):
            if not any_symbolic((inputs,)):
                warnings.warn(_mismatch(own, inputs), stacklevel=2)
            return {key: inputs[key] for key in own}
        return inputs
    if isinstance(inputs, (list, tuple)) and len(inputs) == len(own):
        if list(own) != sorted(own):
            raise ValueError(_mismatch(own, inputs))
        if not any_symbolic((inputs,)):
            warnings.warn(_mismatch(own, inputs), stacklevel=2)
        return dict(zip(sorted(own), inputs, strict=True))
    if _is_array(inputs) and len(own) > 1:
        raise ValueError(
            f"The model expects named input(s) with keys {list(own)}, got one array of "
            f"shape {tuple(inputs.shape)}. Pass a dict with these keys."
        )
    return inputs


def _mismatch(own, inputs):
    shown = [
        tree.map_structure(lambda x: f"Array{getattr(x, 'shape', None)}", part)
        for part in (own, inputs)
    ]
    return (
        "The structure of `inputs` doesn't match the expected structure. "
        f"Expected {shown[0]}, got {shown[1]}."
    )


def standardize(own, inputs):
    """{id of an input KerasTensor: its array, in the input's rank and dtype}.

    Raises:
        ValueError: another number of inputs, a rank that does not fit, or None for
            an input that is not optional.
    """
    paths = tree.flatten_with_path(own)
    leaves = tree.flatten(arrange(own, inputs))
    if len(leaves) != len(paths):
        raise ValueError(
            f"The model expects {len(paths)} inputs {names_of(own)}, got {len(leaves)}."
        )
    return {
        id(spec): _as_input(x, spec, path)
        for (path, spec), x in zip(paths, leaves, strict=True)
    }


def _as_input(x, spec, path):
    layer = spec._keras_history[0]
    where = f"the input with name {layer.name!r} and path {'.'.join(map(str, path))!r}"
    if x is None:
        if layer.optional:
            return None
        raise ValueError(f"None was passed for {where}, which is not optional.")
    if isinstance(x, np.ndarray) or not hasattr(x, "astype"):
        x = jnp.asarray(x)
    if x.dtype != spec.dtype and not jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        x = x.astype(spec.dtype)
    rank = len(spec.shape)
    if len(x.shape) == rank:
        return x
    if len(x.shape) == rank + 1 and x.shape[-1] == 1:
        return jnp.squeeze(x, -1)
    if len(x.shape) == rank - 1 and spec.shape[-1] == 1:
        return jnp.expand_dims(x, -1)
    raise ValueError(
        f"Wrong rank: expected shape={spec.shape} for {where}, found "
        f"shape={tuple(x.shape)}."
    )
