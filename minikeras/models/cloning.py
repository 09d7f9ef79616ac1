"""clone_model: the same architecture again, with weights of its own."""

from minikeras.core import tree
from minikeras.core.keras_tensor import KerasTensor, is_keras_tensor
from minikeras.core.serialization import CopyScope, recreate
from minikeras.core.symbolic import FunctionOp
from minikeras.layers.core.input_layer import Input, InputLayer
from minikeras.models import graph as graphs
from minikeras.models.functional import Functional
from minikeras.models.model import same_signature
from minikeras.models.sequential import Sequential


def clone_model(
    model,
    input_tensors=None,
    clone_function=None,
    call_function=None,
    recursive=False,
    **kwargs,
):
    """A new model of the same layers, with newly drawn weights.

    A compiled model's clone is compiled, too.

    Args:
        model: a `Functional`, `Sequential` or subclassed model; the last is made again
            from its config, and takes none of the other arguments.
        input_tensors: KerasTensors to build on, in the nest of the model's inputs;
            where one was not made by `Input`, a new input takes its place.
        clone_function: layer -> layer, called for each layer but inputs; a new layer
            from the config by default. `lambda layer: layer` shares the layers.
        call_function: (new layer, *args, **kwargs) -> outputs, which makes each call
            of a Functional model again; to put other layers around it, for example.
        recursive: clone the layers of nested models one by one, with the same
            functions, instead of such a model as one layer?

    Raises:
        ValueError: an argument that does not go with the kind of model, or inputs
            that do not fit.

    >>> from minikeras import Sequential, layers
    >>> model = Sequential([layers.Input((3,)), layers.Dense(2)])
    >>> clone_model(model).layers[0].kernel is model.layers[0].kernel
    False
    """
    if kwargs:
        raise ValueError(
            f"clone_model: unexpected keyword argument(s): {tuple(kwargs)}."
        )

    def copied(layer):
        if recursive and isinstance(layer, (Functional, Sequential)):
            calls = {"call_function": call_function}
            return clone_model(
                layer,
                clone_function=clone_function,
                recursive=True,
                **(calls if isinstance(layer, Functional) else {}),
            )
        return (clone_function or recreate)(layer)

    if isinstance(model, Sequential):
        _refuse(model, call_function=call_function)
        clone = _clone_sequential(model, input_tensors, copied)
    elif isinstance(model, Functional):
        clone = _clone_functional(model, input_tensors, copied, call_function or _call)
    else:
        given = {"input_tensors": input_tensors, "clone_function": clone_function}
        _refuse(model, call_function=call_function, **given)
        clone = recreate(model)
    if getattr(model, "compiled", False):
        with CopyScope():
            clone.compile_from_config(model.get_compile_config())
    return clone


def _refuse(model, **arguments):
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"clone_model: `{name}` is not supported for {model.name!r}, a model "
                f"of type {type(model).__name__!r}: a Functional model takes all "
                "arguments, a Sequential one all but `call_function`."
            )


def _call(layer, *args, **kwargs):
    return layer(*args, **kwargs)


def _clone_sequential(model, input_tensors, copied):
    stack = model._mk_stack
    begun = bool(stack) and isinstance(stack[0], InputLayer)
    inputs = [recreate(stack[0])] if begun else []
    if input_tensors is not None:
        inputs = [_input_layer(_only(input_tensors))]
    return Sequential(
        [*inputs, *map(copied, model.layers)],
        trainable=model.trainable,
        name=model.name,
    )


def _only(input_tensors):
    if not isinstance(input_tensors, (list, tuple)):
        input_tensors = [input_tensors]
    if len(input_tensors) != 1 or not is_keras_tensor(input_tensors[0]):
        raise ValueError(
            "clone_model: for a Sequential model, argument `input_tensors` must "
            f"contain a single tensor, a KerasTensor, got {input_tensors!r}."
        )
    return input_tensors[0]


def _is_input(tensor):
    return graphs.is_recorded(tensor) and isinstance(
        tensor._keras_history[0], InputLayer
    )


def _input_layer(tensor):
    if _is_input(tensor):
        return tensor._keras_history[0]
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _clone_functional(model, input_tensors, copied, call):
    if input_tensors is None:
        inputs = tree.map_structure(_input_again, model._mk_inputs)
    else:
        inputs = _checked_inputs(model, input_tensors)
    pairs = zip(tree.flatten(model._mk_inputs), tree.flatten(inputs), strict=True)
    values = {id(own): new for own, new in pairs}
    copies = {}
    for node in model._mk_graph.nodes:
        if all(id(x) in values for x in node.output_tensors):
            continue
        operation = node.operation
        if operation not in copies:
            copies[operation] = _operation_again(operation, copied)
        args, kwargs = graphs.fill((node.args, node.kwargs), values)
        outputs = tree.flatten(call(copies[operation], *args, **kwargs))
        for own, new in zip(node.output_tensors, outputs, strict=True):
            values[id(own)] = new
    outputs = graphs.fill(model._mk_outputs, values)
    kind = type(model) if same_signature(type(model)) else Functional
    return kind(inputs, outputs, name=model.name)


def _input_again(tensor):
    return recreate(tensor._keras_history[0]).output


def _operation_again(operation, copied):
    if isinstance(operation, FunctionOp):  # a call, not a layer: nobody's to change
        return FunctionOp(operation.function, operation.config, name=operation.name)
    return copied(operation)


def _checked_inputs(model, input_tensors):
    if strangers := [x for x in tree.flatten(input_tensors) if not is_keras_tensor(x)]:
        raise ValueError(
            "clone_model: all entries in `input_tensors` must be KerasTensors, got "
            f"{strangers}."
        )
    try:
        tree.assert_same_structure(model._mk_inputs, input_tensors)
    except (TypeError, ValueError):
        raise ValueError(
            "`input_tensors` must have the same structure as model.input. Expected "
            f"{model._mk_inputs}, got {input_tensors}."
        ) from None
    return tree.map_structure(_as_input, input_tensors)


def _as_input(tensor: KerasTensor):
    if _is_input(tensor):
        return tensor
    return Input(
        batch_shape=tensor.shape,
        dtype=tensor.dtype,
        sparse=tensor.sparse,
        name=f"{tensor.name}CLONE",
    )
