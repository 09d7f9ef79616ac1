"""`keras.backend` of Keras 2: graphs as functions, gradients, sessions, Variables."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import layers, models, ops, settings
from minikeras.core import naming
from minikeras.core.bridge import Frame, Scope, bound, current
from minikeras.core.keras_tensor import KerasTensor, is_keras_tensor
from minikeras.core.symbolic import Operation
from minikeras.core.variable import Variable
from minikeras.legacy.recorded import recorded
from minikeras.models import graph as graphs

# -- K.function -----------------------------------------------------------------------


class _GraphModel(models.Model):
    """A graph between KerasTensors, which `predict_on_batch` compiles.

    Args:
        inputs, outputs: lists of KerasTensors.
        training: bool, mode of the layers.
    """

    def __init__(self, inputs, outputs, training):
        super().__init__(autocast=False)
        self.ends, self.mode = (inputs, outputs), training
        self.graph = graphs.Graph(inputs, outputs)
        # What the graph reads is state, or programs would hold old values of it.
        parts = _parts(inputs, outputs)
        self.parts = [x for x in parts if isinstance(x, layers.Layer)]
        self.own = [x for x in parts if isinstance(x, Variable)]
        self.built = True

    def call(self, inputs):
        """The outputs; of all state, only that of random numbers changes."""
        tensors, outputs = self.ends
        values = {id(t): x for t, x in zip(tensors, inputs, strict=True)}
        before = [(v, v.value) for v in self.weights]
        with Frame(training=self.mode, losses=[]):
            self.graph.run(values, self.mode)
        for v, value in before:
            v.assign(value)
        return [values[id(x)] for x in outputs]


def _parts(inputs, outputs):
    """Layers and Variables that the graph reads, those of gradients in it too."""
    found = []
    for node in graphs.Graph(inputs, outputs).nodes:
        if isinstance(node.operation, layers.Layer):
            found.append(node.operation)
        elif isinstance(node.operation, _Gradient):
            found += node.operation.parts
        leaves = jax.tree_util.tree_leaves((node.args, node.kwargs))
        found += [x for x in leaves if isinstance(x, Variable)]
    return list(dict.fromkeys(found))


class _Function:
    """What `K.function` returns: arrays in, NumPy arrays out."""

    def __init__(self, inputs, outputs, updates=None, name=None):
        self.inputs, self.outputs, self.name = inputs, outputs, name
        self._updates = [tuple(pair) for pair in updates or ()]
        flat = jax.tree_util.tree_leaves(inputs)
        self._tensors = [x for x in flat if is_keras_tensor(x)]
        if strange := [x for x in flat if not isinstance(x, (KerasTensor, int))]:
            raise ValueError(
                f"K.function: expected KerasTensors as inputs, got {strange[0]!r}. A "
                "Variable is no input: assign to it with K.set_value."
            )
        self._models: dict[bool, Any] = {}

    def __call__(self, inputs):
        names = jax.tree_util.tree_leaves(self.inputs)
        is_list = isinstance(inputs, (list, tuple))
        # One input may come without its list.
        whole = len(names) == 1 and not (is_list and len(inputs) == 1)
        given = [inputs] if whole else list(inputs)
        if len(given) != len(names):
            raise ValueError(
                f"K.function expected {len(names)} inputs, got {len(given)}. Pass a "
                "list, in the order of its `inputs`."
            )
        pairs = list(zip(names, given, strict=True))
        values = [np.asarray(x, t.dtype) for t, x in pairs if is_keras_tensor(t)]
        phases = [bool(x) for t, x in pairs if not is_keras_tensor(t)]
        training = phases[0] if phases else bool(current().training)
        wanted = [self.outputs, [new for _, new in self._updates]]
        leaves, tree = jax.tree_util.tree_flatten(wanted)
        found = iter(self._run(leaves, values, training))
        results = [
            np.array(next(found)) if is_keras_tensor(x) else _get_value(x)
            for x in leaves
        ]
        results, updates = tree.unflatten(results)
        for (variable, _), value in zip(self._updates, updates, strict=True):
            variable.assign(value)
        return results

    def _run(self, leaves, values, training):
        """The KerasTensors among the outputs, as arrays."""
        outputs = [x for x in leaves if is_keras_tensor(x)]
        if outputs and training not in self._models:
            self._models[training] = _GraphModel(self._tensors, outputs, training)
        return self._models[training].predict_on_batch(values) if outputs else []


def _function(inputs, outputs, updates=None, name=None, **kwargs):
    """Make a function of a graph: `f = K.function([x], [y])`, `y, = f([array])`.

    Args:
        inputs: list of KerasTensors; an int in it, as `K.learning_phase()` returns it,
            stands for the mode: 0 or 1 in a call.
        outputs: list of KerasTensors, Variables, arrays; or one of them.
        updates: list of (Variable, KerasTensor): what a call assigns.
        name: not needed.
        **kwargs: settings of TensorFlow's sessions; not needed.

    Returns:
        A function of a list of arrays, which returns NumPy arrays.
    """
    return _Function(inputs, outputs, updates, name)


# -- K.gradients ----------------------------------------------------------------------


class _Gradient(Operation):
    """d sum(losses) / d sources, as a node of a graph.

    Args:
        losses: list of KerasTensors.
        tensor: the source, a KerasTensor; None if the sources are Variables.
        inputs: the other KerasTensors that the losses depend on. The node's inputs are
            the source, if it is a KerasTensor, and these.
        weights: Variables that are the sources.
    """

    def __init__(self, losses, tensor, inputs, weights):
        super().__init__(naming.auto_name("gradients"))
        self.losses, self.weights = losses, weights
        self.starts = inputs if tensor is None else [tensor, *inputs]
        self.parts = _parts(self.starts, losses)

    def call(self, *arrays):
        """The gradients for arrays of the node's inputs."""
        weights = [v.value for v in self.weights]

        def total(sources):
            starts = arrays if weights else [sources[0], *arrays[1:]]
            values = {id(t): x for t, x in zip(self.starts, starts, strict=True)}
            own = {id(v): x for v, x in zip(self.weights, sources, strict=False)}
            with bound(own, losses=[]):
                graph = graphs.Graph(self.starts, self.losses)
                graph.run(values, current().training)
            return sum(jnp.sum(values[id(x)]) for x in self.losses)

        return jax.grad(total)(weights or [arrays[0]])


