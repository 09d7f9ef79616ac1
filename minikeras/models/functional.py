"""Functional: a model that is a graph between inputs and outputs."""

from typing import Any

import jax

from minikeras.core import registry, tree
from minikeras.core.bridge import Frame, set_mask
from minikeras.core.keras_tensor import KerasTensor, is_keras_tensor
from minikeras.layers.core.input_layer import Input, InputLayer
from minikeras.layers.layer import Layer
from minikeras.models import graph as graphs
from minikeras.models import inputs as model_inputs
from minikeras.models.function import Function, check_graph
from minikeras.models.graph_config import graph_config
from minikeras.models.model import Model, same_signature
from minikeras.models.trainer import Trainer


class Functional(Function, Model):
    """The model of `Model(inputs, outputs)`.

    Args:
        inputs, outputs: KerasTensors in any nest of lists, tuples and dicts.
        name: unique by default.
        trainable: do optimizers update the weights?

    Raises:
        ValueError: no KerasTensors, outputs that the inputs do not lead to, or two
            layers of one name.
    """

    _mk_untracked = frozenset({"_mk_graph", "_mk_inputs", "_mk_outputs"})

    def __init__(self, inputs, outputs, name=None, trainable=True, **kwargs):
        check_graph(inputs, outputs)
        flat_in = jax.tree_util.tree_leaves(inputs)
        flat_out = jax.tree_util.tree_leaves(outputs)
        if not all(map(_is_input, flat_in)):
            flat_in, flat_out = graphs.clone_between(flat_in, flat_out, _clone_input)
            inputs = model_inputs.refill(inputs, flat_in)
            outputs = model_inputs.refill(outputs, flat_out)
        if not hasattr(self, "_mk_programs"):
            Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        self._mk_inputs, self._mk_outputs = inputs, outputs
        self._mk_graph = graphs.Graph(flat_in, flat_out)
        self._mk_graph_layers = [
            op for op in self._mk_graph.operations if isinstance(op, Layer)
        ]
        _check_unique_names(self._mk_graph.operations)
        self.input_spec = model_inputs.specs_of(inputs)
        self.built = True
        if not trainable:
            self.trainable = False

    # -- what it is ---------------------------------------------------------------

    @property
    def operations(self):
        """Layers and recorded ops, inputs first."""
        return list(self._mk_graph.operations)

    @property
    def layers(self):
        """The layers of the graph, inputs first."""
        return list(self._mk_graph_layers)

    @layers.setter
    def layers(self, value):
        Model.layers.__set__(self, value)

    @property
    def input(self):
        """The inputs as they were given."""
        return self._mk_inputs

    @property
    def output(self):
        """The outputs as they were given."""
        return self._mk_outputs

    @property
    def input_shape(self):
        """Shape of the input; a flat list of them if there are several."""
        return _shapes(self.inputs)

    @property
    def output_shape(self):
        """Shape of the output; a flat list of them if there are several."""
        return _shapes(self.outputs)

    @property
    def output_names(self):
        """Names of the operations that give the outputs, flat."""
        return [x._keras_history[0].name for x in self.outputs]

    # -- what it does -------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        if args and "_mk_inputs" in vars(self):
            args = (model_inputs.arrange(self._mk_inputs, args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def _mk_check_input(self, inputs):
        """Wrong ranks are named, with their path, when the inputs are standardized."""
        ranks = [len(getattr(x, "shape", ())) for x in tree.flatten(inputs)]
        own = [len(x.shape) for x in self.inputs]
        if ranks == own or len(ranks) != len(own):
            super()._mk_check_input(inputs)

    def call(self, inputs, training=None, mask=None):
        """Run the graph."""
        values = model_inputs.standardize(self._mk_inputs, inputs)
        if mask is not None:
            for x, m in zip(self.inputs, tree.flatten(mask), strict=False):
                if m is not None:
                    set_mask(values[id(x)], m)
        mode = {} if training is None else {"training": training}
        with Frame(**mode):
            self._mk_graph.run(values, training)
        return graphs.fill(self._mk_outputs, values)

    def compute_output_spec(self, inputs, training=None, mask=None):
        """The recorded outputs, or new ones for other input shapes."""
        inputs = model_inputs.arrange(self._mk_inputs, inputs)
        leaves = jax.tree_util.tree_leaves(inputs)
        if len(leaves) == len(self.inputs) and all(
            is_keras_tensor(x) and x.shape == spec.shape and x.dtype == spec.dtype
            for x, spec in zip(leaves, self.inputs, strict=True)
        ):
            return jax.tree_util.tree_map(
                lambda x: KerasTensor(x.shape, x.dtype, sparse=x.sparse),
                self._mk_outputs,
            )
        return Model.compute_output_spec(self, inputs, training=training, mask=mask)

    # By tracing, as of any layer.
    compute_output_shape: Any = Layer.compute_output_shape

    # -- files --------------------------------------------------------------------

    def get_config(self):
        """The graph as a JSON-ready dict."""
        if same_signature(type(self)):
            return graph_config(self)
        config = super().get_config()
        return {k: v for k, v in config.items() if k not in ("inputs", "outputs")}

    def get_build_config(self):
        """The graph says its shapes itself."""
        return {"input_shape": None}

    def build_from_config(self, config):
        """Nothing to do: it is built with the graph."""


def _shapes(tensors):
    shapes = [x.shape for x in tensors]
    return shapes[0] if len(shapes) == 1 else shapes


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


Model._mk_graph_class = Functional
registry.register("keras.src.models.functional", {"Functional": Functional})
registry.register("keras", {"Model": Model})
