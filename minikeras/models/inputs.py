"""Bring the inputs of a call into the structure, rank and dtype of the graph's inputs.

`specs` are the inputs of the graph: KerasTensors in any nesting.
"""

import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.layers.input_spec import InputSpec


def names_of(specs):
    """Names of the input layers, flat."""
    return [x._keras_history[0].name for x in jax.tree_util.tree_leaves(specs)]


def specs_of(specs):
    """An `InputSpec` for each input, with any batch size."""
    input_specs = []
    for path, x in tree.flatten_with_path(specs):
        layer = x._keras_history[0]
        named = isinstance(specs, dict) and len(path) == 1
        input_specs.append(
            InputSpec(
                shape=(None, *x.shape[1:]) if x.shape else (),
                allow_last_axis_squeeze=True,
                name=path[0] if named else layer.name,
                optional=layer.optional,
            )
        )
    return input_specs


def unflatten_like(structure, leaves):
    """The nested structure with other leaves."""
    return jax.tree_util.tree_unflatten(
        jax.tree_util.tree_structure(structure), list(leaves)
    )


def _is_array(x):
    return hasattr(x, "shape")


def match_structure(specs, inputs):
    """`inputs` in the nesting of `specs`.

    A dict may give the inputs of a list by their names. A list may give the inputs of a
    dict in the order of its keys.

    Raises:
        ValueError: the inputs cannot be assigned, or a dict lacks one.
    """
    if isinstance(inputs, dict):
        _check_names(specs, inputs)
    if isinstance(specs, KerasTensor):
        return _match_single(specs, inputs)
    if isinstance(specs, dict):
        return _match_dict(specs, inputs)
    if isinstance(inputs, dict):
        return unflatten_like(specs, [inputs[n] for n in names_of(specs)])
    if _is_array(inputs) and len(jax.tree_util.tree_leaves(specs)) == 1:
        return unflatten_like(specs, [inputs])
    return inputs


def _match_single(specs, inputs):
    """The input of a graph with one KerasTensor as input."""
    if isinstance(inputs, (list, tuple)) and len(inputs) == 1:
        if _is_array(inputs[0]) or inputs[0] is None:
            return inputs[0]
    if isinstance(inputs, dict):
        return inputs[names_of(specs)[0]]
    return inputs


def _check_names(specs, inputs):
    """Raise ValueError unless a dict has all inputs under their own names."""
    names = list(specs) if isinstance(specs, dict) else names_of(specs)
    if missing := [name for name in names if name not in inputs]:
        raise ValueError(
            f"The model expects the inputs {names}; {missing} are missing from "
            f"{list(inputs)}."
        )


def _match_dict(specs, inputs):
    """The inputs of a graph whose inputs are a dict."""
    if isinstance(inputs, dict):
        if set(specs) < set(inputs):
            if not any_symbolic((inputs,)):
                warnings.warn(_mismatch_message(specs, inputs), stacklevel=2)
            return {key: inputs[key] for key in specs}
        return inputs
    if isinstance(inputs, (list, tuple)) and len(inputs) == len(specs):
        if list(specs) != sorted(specs):
            raise ValueError(_mismatch_message(specs, inputs))
        if not any_symbolic((inputs,)):
            warnings.warn(_mismatch_message(specs, inputs), stacklevel=2)
        return dict(zip(sorted(specs), inputs, strict=True))
    if _is_array(inputs) and len(specs) > 1:
        raise ValueError(
            f"The model expects named input(s) with keys {list(specs)}, got one array "
            f"of shape {tuple(inputs.shape)}. Pass a dict with these keys."
        )
    return inputs


def _mismatch_message(specs, inputs):
    expected, given = (
        tree.map_structure(lambda x: f"Array{getattr(x, 'shape', None)}", part)
        for part in (specs, inputs)
    )
    return (
        "The structure of `inputs` doesn't match the expected structure. "
        f"Expected {expected}, got {given}."
    )


def standardize(specs, inputs):
    """{id of an input KerasTensor: its array, in the rank and dtype of the KerasTensor}

    Raises:
        ValueError: another number of inputs, a rank that does not fit, or None for an
            input that is not optional.
    """
    paths = tree.flatten_with_path(specs)
    leaves = tree.flatten(match_structure(specs, inputs))
    if len(leaves) != len(paths):
        raise ValueError(
            f"The model expects {len(paths)} inputs {names_of(specs)}, got "
            f"{len(leaves)}."
        )
    return {
        id(spec): _as_input(x, spec, path)
        for (path, spec), x in zip(paths, leaves, strict=True)
    }


def _as_input(x, spec, path):
    """An input as an array in the rank and dtype of its KerasTensor."""
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
