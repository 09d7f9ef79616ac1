"""Functional: a model that is a graph between inputs and outputs."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, registry
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.symbolic import KerasTensor, any_symbolic, is_keras_tensor
from minikeras.layers.core.input_layer import Input, InputLayer
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.models import graph as graphs
from minikeras.models.model import Model

_is_none = lambda x: x is None  # noqa: E731


class Functional(Model):
    """The model of `Model(inputs, outputs)`.

    Args:
        inputs, outputs: KerasTensors in any nest of lists, tuples and dicts.
        name: unique by default.
        trainable: do optimizers update the weights?
    """

    _untracked = Model._untracked | {"_graph", "_inputs", "_outputs"}

    def __init__(self, inputs, outputs, name=None, trainable=True, **kwargs):
        for what, tree in (("inputs", inputs), ("outputs", outputs)):
            _check_tensors(what, tree)
        flat_in = jax.tree_util.tree_leaves(inputs)
        flat_out = jax.tree_util.tree_leaves(outputs)
        if not all(map(_is_input, flat_in)):
            flat_in, flat_out = graphs.clone_between(flat_in, flat_out, _clone_input)
            inputs = _refill(inputs, flat_in)
            outputs = _refill(outputs, flat_out)
        if not hasattr(self, "_programs"):
            Model.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        self._inputs, self._outputs = inputs, outputs
        self._graph = graphs.Graph(flat_in, flat_out)
        self._graph_layers = [
            op for op in self._graph.operations if isinstance(op, Layer)
        ]
        self.built = True
        _check_unique_names(self._graph.operations)
        if not trainable:
            self.trainable = False

    # -- what it is ---------------------------------------------------------------

    @property
    def operations(self):
        """Layers and recorded ops, inputs first."""
        return list(self._graph.operations)

    @property
    def layers(self):
        """The layers of the graph, inputs first."""
        return list(self._graph_layers)

    @property
    def inputs(self):
        """The inputs, flat."""
        return jax.tree_util.tree_leaves(self._inputs)

    @property
    def outputs(self):
        """The outputs, flat."""
        return jax.tree_util.tree_leaves(self._outputs)

    @property
    def input(self):
        """The inputs as they were given."""
        return self._inputs

    @property
    def output(self):
        """The outputs as they were given."""
        return self._outputs

    @property
    def input_shape(self):
        """Shapes of `input`."""
        return jax.tree_util.tree_map(lambda x: x.shape, self._inputs)

    @property
    def output_shape(self):
        """Shapes of `output`."""
        return jax.tree_util.tree_map(lambda x: x.shape, self._outputs)

    @property
    def input_names(self):
        """Names of the inputs, flat."""
        return [x._keras_history[0].name for x in self.inputs]

    @property
    def output_names(self):
        """Names of the operations that give the outputs, flat."""
        return [x._keras_history[0].name for x in self.outputs]

    @property
    def input_spec(self):
        """Shapes that the inputs must have; sizes of batches are free."""
        if self.__dict__.get("_own_input_spec") is not None:
            return self._own_input_spec
        named = isinstance(self._inputs, dict) and all(
            isinstance(x, KerasTensor) for x in self._inputs.values()
        )
        keys = list(self._inputs) if named else [None] * len(self.inputs)
        return [
            InputSpec(
                shape=(None, *x.shape[1:]) if x.shape else (),
                allow_last_axis_squeeze=True,
                name=key or x._keras_history[0].name,
                optional=x._keras_history[0].optional,
            )
            for key, x in zip(
                keys, self._inputs.values() if named else self.inputs, strict=True
            )
        ]

    @input_spec.setter
    def input_spec(self, value):
        self._own_input_spec = value

    # -- what it does -------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        if args and not isinstance(args[0], KerasTensor):
            args = (self._arranged_inputs(args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Run the graph."""
        values = self._input_values(inputs, mask)
        for node in self._graph.nodes:
            if id(node.output_tensors[0]) in values:
                continue
            args = graphs.fill(node.args, values)
            kwargs = node.kwargs and graphs.fill(node.kwargs, values)
            if training is not None and "training" in kwargs:
                kwargs["training"] = training
            outputs = node.operation(*args, **kwargs)
            for tensor, x in zip(
                node.output_tensors,
                jax.tree_util.tree_leaves(outputs, is_leaf=_is_none),
                strict=True,
            ):
                values[id(tensor)] = x
        return graphs.fill(self._outputs, values)

    def _input_values(self, inputs, mask):
        """{id of an input tensor: its array, in the input's dtype and rank}."""
        leaves = jax.tree_util.tree_leaves(self._arranged_inputs(inputs), is_leaf=_is_none)
        specs = self.inputs
        if len(leaves) != len(specs):
            raise ValueError(
                f"Model {self.name!r} has {len(specs)} inputs {self.input_names}, got "
                f"{len(leaves)}."
            )
        values = {}
        for spec, x in zip(specs, leaves, strict=True):
            values[id(spec)] = _as_input(x, spec)
        if mask is not None:
            from minikeras.core.functional import set_mask

            masks = jax.tree_util.tree_leaves(mask, is_leaf=_is_none)
            for spec, m in zip(specs, masks, strict=False):
                if m is not None:
                    set_mask(values[id(spec)], m)
        return values

    def _arranged_inputs(self, inputs):
        """Inputs in the model's own nest: dicts may name them, lists may order them."""
        own = self._inputs
        if isinstance(inputs, dict) and not isinstance(own, dict):
            names = self.input_names
            if all(name in inputs for name in names):
                return _refill(own, [inputs[name] for name in names])
        if isinstance(inputs, dict) and isinstance(own, dict):
            if set(own) < set(inputs):
                return {key: inputs[key] for key in own}
            return inputs
        if isinstance(own, dict) and isinstance(inputs, (list, tuple)):
            if len(inputs) == len(own):
                return dict(zip(own, inputs, strict=True))
        if isinstance(own, KerasTensor) and isinstance(inputs, (list, tuple)):
            if len(inputs) == 1 and hasattr(inputs[0], "shape"):
                return inputs[0]
        if isinstance(own, (list, tuple)) and len(own) == 1:
            if hasattr(inputs, "shape"):
                return type(own)([inputs])
        return inputs

    def compute_output_spec(self, inputs, training=None, mask=None):
        """The recorded outputs, or new ones for other input shapes."""
        arranged = self._arranged_inputs(inputs)
        leaves = jax.tree_util.tree_leaves(arranged)
        if len(leaves) == len(self.inputs) and all(
            is_keras_tensor(x) and x.shape == spec.shape and x.dtype == spec.dtype
            for x, spec in zip(leaves, self.inputs, strict=True)
        ):
            return jax.tree_util.tree_map(
                lambda x: KerasTensor(x.shape, x.dtype, sparse=x.sparse), self._outputs
            )
        return super().compute_output_spec(arranged, training=training, mask=mask)

    def compute_output_shape(self, input_shape):
        """Shapes of the outputs for other input shapes, by tracing."""
        return Layer.compute_output_shape(self, input_shape)

    # -- files --------------------------------------------------------------------

    def get_config(self):
        """The graph as a JSON-ready dict."""
        if not _is_plain_functional(type(self)):
            return Model.get_config(self)
        numbers = self._graph.node_numbers()

        def history(tensor):
            operation, _, index = tensor._keras_history
            return [operation.name, numbers[graphs.node_of(tensor)], index]

        layers = []
        for operation in self._graph.operations:
            config = serialize_keras_object(operation)
            config["name"] = operation.name
            config["inbound_nodes"] = [
                _serialize_node(node, history)
                for node in operation._inbound_nodes
                if node in numbers and not node.is_input
            ]
            layers.append(config)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": layers,
            "input_layers": jax.tree_util.tree_map(history, self._inputs),
            "output_layers": jax.tree_util.tree_map(history, self._outputs),
        }

    def get_build_config(self):
        """The graph says its shapes itself."""
        return {"input_shape": None}

    def build_from_config(self, config):
        """Nothing to do: it is built with the graph."""


