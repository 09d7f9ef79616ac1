"""The layers of a model as a graph that TensorBoard shows."""

import json

from minikeras.callbacks.event_file import message

_VERSIONS = message((1, 22))  # the oldest that writes this format


def config_of(model):
    """The config of a Sequential or Functional model; None of others.

    None also if a layer has no config: the graph is written all the same.
    """
    try:
        config = json.loads(model.to_json())
    except Exception:  # whatever a user's own `get_config` raises
        return None
    return config if _inner(config) else None


def graph_def(model, config=None):
    """The message `GraphDef` of a model.

    Args:
        model: a built model.
        config: its config as `config_of` returns it; with None the graph has the
            layers without what connects them.

    Returns:
        bytes.
    """
    if config is None:
        # Only a run of `call` would tell what connects them.
        layers = model._mk_flatten_layers(include_self=False)
        nodes = [(layer.path, type(layer).__name__, []) for layer in layers]
    else:
        nodes = _nodes(config, "", [])
    # TensorBoard would show the model itself as one box, which hides the layers.
    start = f"{model.name}/"
    return message(*((1, _node(start, *node)) for node in nodes), (4, _VERSIONS))


def _node(start, name, kind, inputs):
    """The message `NodeDef`; names lose their start."""
    value = message((2, kind))  # of the attribute
    attribute = message((1, "keras_class"), (2, value))
    sources = ((3, source.removeprefix(start)) for source in inputs)
    return message((1, name.removeprefix(start)), (2, kind), *sources, (5, attribute))


def _nodes(layer, scope, inputs):
    """Yield (name, class, names of inputs) of a layer, or of the layers in a model."""
    path, inner = scope + _name(layer), _inner(layer)
    if not inner:
        yield path, layer.get("class_name", ""), inputs
        return
    scope, by_name = f"{path}/", {_name(x): x for x in inner}
    if "input_layers" not in layer["config"]:
        for each in inner:
            yield from _nodes(each, scope, inputs)
            inputs = _outputs(each, scope)
        return
    names = [name for name, _ in _references(layer["config"]["input_layers"])]
    fed = dict(zip(names, inputs, strict=False))
    for name, each in by_name.items():
        calls = _references(each.get("inbound_nodes"))
        sources = [_output(by_name[source], scope, i) for source, i in calls]
        if not sources and name in fed:
            sources = [fed[name]]
        yield from _nodes(each, scope, sources)


def _outputs(layer, scope):
    """Names of the nodes that compute the outputs of a layer or model."""
    path, inner = scope + _name(layer), _inner(layer)
    if not inner:
        return [path]
    if "output_layers" not in layer["config"]:
        return _outputs(inner[-1], f"{path}/")
    by_name = {_name(x): x for x in inner}
    ends = _references(layer["config"]["output_layers"])
    return [_output(by_name[name], f"{path}/", i) for name, i in ends]


def _output(layer, scope, number):
    outputs = _outputs(layer, scope)
    return outputs[min(number, len(outputs) - 1)]  # a layer's node has all outputs


def _references(tree):
    """[(layer's name, number of its output)] of all tensors in a part of a config."""
    if isinstance(tree, dict):
        history = tree.get("keras_history")
        children = tree.values() if history is None else [history]
    elif isinstance(tree, list):
        if len(tree) == 3 and isinstance(tree[0], str) and isinstance(tree[2], int):
            return [(tree[0], tree[2])]
        children = tree
    else:
        return []
    return [found for child in children for found in _references(child)]


def _name(layer):
    return layer.get("name") or layer["config"]["name"]


def _inner(layer):
    """The configs of the layers in a model, [] for other layers."""
    layers = (layer.get("config") or {}).get("layers")
    if not isinstance(layers, list):
        return []
    return [
        x for x in layers if isinstance(x, dict) and isinstance(x.get("config"), dict)
    ]
