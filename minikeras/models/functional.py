"""Functional: a model that is a graph between inputs and outputs."""

from typing import Any

import jax

from minikeras.core import registry, tree
from minikeras.core.bridge import Frame, set_mask
from minikeras.core.constructor_arguments import init_config
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.layers.layer import Layer
from minikeras.models import graph as graphs
from minikeras.models import inputs as model_inputs
from minikeras.models.function import Function, check_graph
from minikeras.models.graph_config import graph_config
from minikeras.models.model import Model, has_functional_signature
from minikeras.models.trainer import Trainer


class Functional(Function, Model):
    """The class of `Model(inputs, outputs)`.

    Args:
        inputs: KerasTensors in nested lists, tuples and dicts.
        outputs: KerasTensors computed from `inputs`, likewise.
        name: str, unique name; None makes one.
        trainable: bool, whether optimizers update the weights.
        **kwargs: `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: not KerasTensors, outputs that do not depend on the inputs alone, or
            two layers with one name.
    """

    _mk_untracked = frozenset({"_mk_graph", "_mk_inputs", "_mk_outputs"})

    def __init__(self, inputs, outputs, name=None, trainable=True, **kwargs):
        check_graph(inputs, outputs)
        flat_in = jax.tree_util.tree_leaves(inputs)
        flat_out = jax.tree_util.tree_leaves(outputs)
        if not all(map(graphs.is_input, flat_in)):  # it starts in the middle of a graph
            flat_in, flat_out = graphs.clone_subgraph(flat_in, flat_out)
            inputs = model_inputs.unflatten_like(inputs, flat_in)
            outputs = model_inputs.unflatten_like(outputs, flat_out)
        if not hasattr(self, "_mk_programs"):
            Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        self._mk_inputs, self._mk_outputs = inputs, outputs
        self._mk_graph = graphs.Graph(flat_in, flat_out)
        self._mk_graph_layers = [
            op for op in self._mk_graph.operations if isinstance(op, Layer)
        ]
        _check_unique_names(self._mk_graph.operations)
        self.input_spec = model_inputs.input_specs(inputs)
        self.built = True
        if not trainable:
            self.trainable = False

    def __getstate__(self):
        # The graph first: its nodes are in an order in which each one refers to nodes
        # that are known by then.
        return {"_mk_graph": self._mk_graph, **super().__getstate__()}

    @property
    def operations(self):
        """Layers and recorded ops, inputs first."""
        return list(self._mk_graph.operations)

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, inputs first."""
        return list(self._mk_graph_layers)

    @layers.setter
    def layers(self, value):
        Model.layers.__set__(self, value)

    @property
    def input(self):
        """The input KerasTensor(s), in the nesting that the constructor got."""
        return self._mk_inputs

    @property
    def output(self):
        """The output KerasTensor(s), in the nesting that the constructor got."""
        return self._mk_outputs

    @property
    def input_shape(self):
        """Shape of the input, or a list of shapes if there are several inputs."""
        return _shapes(self.inputs)

    @property
    def output_shape(self):
        """Shape of the output, or a list of shapes if there are several outputs."""
        return _shapes(self.outputs)

    @property
    def output_names(self):
        """List of the names of the layers that compute the outputs."""
        return [x._keras_history[0].name for x in self.outputs]

    def __call__(self, *args, **kwargs):
        if args and "_mk_inputs" in vars(self):
            args = (model_inputs.match_structure(self._mk_inputs, args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def _mk_check_input(self, inputs):
        """Check the inputs, except wrong ranks: `standardize` names their path."""
        ranks = [len(getattr(x, "shape", ())) for x in tree.flatten(inputs)]
        expected = [len(x.shape) for x in self.inputs]
        if ranks == expected or len(ranks) != len(expected):
            super()._mk_check_input(inputs)

    def call(self, inputs, training=None, mask=None):
        """Run the graph.

        Args:
            inputs: arrays in the nesting of the model's inputs.
            training: bool, passed to the layers; None keeps their defaults.
            mask: masks in the nesting of the inputs, or None.

        Returns:
            Arrays in the nesting of the model's outputs; for a list of one, its item.
        """
        values = model_inputs.standardize(self._mk_inputs, inputs)
        if mask is not None:
            for x, m in zip(self.inputs, tree.flatten(mask), strict=False):
                if m is not None:
                    set_mask(values[id(x)], m)
        mode = {} if training is None else {"training": training}
        with Frame(**mode):
            self._mk_graph.run(values, training)
        outputs = graphs.substitute(self._mk_outputs, values)
        return outputs[0] if _is_list_of_one(outputs) else outputs

    def compute_output_spec(self, inputs, training=None, mask=None):
        """Return the recorded outputs, or traced ones for other input shapes.

        Args:
            inputs: KerasTensors in the nesting of the model's inputs.
            training: bool or None, passed to the layers.
            mask: masks in the nesting of the inputs, or None.
        """
        inputs = model_inputs.match_structure(self._mk_inputs, inputs)
        leaves = jax.tree_util.tree_leaves(inputs)
        if len(leaves) == len(self.inputs) and all(
            is_keras_tensor(x) and x.shape == own.shape and x.dtype == own.dtype
            for x, own in zip(leaves, self.inputs, strict=True)
        ):
            return jax.tree_util.tree_map(graphs.tensor_like, self._mk_outputs)
        own = self._mk_outputs
        outputs = Model.compute_output_spec(self, inputs, training=training, mask=mask)
        if _is_list_of_one(own) and not isinstance(outputs, type(own)):
            outputs = [outputs] if isinstance(own, list) else (outputs,)
        return outputs

    # By tracing, as of any layer.
    compute_output_shape: Any = Layer.compute_output_shape

    def get_config(self):
        """Return the graph, or what a subclass makes it of, as a JSON-ready dict."""
        cls = type(self)
        has_graph = has_functional_signature(cls)
        config = graph_config(self) if has_graph else super().get_config()
        if cls is not Functional and cls.get_config is Functional.get_config:
            # A user's class without `get_config`: what else its constructor got.
            base = {"inputs": None, "outputs": None, **config}
            config = init_config(self, base, True, has_positional=has_graph)
        return {k: v for k, v in config.items() if k not in ("inputs", "outputs")}

    def get_build_config(self):
        """Return a config without shapes: the graph contains them."""
        return {"input_shape": None}

    def build_from_config(self, config):
        """Do nothing: the constructor has built the model.

        Args:
            config: not used.
        """


def _is_list_of_one(outputs):
    """Is it what `call`, unlike a call on KerasTensors, returns without its list?"""
    return isinstance(outputs, (list, tuple)) and len(outputs) == 1


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


Model._mk_graph_class = Functional
registry.register("keras.src.models.functional", {"Functional": Functional})
registry.register("keras", {"Model": Model})