def _check_tensors(what, tree):
    leaves = jax.tree_util.tree_leaves(tree)
    if not leaves:
        raise ValueError(f"Model: `{what}` is empty.")
    for x in leaves:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"Model: all `{what}` must be KerasTensors, made by keras.Input and "
                f"layers, got {x!r} ({type(x).__name__})."
            )


def _check_unique_names(operations):
    names = [op.name for op in operations]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"The name {name!r} is used {names.count(name)} times in the model. "
                "All operation names should be unique: pass other `name=`s."
            )


def _is_input(tensor):
    history = getattr(tensor, "_keras_history", None)
    return history is not None and isinstance(history[0], InputLayer)


def _clone_input(tensor):
    name = f"{tensor.name}CLONE"
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def _refill(tree, leaves):
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(tree), leaves)


def _is_plain_functional(cls):
    """Functional itself, or a subclass that is made like it."""
    return cls is Functional or "__init__" not in vars(cls)


def _as_input(x, spec):
    if x is None:
        return x
    if isinstance(x, np.ndarray) or not hasattr(x, "astype"):
        x = jnp.asarray(x)
    if x.dtype != spec.dtype and not jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        x = x.astype(dtypes.standardize_dtype(spec.dtype))
    rank = len(spec.shape)
    if len(x.shape) == rank + 1 and x.shape[-1] == 1:
        return jnp.squeeze(x, -1)
    if len(x.shape) == rank - 1 and spec.shape[-1] == 1:
        return jnp.expand_dims(x, -1)
    return x


