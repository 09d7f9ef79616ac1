"""Graphs of Keras 1 and 2: the calls of their layers in today's form.

A call was a list of references `[layer, call, output, keyword arguments]`; today it is
a dict of arguments. Functions of TensorFlow in a graph become ops.
"""

from typing import Any

from minikeras.core import registry
from minikeras.saving.errors import FileError

_OPS_MODULE = "keras.src.ops.numpy"
_OP_LAYERS = ("TFOpLambda", "SlicingOpLambda")
_TAKE_STATES = ("Bidirectional", "ConvLSTM2D", "GRU", "LSTM", "RNN", "SimpleRNN")
# Last part of a TensorFlow function's name: class of the op. Others only differ in
# case: `math.reduce_mean` is Mean, `nn.leaky_relu` is LeakyRelu.
_OPS = {
    "abs": "Absolute",
    "clip_by_value": "Clip",
    "concat": "Concatenate",
    "eq": "Equal",
    "floordiv": "FloorDivide",
    "gather": "Take",
    "ge": "GreaterEqual",
    "getitem": "GetItem",
    "gt": "Greater",
    "l2_normalize": "Normalize",
    "le": "LessEqual",
    "lt": "Less",
    "ne": "NotEqual",
    "neg": "Negative",
    "pow": "Power",
    "swish": "Silu",
    "truediv": "TrueDivide",
    "where_v2": "Where",
}
# Arguments of TensorFlow that are positional here, and what others are called.
_POSITIONAL = ("x", "y", "b", "indices")
_KEYWORDS = {
    "alpha": "negative_slope",
    "approximate": "approximate",
    "axis": "axis",
    "clip_value_max": "x_max",
    "clip_value_min": "x_min",
    "depth": "num_classes",
    "dtype": "dtype",
    "keepdims": "keepdims",
    "multiples": "repeats",
    "num_or_size_splits": "indices_or_sections",
    "perm": "axes",
    "shape": "newshape",
}


def upgrade_graph(config: dict[str, Any]) -> dict[str, Any]:
    """Put the calls in the config of a Functional model into today's form.

    Args:
        config: dict with `layers`, `input_layers`, `output_layers`.

    Returns:
        The same dict if its calls are in today's form.

    Raises:
        FileError: a function of TensorFlow has no counterpart.
    """
    layers = config.get("layers")
    if not isinstance(layers, list) or not all(map(_is_layer, layers)):
        return config
    if not any(_is_old(node) for entry in layers for node in entry["inbound_nodes"]):
        named = [_with_module(entry) for entry in layers]
        return config if named == layers else {**config, "layers": named}
    # A nested model's own creation counted as its first call.
    calls = {entry["name"]: len(entry["inbound_nodes"]) for entry in layers}
    first = {
        name: 1
        for name, number, _ in _references(config, calls)
        if calls[name] and number >= calls[name]
    }
    # It still does in what are the ends of the graph, but not for a Sequential model.
    graphs = {entry["name"] for entry in layers if _is_graph(entry)}
    of_ends = {name: first.get(name, 0) - (name in graphs) for name in calls}
    return {
        **config,
        "layers": [_upgrade_layer(entry, calls, first) for entry in layers],
        **{
            key: _ends(config[key], calls, of_ends)
            for key in ("input_layers", "output_layers")
        },
    }


def _is_graph(entry):
    return "layers" in entry["config"] and entry["class_name"] != "Sequential"


def _is_layer(entry):
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("inbound_nodes"), list)
        and isinstance(entry.get("config"), dict)
        and isinstance(entry.get("name"), str)
    )


def _with_module(entry):
    """An op of Keras 3 in an `.h5` file, which leaves modules out, as an op."""
    config, name = entry["config"], entry["class_name"]
    if "module" in entry or "trainable" in config or registry.find_op(name) is None:
        return entry
    return {**entry, "module": _OPS_MODULE, "registered_name": name}


def _is_old(node):
    return isinstance(node, list) or isinstance(node, dict) and "args" not in node


def _is_reference(x, names):
    """Is it `[layer, number of the call, number of the output]`, or one more?"""
    return (
        isinstance(x, (list, tuple))
        and len(x) in (3, 4)
        and isinstance(x[0], str)
        and (x[0] in names or x[0] == "_CONSTANT_VALUE")
        and isinstance(x[1], int)
    )


def _references(tree, names):
    """All references to layers in a config."""
    if _is_reference(tree, names):
        if tree[0] != "_CONSTANT_VALUE":
            yield tuple(tree[:3])
        tree = tree[3:]
    if isinstance(tree, dict):
        tree = [x for key, x in tree.items() if key != "config"]
    if isinstance(tree, (list, tuple)):
        for x in tree:
            yield from _references(x, names)


