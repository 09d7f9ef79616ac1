"""Function: the operations between KerasTensors, as one operation."""

import jax

from minikeras.core import tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Operation
from minikeras.core.variable import as_array
from minikeras.models import graph as graphs


class Function(Operation):
    """Compute `outputs` from `inputs`: Function(inputs, outputs)(arrays).

    Args:
        inputs: KerasTensors in nested lists, tuples and dicts.
        outputs: KerasTensors computed from `inputs`, likewise.
        name: str, unique name; None makes one.

    Raises:
        ValueError: not KerasTensors, or outputs that do not depend on the inputs alone;
            in a call: another structure or other shapes than those of `inputs`.

    >>> x = keras.KerasTensor((None, 2))
    >>> keras.Function(x, keras.ops.sum(x, axis=1))([[1.0, 2.0]]).tolist()
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
        # The node of an input is outside of the function, unless `keras.Input` made it.
        outside = {graphs.node_of(x) for x in self.inputs if graphs.is_recorded(x)}
        inside = {n.operation for n in self._mk_graph.nodes if n not in outside}
        inside |= {n.operation for n in outside if n.is_input}
        return [op for op in self._mk_graph.operations if op in inside]

    @property
    def inputs(self):
        """List of the input KerasTensors."""
        return jax.tree_util.tree_leaves(self._mk_inputs)

    @property
    def outputs(self):
        """List of the output KerasTensors."""
        return jax.tree_util.tree_leaves(self._mk_outputs)

    def call(self, inputs):
        """Compute the outputs.

        Args:
            inputs: arrays in the nesting of the function's inputs.

        Returns:
            Arrays in the nesting of the function's outputs.
        """
        own = self._mk_inputs
        if isinstance(own, KerasTensor):
            inputs = as_array(inputs)
        if jax.tree_util.tree_structure(inputs) != jax.tree_util.tree_structure(own):
            raise ValueError(
                f"Function {self.name!r} was called with an invalid input structure. "
                f"Expected {own}, got {inputs!r}."
            )
        arrays = list(map(as_array, jax.tree_util.tree_leaves(inputs)))
        for tensor, x in zip(self.inputs, arrays, strict=True):
            if not _fits(tensor.shape, x.shape):
                raise ValueError(
                    f"Function {self.name!r} was passed incompatible inputs. For input "
                    f"{tensor.name!r}, expected the shape {tensor.shape}, got "
                    f"{tuple(x.shape)}."
                )
        values = {id(t): x for t, x in zip(self.inputs, arrays, strict=True)}
        self._mk_graph.run(values)
        return graphs.substitute(self._mk_outputs, values)

    def compute_output_spec(self, inputs):
        """Return the outputs as KerasTensors.

        Args:
            inputs: KerasTensors in the nesting of the function's inputs.
        """
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        """Return the shapes of the outputs.

        Args:
            input_shape: shapes in the nesting of the function's inputs.
        """
        own, treedef = jax.tree_util.tree_flatten(self._mk_inputs)
        shapes = treedef.flatten_up_to(input_shape)
        tensors = [KerasTensor(s, x.dtype) for x, s in zip(own, shapes, strict=True)]
        inputs = treedef.unflatten(tensors)
        outputs = self.compute_output_spec(inputs)
        return jax.tree_util.tree_map(lambda x: x.shape, outputs)


def _fits(expected, shape):
    """Are the shapes equal, where None fits any size?"""
    return len(expected) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(expected, shape, strict=True)
    )


def check_graph(inputs, outputs):
    """Raise ValueError unless `outputs` depend on the KerasTensors `inputs` alone."""
    _check_tensors("inputs", inputs)
    _check_tensors("outputs", outputs)
    flat = jax.tree_util.tree_leaves(inputs)
    for path, tensor in tree.flatten_with_path(outputs):
        try:
            graphs.Graph(flat, [tensor])
        except graphs.DisconnectedError as error:
            where = ".".join(map(str, path))
            raise ValueError(
                f"Output with path `{where}` is not connected to `inputs`: {error}"
            ) from None


def _check_tensors(argument, structure):
    """Raise ValueError unless all leaves are KerasTensors."""
    leaves = jax.tree_util.tree_leaves(structure)
    if not leaves:
        raise ValueError(f"`{argument}` argument cannot be empty, got {structure!r}.")
    for x in leaves:
        if not isinstance(x, KerasTensor):
            raise ValueError(
                f"All `{argument}` values must be KerasTensors, made by keras.Input "
                f"and layers, got {x!r} ({type(x).__name__})."
            )
