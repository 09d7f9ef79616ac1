"""Shapes and dtypes of outputs that an equal call of an equal layer has had before.

A trace of a layer takes 1 to 4 ms on a CPU core, a look-up 0.05 ms. A deep network has
hundreds of layers, and few kinds of them: of the 516 of ResNet152, 45 are traced.
"""

import threading
import types
from collections.abc import Callable
from typing import Any

import jax

from minikeras import activations, settings
from minikeras.core.bridge import current
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable
from minikeras.layers.kernels.kernel import Kernel
from minikeras.random.seed_generator import SeedGenerator

_MAX_CALLS = 4096
# What is not of the computation: names, bookkeeping, what `build` and losses use.
_IGNORED = frozenset(
    """
    name built input_spec activity_regularizer _mk_init_arguments _mk_inbound_nodes
    _mk_outbound_nodes _mk_initial_weights _mk_dtype_policy _mk_trainable _mk_losses
    _mk_path _mk_build_shapes _mk_building _mk_added_variables _mk_locked _mk_called
    """.split()
)
_IGNORED_ENDS = ("_initializer", "_regularizer", "_constraint")
_PLAIN = (bool, int, float, str, type(None))


class _Unknown(Exception):
    """A value of which nobody can say whether it equals another."""


class KnownOutputs:
    """The last `_MAX_CALLS` different calls, and what they returned."""

    def __init__(self):
        self._specs: dict[tuple, tuple] = {}
        self._lock = threading.Lock()

    def of(self, layer: Any, args: Any, kwargs: Any, trace: Callable[..., Any]) -> Any:
        """The KerasTensors of a symbolic call of a layer.

        Args:
            layer: a layer; only those of this package are known.
            args, kwargs: of its `call`.
            trace: function that traces the call, `output_spec` of it.
        """
        try:
            call = _described(layer, args, kwargs)
        except _Unknown:
            return trace()
        found = self._specs.get(call)
        if found is None:
            # All layers of this package keep samples apart.
            outputs = trace(keeps_batch=True)
            leaves, tree = jax.tree_util.tree_flatten(outputs)
            if all(isinstance(x, KerasTensor) for x in leaves):
                with self._lock:
                    while len(self._specs) >= _MAX_CALLS:
                        del self._specs[next(iter(self._specs))]
                    specs = [(x.shape, x.dtype, x.sparse) for x in leaves]
                    self._specs[call] = tree, specs
            return outputs
        tree, specs = found
        return tree.unflatten([KerasTensor(*spec) for spec in specs])


def _described(layer, args, kwargs):
    """All that the outputs' shapes follow from, as a tuple that can be compared."""
    kind, frame = type(layer), current()
    if not kind.__module__.startswith("minikeras."):
        raise _Unknown
    if frame.bindings or frame.in_pipeline or frame.host or frame.in_loop:
        raise _Unknown
    if frame.context or layer.quantization_mode:
        raise _Unknown
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
    inputs = tuple(_comparable(x) for x in leaves)
    attributes = tuple(
        (name, _comparable(value))
        for name, value in vars(layer).items()
        if name not in _IGNORED and not name.endswith(_IGNORED_ENDS)
    )
    modes = (
        frame.training,
        frame.autocast,
        layer.compute_dtype,
        layer.variable_dtype,
        settings.floatx(),
        settings.image_data_format(),
        jax.config.jax_enable_x64,  # pyright: ignore
    )
    return kind, kind.call, tree, inputs, attributes, modes


def _comparable(x):
    """A value, or what its place in the computation follows from."""
    kind = type(x)
    if kind in _PLAIN:
        # 1, 1.0 and True are equal, and give other dtypes.
        return kind, x
    if kind is KerasTensor and x.dtype != "string":
        return kind, x.shape, x.dtype, x.sparse
    if kind in (tuple, list):
        return kind, tuple(map(_comparable, x))
    if kind is Variable:
        return kind, x.shape, x.dtype
    if isinstance(x, Kernel):
        return kind, tuple((k, _comparable(v)) for k, v in vars(x).items())
    if kind is SeedGenerator:
        return kind
    # Activations keep the shape. Another function may do anything.
    if kind is types.FunctionType and getattr(activations, x.__name__, None) is x:
        return x
    raise _Unknown


known_outputs = KnownOutputs()