def _gradients(loss, variables):
    """Derivatives of a loss in a graph, as KerasTensors for `K.function`.

    Args:
        loss: KerasTensor, or a list of them; its entries are added up.
        variables: list of KerasTensors that the loss was computed from, such as
            `model.input` or a layer's `output`, and Variables; or one of them.

    Returns:
        List of KerasTensors, None for what the loss does not depend on.
    """
    losses = list(loss) if isinstance(loss, (list, tuple)) else [loss]
    wanted = variables if isinstance(variables, (list, tuple)) else [variables]
    if not all(map(is_keras_tensor, losses)):
        raise ValueError(
            f"K.gradients: expected a KerasTensor as loss, got {loss!r}: an array has "
            "no history. Use jax.grad, or a GradientTape."
        )
    found = {}
    # A node for each KerasTensor: one may have been computed from another. The compiler
    # joins what they have in common.
    for x in filter(is_keras_tensor, wanted):
        inputs, used = _sources(losses, id(x))
        if id(x) in used:
            (found[id(x)],) = _recorded_gradient(losses, x, inputs, [])
    inputs, _ = _sources(losses, None)
    known = {id(v) for v in _variables(inputs, losses)}
    weights = [v for v in wanted if isinstance(v, Variable) and id(v) in known]
    if weights:
        of_weights = _recorded_gradient(losses, None, inputs, weights)
        found |= {id(v): g for v, g in zip(weights, of_weights, strict=True)}
    return [found.get(id(x)) for x in wanted]


def _recorded_gradient(losses, tensor, inputs, weights):
    node = _Gradient(losses, tensor, inputs, weights)
    return node.symbolic_call(*node.starts)


def _variables(inputs, outputs):
    """The Variables that a graph reads."""
    parts = _parts(inputs, outputs)
    inner = [x.variables if isinstance(x, layers.Layer) else [x] for x in parts]
    return [v for found in inner for v in found]


def _sources(losses, end):
    """The inputs that a search from the losses finds besides the tensor of this id.

    Returns:
        (list of KerasTensors, ids of all that were seen).
    """
    found, seen, todo = [], set(), list(losses)
    while todo:
        tensor = todo.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if id(tensor) == end:
            continue
        if not graphs.is_recorded(tensor) or graphs.node_of(tensor).is_input:
            found.append(tensor)
        else:
            todo += graphs.node_of(tensor).input_tensors
    return found, seen


# -- values of Variables --------------------------------------------------------------


