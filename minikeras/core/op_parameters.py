"""The parameters of an op: which take arrays, and which configure it."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import settings
from minikeras.core.shape_inference import keras_tensors

# Parameters with these names take arrays; all others configure the op.
_TENSOR_NAMES = frozenset(
    "x x1 x2 xs y a b inputs input1 input2 arrays tensors mask condition key v "
    "query value bias kernel target output start_indices indices updates "
    "operands images scores weights mean variance data target_labels logits".split()
)


class OpParameters:
    """The parameters of an op: those that take arrays, and those that configure it.

    Args:
        function, tensors, records_none, symbolic_sizes: as `op` takes them.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        tensors: Sequence[str] | None,
        records_none: bool,
        symbolic_sizes: Sequence[str] = (),
    ):
        self.symbolic_sizes = symbolic_sizes
        self.signature = inspect.signature(function)
        self.names = list(self.signature.parameters)
        if tensors is None:
            tensors = tuple(p for p in self.names if p in _TENSOR_NAMES)
        kinds = {p.kind: p.name for p in self.signature.parameters.values()}
        self.tensors = tensors
        self.variadic = kinds.get(inspect.Parameter.VAR_POSITIONAL)
        self.keywords = kinds.get(inspect.Parameter.VAR_KEYWORD)
        self.plain = [p for p in tensors if p not in (self.variadic, self.keywords)]
        defaults = {p.name: p.default for p in self.signature.parameters.values()}
        plain = [p for p in self.plain if p not in symbolic_sizes]
        needed = [p for p in plain if records_none or defaults[p] is inspect._empty]
        self.least = len(needed)  # how many are recorded even if they are None

    def split(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list, dict, dict]:
        """A call's (array arguments, those given by free keywords, configuration)."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        config = dict(bound.arguments)
        named = config.pop(self.keywords or "", {})
        if self.keywords not in self.tensors:
            config.update(named)
            named = {}
        # A file must not depend on the setting of the program that reads it.
        if config.get("data_format", "") is None:
            config["data_format"] = settings.image_data_format()
        static = {k for k in self.symbolic_sizes if not keras_tensors(config[k])}
        values = [config.pop(key) for key in self.plain if key not in static]
        values += config.pop(self.variadic) if self.variadic else ()
        while len(values) > self.least and values[-1] is None:
            values.pop()
        return values, named, config

    def join(self, values: Sequence[Any], config: dict[str, Any]) -> tuple[Any, dict]:
        """(args, kwargs) to call the function with, from the parts of `split`."""
        if self.plain == self.names[: len(self.plain)] and self.variadic is None:
            return values, config
        # Arrays that are not the first parameters, as in `while_loop(cond, body,
        # loop_vars)`, go in by name.
        given = {**config, **dict(zip(self.plain, values, strict=False))}
        if self.variadic is None:
            return (), given
        before = [given.pop(p) for p in self.names[: self.names.index(self.variadic)]]
        return (*before, *values[len(self.plain) :]), given
