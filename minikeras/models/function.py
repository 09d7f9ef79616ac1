"""Function: the operations between KerasTensors, as one operation without weights."""

import jax

from minikeras.core import tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Operation
from minikeras.core.variable import as_array
from minikeras.models import graph as graphs


class Function(Operation):
    """`Function(inputs, outputs)(arrays)` runs what leads from inputs to outputs.

    Args:
        inputs, outputs: KerasTensors in any nest of lists, tuples and dicts.
        name: unique by default.

    Raises:
        ValueError: no KerasTensors, or outputs that the inputs do not lead to; in a
            call: another nest or other shapes than those of `inputs`.

    >>> from minikeras import KerasTensor, ops
    >>> x = KerasTensor((None, 2))
    >>> Function(x, ops.sum(x, axis=1))([[1.0, 2.0]]).tolist()
    [3.0]
    """

    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        check_graph(inputs, outputs)
        self._mk_inputs, self._mk_outputs = inputs, outputs
        self._mk_graph = graphs.Graph(self.inputs, self.outputs)

    @property
    def operations(self):
        """Layers and recorded ops between inputs and outputs, inputs first."""
        given = {graphs.node_of(x) for x in self.inputs if graphs.is_recorded(x)}
        between = {n.operation for n in self._mk_graph.nodes if n not in given}
        between |= {n.operation for n in given if n.is_input}
        return [op for op in self._mk_graph.operations if op in between]

    @property
    def inputs(self):
        """The inputs, flat."""
        return jax.tree_util.tree_leaves(self._mk_inputs)

    @property
    def outputs(self):
        """The outputs, flat."""
        return jax.tree_util.tree_leaves(self._mk_outputs)

    def call(self, inputs):
        """The outputs for arrays in the nest of the inputs."""
        own = self._mk_inputs
        if isinstance(own, KerasTensor):
            inputs = as_array(inputs)
        if jax.tree_util.tree_structure(inputs) != jax.tree_util.tree_structure(own):
            raise ValueError(
                f"Function {self.name!r} was called with an invalid input structure. "
                f"Expected {own}, got {inputs!r}."
            )
        arrays = list(map(as_array, jax.tree_util.tree_leaves(inputs)))
        for spec, x in zip(self.inputs, arrays, strict=True):
            if not _fits(spec.shape, x.shape):
                raise ValueError(
                    f"Function {self.name!r} was passed incompatible inputs. For input "
                    f"{spec.name!r}, expected the shape {spec.shape}, got "
                    f"{tuple(x.shape)}."
                )
        values = {id(s): x for s, x in zip(self.inputs, arrays, strict=True)}
        self._mk_graph.run(values)
        return graphs.fill(self._mk_outputs, values)

    def compute_output_spec(self, inputs):
        """The outputs as KerasTensors."""
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        """Shapes of the outputs for a nest of input shapes."""
        own, treedef = jax.tree_util.tree_flatten(self._mk_inputs)
        shapes = treedef.flatten_up_to(input_shape)
        tensors = [KerasTensor(s, x.dtype) for x, s in zip(own, shapes, strict=True)]
        inputs = treedef.unflatten(tensors)
        outputs = self.compute_output_spec(inputs)
        return jax.tree_util.tree_map(lambda x: x.shape, outputs)


def _fits(expected, shape):
    return len(expected) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(expected, shape, strict=True)
    )


def check_graph(inputs, outputs):
    """ValueError unless KerasTensors lead to KerasTensors."""
    _check_tensors("inputs", inputs)
    _check_tensors("outputs", outputs)
    flat = jax.tree_util.tree_leaves(inputs)
    for path, tensor in tree.flatten_with_path(outputs):
        try:
            graphs.Graph(flat, [tensor])
        except graphs.Disconnected as error:
            where = ".".join(map(str, path))
            raise ValueError(
                f"Output with path `{where}` is not connected to `inputs`: {error}"
            ) from None


def _check_tensors(what, structure):
    leaves = jax.tree_util.tree_leaves(structure)
    if not leaves:
        raise ValueError(f"`{what}` argument cannot be empty, got {structure!r}.")
    for x in leaves:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"All `{what}` values must be KerasTensors, made by keras.Input and "
                f"layers, got {x!r} ({type(x).__name__})."
            )
