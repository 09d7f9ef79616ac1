"""What a model costs before it runs: operations by layer, and memory.

Operations and activations come from a trace of the model's `call`, memory from XLA,
which compiles the step and says what it will allocate.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import Bridge, isolated
from minikeras.core.checks import positive_int
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import unique_paths
from minikeras.layers.shapes import is_shape, map_shapes
from minikeras.training import loop
from minikeras.training.activations import kept_by_scope, outputs_by_scope
from minikeras.training.equations import layer_names
from minikeras.training.flops import Flops, flops_of
from minikeras.training.program import compiler_options
from minikeras.training.state import TrainState, weights_of

Names = tuple[str, ...]


class LayerCost(NamedTuple):
    """What one layer costs, with the layers inside of it, for a batch.

    Attributes:
        flops: floating-point operations of the forward pass.
        training_flops: of forward and backward pass.
        output_bytes: bytes of its outputs, of all its calls.
        kept_bytes: bytes that it keeps from the forward for the backward pass.
    """

    flops: float = 0.0
    training_flops: float = 0.0
    output_bytes: int = 0
    kept_bytes: int = 0


class Memory(NamedTuple):
    """Bytes on the device while a step runs.

    Attributes:
        total: the most that are in use at one time.
        weights: parameters and other state of the model.
        gradients: of the trainable weights; 0 in inference.
        optimizer: slots of the compiled optimizer; 0 in inference.
        activations: the rest: inputs, outputs, and all that is computed in between.
    """

    total: int
    weights: int
    gradients: int
    optimizer: int
    activations: int


class CostAnalysis:
    """The costs of a model; made by `keras.utils.cost_analysis`.

    Attributes:
        batch_size: int, samples of the batch that all numbers are for.
        flops: floating-point operations of a forward pass.
        training_flops: of a forward and a backward pass, without loss and optimizer.
        layers: {names of a layer, of the layers around it first: `LayerCost`}.
        has_open_loop: is there a `while` loop whose length the trace does not tell? Its
            body counts once.
        inference_memory, training_memory: `Memory`; the first look at one compiles the
            step.
    """

    def __init__(self, model: Any, batch_size: int, arguments: tuple):
        self._passes = _Passes(model, arguments)
        self.batch_size, passes = batch_size, self._passes
        inference = passes.trace(passes.inference, passes.state, arguments)
        training = passes.trace(passes.gradients, passes.state, arguments)
        counts = flops_of(inference), flops_of(training)
        self.flops, self.training_flops = map(_total, counts)
        self.has_open_loop = any(count.has_open_loop for count in counts)
        self.layers = _by_layer(model, counts, inference, training)

    @functools.cached_property
    def inference_memory(self) -> Memory:
        passes = self._passes
        stats = passes.memory(passes.inference, passes.state, donated=())
        weights = _size(passes.state)
        return Memory(stats, weights, 0, 0, max(stats - weights, 0))

    @functools.cached_property
    def training_memory(self) -> Memory:
        passes = self._passes
        total = passes.memory(passes.step, passes.training_state(), donated=0)
        weights, slots = map(_size, (passes.state, passes.training_state()[1]))
        gradients = _size(passes.state[0])
        rest = max(total - weights - slots - gradients, 0)
        return Memory(total, weights, gradients, slots, rest)

    def __repr__(self):
        return (
            f"<CostAnalysis batch_size={self.batch_size}, flops={self.flops:.4g}, "
            f"training_flops={self.training_flops:.4g}>"
        )


class _Passes:
    """The forward and the backward pass of a model as pure functions."""

    def __init__(self, model, arguments):
        self.model, self.arguments = model, arguments
        self.variables = weights_of(model)
        self.state = tuple(
            {key: _spec(v) for key, v in table.items()} for table in self.variables
        )

    def inference(self, state, arguments):
        return self._run(state, arguments, training=False)[0]

    def gradients(self, state, arguments):
        """(gradients of the weights, new state), from gradients of all outputs."""

        def run(params):
            outputs, new = self._run((params, *state[1:]), arguments, training=True)
            return _floats(outputs), new

        outputs, pull_back, new = jax.vjp(run, state[0], has_aux=True)
        # The gradients of the outputs are no constants: XLA would compute with those.
        return pull_back(outputs)[0], new

    def step(self, state, arguments, targets):
        """The loss, the new state, and the new slots if there is an optimizer."""
        weights, slots = state

        # A squared error, whatever the compiled loss: like most losses it needs outputs
        # and targets at one time, and nobody knows yet what the targets look like.
        def loss(params):
            outputs, new = self._run((params, *weights[1:]), arguments, training=True)
            pairs = zip(_floats(outputs), targets, strict=True)
            return sum(jnp.square(x - target).mean() for x, target in pairs) + 0.0, new

        (value, new), grads = jax.value_and_grad(loss, has_aux=True)(weights[0])
        if self._optimizer is None:
            return value, grads, new[1:]
        update = self._optimizer._mk_pure_step
        params, slots = update(self.variables.params, weights[0], grads, slots)
        return value, (params, *new[1:]), slots

    def trace(self, function, *arguments):
        return jax.jit(function).trace(*arguments).jaxpr

    def memory(self, function, state, donated):
        """Bytes that XLA allocates for one call at most."""
        arguments = [state, self.arguments]
        if function == self.step:
            outputs = jax.eval_shape(self.inference, self.state, self.arguments)
            arguments.append(_floats(outputs))
        options = {"donate_argnums": donated, "compiler_options": compiler_options()}
        return peak_bytes(jax.jit(function, **options).lower(*arguments).compile())

    def training_state(self):
        """(state of the model, {path: slot of the optimizer}), as shapes."""
        if self._optimizer is None:
            return self.state, {}
        return self.state, {
            path: _spec(v) for path, v in unique_paths(self._slots).items()
        }

    @functools.cached_property
    def _optimizer(self):
        """The compiled optimizer, or one of its kind with slots for a trace alone."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None or optimizer.built or not self.variables.params:
            return optimizer
        # The slots of a large model take twice its memory: nobody asked for them yet.
        own = optimizer._mk_for_other_weights()
        with isolated():
            jax.eval_shape(lambda: own.build(list(self.variables.params.values())))
        return own

    @property
    def _slots(self):
        return self._optimizer.variables

    def _run(self, state, arguments, training):
        model, (args, kwargs) = self.model, arguments
        mode = model._mk_training_kwargs(training)
        with Bridge(self.variables, TrainState(*state), owner=model) as bridge:
            outputs = model.call(*args, **kwargs, **mode)
        return outputs, tuple(bridge.new())