def _get_value(x):
    """A copy of a Variable or array in NumPy; other things as they are."""
    if is_keras_tensor(x):
        raise ValueError(
            f"K.get_value: {x!r} has no value yet. Use K.function([input], [tensor])."
        )
    is_array = isinstance(x, (Variable, jax.Array, np.ndarray))
    return np.array(ops.convert_to_numpy(x)) if is_array else x


def _after(variable, assigned):
    """The Variable, once something was assigned to it."""
    return variable


def _moving_average_update(x, value, momentum):
    """Assign momentum x + (1 - momentum) value to a Variable."""
    x.assign(x * momentum + value * (1 - momentum))
    return x


def _batch_set_value(tuples):
    """Assign to Variables: list of (Variable, array)."""
    for variable, value in tuples:
        variable.assign(value)


# -- the mode, sessions, settings -----------------------------------------------------


class _LearningPhaseScope(Scope):
    """`with K.learning_phase_scope(1):` layers run in training mode.

    Args:
        value: 0 or 1.
    """

    def __init__(self, value):
        self._training = bool(value)

    def _changes(self):
        return {"training": self._training}


def _set_learning_phase(value):
    """Set the mode of layers that are called without `training=`; 0 or 1."""
    if value not in (0, 1):
        raise ValueError(f"set_learning_phase: expected 0 or 1, got {value!r}.")
    if current().training is not bool(value):
        Frame(training=bool(value)).__enter__()


class Session:
    """Stand-in for a session of TensorFlow 1: `run` computes KerasTensors at once."""

    graph = None

    def run(self, fetches, feed_dict=None, **kwargs):
        """Values of KerasTensors, Variables and arrays, in the nesting of `fetches`.

        Args:
            fetches: one of them, or lists and dicts; None, as initializers are, stays.
            feed_dict: dict {KerasTensor: array}.
            **kwargs: settings of TensorFlow; not needed.
        """
        feed = feed_dict or {}
        phases = [x for t, x in feed.items() if not is_keras_tensor(t)]
        tensors = [t for t in feed if is_keras_tensor(t)]
        values = [feed[t] for t in tensors]
        return _Function([*tensors, 0], fetches)([*values, phases[0] if phases else 0])

    def close(self):
        """Nothing: there is nothing to free."""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def _placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None):
    """An input of a graph; `ndim` stands for a shape of unknown sizes."""
    shape = (None,) * ndim if shape is None and ndim else shape
    return layers.Input(batch_shape=shape, dtype=dtype, sparse=sparse, name=name)


@recorded
def _printed(x, message):
    """The array, which is printed when it is computed."""
    jax.debug.print("{}{}", message, x)
    return x


_ORDERINGS = {"th": "channels_first", "tf": "channels_last"}

FUNCTIONS = {
    "batch_get_value": lambda tensors: [_get_value(x) for x in tensors],
    "batch_set_value": _batch_set_value,
    "eval": lambda x: _get_value(x if is_keras_tensor(x) else ops.convert_to_tensor(x)),
    "function": _function,
    "get_session": lambda *args: Session(),
    "get_value": _get_value,
    "gradients": _gradients,
    "image_dim_ordering": lambda: {v: k for k, v in _ORDERINGS.items()}[
        settings.image_data_format()
    ],
    "is_placeholder": lambda x: graphs.is_recorded(x) and graphs.is_input(x),
    "is_tensor": lambda x: isinstance(x, (jax.Array, KerasTensor, Variable)),
    "learning_phase": lambda: int(bool(current().training)),
    "learning_phase_scope": _LearningPhaseScope,
    "manual_variable_initialization": lambda value: None,
    "moving_average_update": _moving_average_update,
    "placeholder": _placeholder,
    "print_tensor": lambda x, message="", summarize=3: _printed(x, message),
    "reset_uids": lambda: naming.reset_uids(),
    "set_image_dim_ordering": lambda dim_ordering: settings.set_image_data_format(
        _ORDERINGS.get(dim_ordering, dim_ordering)
    ),
    "set_learning_phase": _set_learning_phase,
    "set_session": lambda session: None,
    "set_value": lambda x, value: _batch_set_value([(x, value)]),
    "update": lambda x, new_x: _after(x, x.assign(new_x)),
    "update_add": lambda x, increment: _after(x, x.assign_add(increment)),
    "update_sub": lambda x, decrement: _after(x, x.assign_sub(decrement)),
}
