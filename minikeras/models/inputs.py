"""Bring the inputs of a call into the structure, rank and dtype of the graph's inputs.

`graph_inputs` are the KerasTensors that the graph starts with, in any nesting.
"""

import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, host_calls, tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.layers.input_spec import InputSpec


def input_names(graph_inputs):
    """Return the flat list of the names of the input layers."""
    return [x._keras_history[0].name for x in jax.tree_util.tree_leaves(graph_inputs)]


def input_specs(graph_inputs):
    """Return an `InputSpec` with any batch size for each input, in a list."""
    specs = []
    for path, x in tree.flatten_with_path(graph_inputs):
        layer = x._keras_history[0]
        named = isinstance(graph_inputs, dict) and len(path) == 1
        specs.append(
            InputSpec(
                shape=(None, *x.shape[1:]) if x.shape else (),
                allow_last_axis_squeeze=True,
                name=path[0] if named else layer.name,
                optional=layer.optional,
            )
        )
    return specs


def unflatten_like(structure, leaves):
    """Return the nested structure with other leaves."""
    return jax.tree_util.tree_unflatten(
        jax.tree_util.tree_structure(structure), list(leaves)
    )


def _is_array(x):
    return hasattr(x, "shape")


def match_structure(graph_inputs, inputs):
    """Return `inputs` in the nesting of `graph_inputs`.

    A dict may give the inputs of a list by their names. A list may give the inputs of a
    dict in the order of its keys.

    Raises:
        ValueError: the inputs cannot be assigned, or a dict lacks one.
    """
    if isinstance(inputs, dict):
        _check_names(graph_inputs, inputs)
    if isinstance(graph_inputs, KerasTensor):
        return _match_single(graph_inputs, inputs)
    if isinstance(graph_inputs, dict):
        return _match_dict(graph_inputs, inputs)
    if isinstance(inputs, dict):
        ordered = [inputs[name] for name in input_names(graph_inputs)]
        return unflatten_like(graph_inputs, ordered)
    if _is_array(inputs) and len(jax.tree_util.tree_leaves(graph_inputs)) == 1:
        return unflatten_like(graph_inputs, [inputs])
    return inputs


def _match_single(graph_inputs, inputs):
    """Return the input of a graph whose only input is a KerasTensor."""
    if isinstance(inputs, (list, tuple)) and len(inputs) == 1:
        if _is_array(inputs[0]) or inputs[0] is None:
            return inputs[0]
    if isinstance(inputs, dict):
        return inputs[input_names(graph_inputs)[0]]
    return inputs


def _check_names(graph_inputs, inputs):
    """Raise ValueError unless a dict has all inputs under their own names."""
    keyed = isinstance(graph_inputs, dict)
    names = list(graph_inputs) if keyed else input_names(graph_inputs)
    if missing := [name for name in names if name not in inputs]:
        raise ValueError(
            f"The model expects the inputs {names}; {missing} are missing from "
            f"{list(inputs)}."
        )


def _match_dict(graph_inputs, inputs):
    """Return the inputs of a graph whose inputs are a dict."""
    if isinstance(inputs, dict):
        if set(graph_inputs) < set(inputs):
            if not any_symbolic((inputs,)):
                warnings.warn(_mismatch_message(graph_inputs, inputs), stacklevel=2)
            return {key: inputs[key] for key in graph_inputs}
        return inputs
    if isinstance(inputs, (list, tuple)) and len(inputs) == len(graph_inputs):
        if list(graph_inputs) != sorted(graph_inputs):
            raise ValueError(_mismatch_message(graph_inputs, inputs))
        if not any_symbolic((inputs,)):
            warnings.warn(_mismatch_message(graph_inputs, inputs), stacklevel=2)
        return dict(zip(sorted(graph_inputs), inputs, strict=True))
    if _is_array(inputs) and len(graph_inputs) > 1:
        raise ValueError(
            f"The model expects named input(s) with keys {list(graph_inputs)}, got one "
            f"array of shape {tuple(inputs.shape)}. Pass a dict with these keys."
        )
    return inputs


def _mismatch_message(graph_inputs, inputs):
    """Describe the expected and the given structure, with shapes as leaves."""
    expected, given = (
        tree.map_structure(lambda x: f"Array{getattr(x, 'shape', None)}", part)
        for part in (graph_inputs, inputs)
    )
    return (
        "The structure of `inputs` doesn't match the expected structure. "
        f"Expected {expected}, got {given}."
    )


def standardize(graph_inputs, inputs):
    """Return {id of an input KerasTensor: its array in that tensor's rank and dtype}.

    Raises:
        ValueError: another number of inputs, a rank that does not fit, or None for an
            input that is not optional.
    """
    paths = tree.flatten_with_path(graph_inputs)
    leaves = tree.flatten(match_structure(graph_inputs, inputs))
    if len(leaves) != len(paths):
        raise ValueError(
            f"The model expects {len(paths)} inputs {input_names(graph_inputs)}, got "
            f"{len(leaves)}."
        )
    return {
        id(tensor): _as_input(x, tensor, path)
        for (path, tensor), x in zip(paths, leaves, strict=True)
    }


def _as_input(x, tensor, path):
    """An input as an array in the rank and dtype of its KerasTensor."""
    layer = tensor._keras_history[0]
    where = f"the input with name {layer.name!r} and path {'.'.join(map(str, path))!r}"
    if x is None:
        if layer.optional:
            return None
        raise ValueError(f"None was passed for {where}, which is not optional.")
    if tensor.dtype != "string":
        x = _as_numbers(x, tensor.dtype, where)
    elif isinstance(x, (str, bytes, list, tuple)):
        x = np.array(x, dtype=object)
    rank = len(tensor.shape)
    if len(x.shape) == rank:
        return x
    # Views, so that a host layer behind the input still runs ahead of the step.
    if len(x.shape) == rank + 1 and x.shape[-1] == 1:
        return host_calls.view(x, "squeeze", -1)
    if len(x.shape) == rank - 1 and tensor.shape[-1] == 1:
        return host_calls.view(x, "expand_dims")
    raise ValueError(
        f"Wrong rank: expected shape={tensor.shape} for {where}, found "
        f"shape={tuple(x.shape)}."
    )


def _as_numbers(x, dtype, where):
    """An input as an array of this dtype."""
    if getattr(x, "dtype", None) == "string" or dtypes.is_text(x):
        raise ValueError(
            f"Text was passed for {where}, which has the dtype {dtype}. Make it "
            "keras.Input(shape, dtype='string'), or turn the text into numbers first."
        )
    if isinstance(x, np.ndarray) or not hasattr(x, "astype"):
        x = host_calls.carry(x, jnp.asarray(x))
    if x.dtype == jax.dtypes.canonicalize_dtype(dtype):
        return x
    is_key = jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return x if is_key else x.astype(dtype)