def peak_bytes(compiled: Any) -> int:
    """Bytes that a compiled program has allocated at one time at most."""
    stats = compiled.memory_analysis()
    whole = stats.argument_size_in_bytes + stats.output_size_in_bytes
    return whole + stats.temp_size_in_bytes - stats.alias_size_in_bytes


def cost_analysis(model: Any, batch_size: int = 32, inputs: Any = None) -> CostAnalysis:
    """Count the operations and the memory of a model before it runs.

    Operations are counted in a trace, as XLA counts them: a multiplication with an
    addition is 2; exp, tanh and the like are none. The model is not changed.

    Args:
        model: a built model, or one that `inputs` can build.
        batch_size: int >= 1, samples of a batch.
        inputs: arrays, or shapes with the batch axis as `build()` takes them, in the
            nesting of the model's inputs; only needed where the model does not know
            its shapes.

    Returns:
        A `CostAnalysis`: `flops`, `training_flops`, `layers`, `inference_memory` and
        `training_memory`.

    Raises:
        ValueError: a size of the inputs is not known, or the model takes text.

    >>> x = keras.Input((8,))
    >>> cost = cost_analysis(keras.Model(x, keras.layers.Dense(2)(x)), batch_size=1)
    >>> cost.flops, cost.training_flops, cost.training_memory.weights
    (34, 66, 72)
    """
    if model._mk_subtree_state().on_host:
        raise ValueError(
            f"cost_analysis: {model.name!r} has layers that work on the host, such as "
            "TextVectorization. Analyse the model behind them."
        )
    batch_size = positive_int(batch_size, "batch_size")
    arguments = _arguments(model, batch_size, inputs)
    if not model.built:
        loop.build(model, arguments[0][0])
    sizes = {x.shape[0] for x in jax.tree_util.tree_leaves(arguments) if x.shape}
    return CostAnalysis(model, max(sizes, default=1), arguments)


