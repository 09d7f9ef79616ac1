"""clone_model: a new model with the same architecture and new weights."""

from minikeras.core import tree
from minikeras.core.constructor_arguments import init_parameters
from minikeras.core.keras_tensor import KerasTensor, is_keras_tensor
from minikeras.core.serialization import CopyScope, recreate
from minikeras.core.symbolic import FunctionOp
from minikeras.layers.core.input_layer import InputLayer
from minikeras.models import graph as graphs
from minikeras.models.functional import Functional
from minikeras.models.model import has_functional_signature
from minikeras.models.sequential import Sequential


def clone_model(
    model,
    input_tensors=None,
    clone_function=None,
    call_function=None,
    recursive=False,
    **kwargs,
):
    """Create a model of the same layers, with new weights.

    A compiled model's clone is compiled, too.

    Args:
        model: a `Functional`, `Sequential` or subclassed model. A subclassed one is
            created from its config, and allows none of the other arguments.
        input_tensors: KerasTensors to build on, in the nesting of the model's inputs.
            One that `keras.Input` did not make is replaced by a new input. None makes
            new inputs.
        clone_function: layer -> layer, called for each layer except inputs; None
            creates the layer from its config. `lambda layer: layer` shares the layers.
        call_function: (new layer, *args, **kwargs) -> outputs, called for each call of
            a Functional model; None calls the layer.
        recursive: bool, whether to clone the layers of nested models one by one, with
            the same functions; False clones a nested model as one layer.
        **kwargs: must be empty.

    Returns:
        A model of the class of `model`.

    Raises:
        ValueError: an argument that this kind of model does not allow, or inputs that
            do not fit.

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).layers[0].kernel is model.layers[0].kernel
    False
    """
    if kwargs:
        raise ValueError(
            f"clone_model: unexpected keyword argument(s): {tuple(kwargs)}."
        )

    def clone_layer(layer):
        """Clone a nested model layer by layer if `recursive`, else the layer as one."""
        if recursive and isinstance(layer, (Functional, Sequential)):
            # A Sequential model takes no `call_function`.
            is_graph = isinstance(layer, Functional)
            return clone_model(
                layer,
                clone_function=clone_function,
                call_function=call_function if is_graph else None,
                recursive=True,
            )
        return (clone_function or recreate)(layer)

    if isinstance(model, Sequential):
        _reject_arguments(model, call_function=call_function)
        clone = _clone_sequential(model, input_tensors, clone_layer)
    elif isinstance(model, Functional):
        call = call_function or _call
        clone = _clone_functional(model, input_tensors, clone_layer, call)
    else:
        _reject_arguments(
            model,
            call_function=call_function,
            input_tensors=input_tensors,
            clone_function=clone_function,
        )
        clone = recreate(model)
    if getattr(model, "compiled", False):
        with CopyScope():  # a loss may be a lambda, which files would refuse
            clone.compile_from_config(model.get_compile_config())
    return clone


def _reject_arguments(model, **arguments):
    """ValueError if one of the arguments is given."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"clone_model: `{name}` is not supported for {model.name!r}, a model "
                f"of type {type(model).__name__!r}: a Functional model takes all "
                "arguments, a Sequential one all but `call_function`."
            )


def _call(layer, *args, **kwargs):
    return layer(*args, **kwargs)


def _clone_sequential(model, input_tensors, clone_layer):
    """A stack of cloned layers, on the given input or a new one."""
    stack = model._mk_stack
    has_input = bool(stack) and isinstance(stack[0], InputLayer)
    inputs = [recreate(stack[0])] if has_input else []
    if input_tensors is not None:
        inputs = [_input_layer(_single_tensor(input_tensors))]
    return Sequential(
        [*inputs, *map(clone_layer, model.layers)],
        trainable=model.trainable,
        name=model.name,
    )


def _single_tensor(input_tensors):
    """The only KerasTensor of the argument; ValueError for anything else."""
    if not isinstance(input_tensors, (list, tuple)):
        input_tensors = [input_tensors]
    if len(input_tensors) != 1 or not is_keras_tensor(input_tensors[0]):
        raise ValueError(
            "clone_model: for a Sequential model, argument `input_tensors` must "
            f"contain a single tensor, a KerasTensor, got {input_tensors!r}."
        )
    return input_tensors[0]


def _input_layer(tensor):
    """The input layer of a KerasTensor, or a new one like it."""
    if graphs.is_input(tensor):
        return tensor._keras_history[0]
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _clone_functional(model, input_tensors, clone_layer, call):
    """Repeat the calls of the graph with cloned layers, from new inputs."""
    if input_tensors is None:
        inputs = tree.map_structure(_clone_input, model._mk_inputs)
    else:
        inputs = _checked_inputs(model, input_tensors)
    pairs = zip(tree.flatten(model._mk_inputs), tree.flatten(inputs), strict=True)
    values = {id(old): new for old, new in pairs}
    clones = {}  # a layer that is called several times is cloned once
    for node in model._mk_graph.nodes:
        if all(id(x) in values for x in node.output_tensors):
            continue
        operation = node.operation
        if operation not in clones:
            clones[operation] = _clone_operation(operation, clone_layer)
        args, kwargs = graphs.substitute((node.args, node.kwargs), values)
        outputs = tree.flatten(call(clones[operation], *args, **kwargs))
        for old, new in zip(node.output_tensors, outputs, strict=True):
            values[id(old)] = new
    outputs = graphs.substitute(model._mk_outputs, values)
    kind = type(model)
    # As in Keras: one with other arguments after the graph becomes a plain one.
    others = {*init_parameters(kind)} - {"inputs", "outputs", "name", "trainable"}
    positional = init_parameters(kind)[:1] == ("inputs",)
    if positional and others or not has_functional_signature(kind):
        kind = Functional
    return kind(inputs, outputs, name=model.name)


def _clone_input(tensor):
    return recreate(tensor._keras_history[0]).output


def _clone_operation(operation, clone_layer):
    if isinstance(operation, FunctionOp):  # a recorded op: `clone_function` gets layers
        return FunctionOp(operation.function, operation.config, name=operation.name)
    return clone_layer(operation)


def _checked_inputs(model, input_tensors):
    """`input_tensors` in the model's structure, each made by `keras.Input`."""
    if invalid := [x for x in tree.flatten(input_tensors) if not is_keras_tensor(x)]:
        raise ValueError(
            "clone_model: all entries in `input_tensors` must be KerasTensors, got "
            f"{invalid}."
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
    """The tensor if it was made by `keras.Input`, otherwise a new input like it."""
    if graphs.is_input(tensor):
        return tensor
    return graphs.input_like(tensor, sparse=tensor.sparse)