def _ends(tree, names, first):
    """`[["dense", 0, 0]]` -> `["dense", 0, 0]`: one is not in a list today."""
    if _is_reference(tree, names):
        return [tree[0], tree[1] - first.get(tree[0], 0), tree[2]]
    if isinstance(tree, dict):
        return {key: _ends(x, names, first) for key, x in tree.items()}
    if not isinstance(tree, (list, tuple)):
        return tree
    ends = [_ends(x, names, first) for x in tree]
    return ends[0] if len(ends) == 1 else ends


def _upgrade_layer(entry, names, first):
    """One layer with its calls."""
    is_op = entry["class_name"] in _OP_LAYERS
    nodes = []
    for node in entry["inbound_nodes"]:
        if _is_old(node):
            _check_references(node, names)
            keywords: dict[str, Any] = {}
            inputs = _arguments(node, names, first, keywords)
            if isinstance(inputs, list) and len(inputs) == 1 and not is_op:
                inputs = inputs[0]
            keywords = {k: _arguments(x, names, first, {}) for k, x in keywords.items()}
            node = {"args": [inputs], "kwargs": keywords}
            if entry["class_name"] in _TAKE_STATES and isinstance(inputs, list):
                node["args"] = inputs[:1]
                keywords["initial_state"] = inputs[1:]
        nodes.append(node)
    # The module tells it from an op of Keras 3 without one.
    entry = {"module": "keras.layers", **entry, "inbound_nodes": nodes}
    return _as_op(entry) if is_op else entry


def _check_references(node, names):
    """FileError if a call names a layer that the config does not have."""
    for x in node if isinstance(node, list) else ():
        looks_so = isinstance(x, (list, tuple)) and [*map(type, x[:3])] == [
            str,
            int,
            int,
        ]
        if looks_so and not _is_reference(x, names):
            raise FileError(f"Missing node: {x[0]}. The config has {sorted(names)}.")


def _arguments(tree, names, first, keywords):
    """A tree with today's references; adds the keyword arguments to `keywords`."""
    if _is_reference(tree, names):
        keywords.update(tree[3] if len(tree) > 3 and tree[3] else {})
        name, number, index = tree[:3]
        if name == "_CONSTANT_VALUE":
            return index
        history = [name, number - first.get(name, 0), index]
        config = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(tree, dict):
        if tree.get("class_name") == "__tuple__":
            tree = tree.get("items", [])
        else:
            items = tree.items()
            return {k: _arguments(x, names, first, keywords) for k, x in items}
    if isinstance(tree, (list, tuple)):
        return [_arguments(x, names, first, keywords) for x in tree]
    return tree


def _as_op(entry):
    """A layer that calls a function of TensorFlow as one of our ops."""
    function = str(entry["config"].get("function"))
    last = function.rpartition(".")[2].removeprefix("reduce_")
    name = _OPS.get(last) or "".join(x.capitalize() for x in last.split("_"))
    static: dict[str, Any] = {}
    nodes = [_op_call(function, node, static) for node in entry["inbound_nodes"]]
    if registry.find_op(name) is None or "transpose_b" in static:
        raise _no_counterpart(function, entry["name"])
    return {
        "module": _OPS_MODULE,
        "class_name": name,
        "config": {"name": entry["name"], **static},
        "registered_name": name,
        "name": entry["name"],
        "inbound_nodes": nodes,
    }


def _op_call(function, node, static):
    """The arguments of an op's call; adds its settings to `static`."""
    given = {k: x for k, x in node["kwargs"].items() if k != "name" and x is not None}
    args = list(node["args"])
    if "slice_spec" in given:
        args.append(_slices(given.pop("slice_spec")))
    args += [given.pop(key) for key in _POSITIONAL if key in given]
    tensors = {}
    for key, value in given.items():
        if value is False:
            continue
        if key not in _KEYWORDS:
            raise _no_counterpart(function, key)
        is_tensor = isinstance(value, dict) and "class_name" in value
        (tensors if is_tensor else static)[_KEYWORDS[key]] = value
    return {"args": args, "kwargs": tensors}


def _slices(spec):
    """The key of `x[key]`: slices were dicts of their three numbers."""
    if isinstance(spec, list):
        return [_slices(x) for x in spec]
    if isinstance(spec, dict) and set(spec) == {"start", "stop", "step"}:
        return {"class_name": "__slice__", "config": spec}
    if isinstance(spec, dict) and "ellipsis" in str(spec.get("class_name")).lower():
        return {"class_name": "__ellipsis__", "config": {}}
    return spec


def _no_counterpart(function, place):
    return FileError(
        f"The model calls tf.{function}, which has no counterpart among the ops.",
        place=place,
        remedy="Build the model anew with a function of keras.ops, and load its "
        "weights with `load_weights`.",
    )