def _serialize_node(node, history):
    def one(tree):
        if isinstance(tree, KerasTensor):
            config = serialize_keras_object(tree)
            config["config"]["keras_history"] = history(tree)
            return config
        if isinstance(tree, (list, tuple)):
            return [one(x) for x in tree]
        if isinstance(tree, dict):
            return {key: one(x) for key, x in tree.items()}
        return serialize_keras_object(tree)

    return {
        "args": [one(x) for x in node.args],
        "kwargs": {key: one(x) for key, x in node.kwargs.items()},
    }


# -- from files -------------------------------------------------------------------


def functional_from_config(cls, config):
    """The model of `Functional.get_config()`.

    Layers are made first; then every call whose inputs exist already is repeated,
    until none is left.
    """
    made, pending = {}, []
    for entry in config["layers"]:
        layer = deserialize_keras_object(entry, family=registry.family("layers"))
        made[entry["name"]] = layer
        pending += [(layer, node) for node in entry["inbound_nodes"]]
    tensors = {
        (name, 0, 0): layer.output
        for name, layer in made.items()
        if isinstance(layer, InputLayer)
    }
    counts: dict = {}
    while pending:
        waiting = []
        for layer, node in pending:
            if not _repeat_call(layer, node, tensors, counts):
                waiting.append((layer, node))
        if len(waiting) == len(pending):
            raise ValueError(
                "The config's graph cannot be rebuilt: the calls of "
                f"{sorted({layer.name for layer, _ in waiting})} wait for tensors that "
                "no layer gives."
            )
        pending = waiting
    names = {id(layer): name for name, layer in made.items()}
    del names
    inputs = _tensors_of(config["input_layers"], tensors)
    outputs = _tensors_of(config["output_layers"], tensors)
    return cls(
        inputs,
        outputs,
        name=config.get("name"),
        trainable=config.get("trainable", True),
    )


def _repeat_call(layer, node, tensors, counts):
    """Call `layer` as the node says; False while an input of it is missing."""
    histories = _histories(node)
    if any(h not in tensors for h in histories):
        return False
    args, kwargs = _call_arguments(node, tensors)
    outputs = layer(*args, **kwargs)
    number = counts.setdefault(id(layer), 0)
    counts[id(layer)] += 1
    for i, x in enumerate(jax.tree_util.tree_leaves(outputs)):
        tensors[(layer.name, number, i)] = x
    return True


def _is_tensor_config(x):
    return isinstance(x, dict) and x.get("class_name") == "__keras_tensor__"


def _histories(tree):
    if _is_tensor_config(tree):
        return [tuple(tree["config"]["keras_history"])]
    if isinstance(tree, dict):
        return [h for x in tree.values() for h in _histories(x)]
    if isinstance(tree, (list, tuple)):
        return [h for x in tree for h in _histories(x)]
    return []


def _call_arguments(node, tensors):
    def one(tree):
        if _is_tensor_config(tree):
            return tensors[tuple(tree["config"]["keras_history"])]
        if isinstance(tree, dict) and "class_name" in tree:
            return deserialize_keras_object(tree)
        if isinstance(tree, dict):
            return {key: one(x) for key, x in tree.items()}
        if isinstance(tree, (list, tuple)):
            return [one(x) for x in tree]
        return tree

    return [one(x) for x in node["args"]], {
        key: one(x) for key, x in node["kwargs"].items()
    }


def _tensors_of(config, tensors):
    """`["name", 0, 0]`, or lists, tuples and dicts of it -> KerasTensors."""
    if isinstance(config, dict):
        return {key: _tensors_of(x, tensors) for key, x in config.items()}
    if len(config) == 3 and isinstance(config[0], str):
        return tensors[tuple(config)]
    return [_tensors_of(x, tensors) for x in config]


def warn_structure(model, inputs):
    """Inputs in another nest than the model's are taken, with a warning."""
    own = jax.tree_util.tree_structure(model._inputs)
    if jax.tree_util.tree_structure(inputs) != own and not any_symbolic((inputs,)):
        warnings.warn(
            f"The inputs' structure is not that of the model {model.name!r}.",
            stacklevel=3,
        )


registry.register("keras.src.models.functional", {"Functional": Functional})
registry.register("keras", {"Model": Model})