def _arguments(model, batch_size, inputs):
    """(args, kwargs) of `call` as shapes and dtypes."""
    if inputs is None:
        args, kwargs = _known_inputs(model)
    elif _holds_shapes(inputs):
        args, kwargs = (map_shapes(_tensor_like(model), inputs),), {}
    else:
        args, kwargs = (inputs,), {}

    def spec(x):
        x = x if hasattr(x, "dtype") else np.asarray(x)
        rest = tuple(x.shape[1:])
        if x.dtype == "string" or np.dtype(x.dtype).kind in "OSUT":
            raise ValueError(f"cost_analysis: {model.name!r} takes text, no numbers.")
        if None in rest:
            raise ValueError(
                f"cost_analysis: {model.name!r} takes inputs of shape {x.shape}, and "
                "its costs depend on the sizes that are None. Pass `inputs=` with the "
                "sizes, such as cost_analysis(model, inputs=(None, 100, 8)); in "
                "summary(), pass them as flops=(None, 100, 8)."
            )
        fixed = x.shape[0] if isinstance(x, KerasTensor) else None
        dtype = jax.dtypes.canonicalize_dtype(x.dtype)
        return jax.ShapeDtypeStruct((fixed or batch_size, *rest), dtype)

    return jax.tree_util.tree_map(spec, (args, kwargs))


def _holds_shapes(inputs):
    """Are they shapes, such as (None, 8), in lists and dicts, and no arrays?"""
    if isinstance(inputs, dict):
        return all(map(_holds_shapes, inputs.values()))
    if isinstance(inputs, (list, tuple)):
        return is_shape(inputs) or all(map(_holds_shapes, inputs))
    return False


def _tensor_like(model):
    """Function that makes KerasTensors of shapes, of the dtypes of the inputs."""
    known = iter(getattr(model, "inputs", ()))
    return lambda shape: KerasTensor(
        (None, *shape[1:]), getattr(next(known, None), "dtype", model.input_dtype)
    )


def _known_inputs(model) -> tuple[tuple, dict]:
    """(args, kwargs) of `call` as KerasTensors, from the graph or from `build`."""
    if (graph_input := getattr(model, "input", None)) is not None:
        return (graph_input,), {}
    config = model.get_build_config() if model.built else None
    shapes = (config or {}).get("input_shape")
    named = (config or {}).get("shapes_dict")
    if shapes is None and not named:
        raise ValueError(
            f"cost_analysis: {model.name!r} does not know the shapes of its inputs. "
            "Pass them, such as cost_analysis(model, inputs=(None, 8)), or a batch."
        )
    make = _tensor_like(model)
    if not named:
        return (map_shapes(make, shapes),), {}
    return (), {k.removesuffix("_shape"): map_shapes(make, v) for k, v in named.items()}


def _by_layer(model, counts: tuple[Flops, Flops], inference, training):
    """{names of a layer: `LayerCost`}, from costs by scope."""
    owner = functools.lru_cache(None)(functools.partial(layer_names, model))
    found: dict[Names, list] = {}

    def add(column, table, with_outer):
        for scope, amount in table.items():
            names = owner(scope)
            for depth in range(1 if with_outer else len(names), len(names) + 1):
                if names[:depth]:
                    row = found.setdefault(names[:depth], [0.0, 0.0, 0, 0])
                    row[column] += amount

    infer, train = counts
    add(0, infer.forward, True)
    for table in (train.forward, train.backward):
        add(1, table, True)
    # The outputs of an outer scope are counted by themselves.
    outputs = outputs_by_scope(inference)
    add(2, {s: n for s, n in outputs.items() if len(owner(s)) == len(s)}, False)
    add(3, kept_by_scope(training), True)
    return {names: LayerCost(*row) for names, row in found.items()}


def _floats(tree):
    """The leaves that have gradients."""
    leaves = jax.tree_util.tree_leaves(tree)
    return [x for x in leaves if jnp.issubdtype(x.dtype, jnp.inexact)]


def _spec(variable):
    value = variable.value
    return jax.ShapeDtypeStruct(value.shape, value.dtype)


def _size(tree):
    return sum(
        int(np.prod(x.shape, dtype=np.int64)) * x.dtype.itemsize
        for x in jax.tree_util.tree_leaves(tree)
    )


def _total(count: Flops) -> float:
    return sum(count.forward.values()) + sum(count.backward.values())
