"""The parameters of a layer's `call`."""

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

# Kinds of parameters that a value can be passed to by position.
POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class CallSignature:
    """The parameters of a layer's `call`, inspected once for each class.

    Args:
        function: `call`, without its `self`.

    Attributes:
        names: all parameters.
        positional: those that may be passed by position.
        first: the first of these, which takes the inputs; None if there is none.
        simple: bool, whether all parameters are positional.
        required: parameters after the first that have no default.
        rest: the parameter `*args`, which takes further inputs; None if there is none.
        variadic: bool, whether it takes `**kwargs`.
        has_training, has_mask: is there a parameter of this name?
        default_training: default of `training`, or None.
    """

    def __init__(self, function: Callable[..., Any]):
        self.signature = inspect.signature(function)
        parameters = list(self.signature.parameters.values())
        self.names = [p.name for p in parameters]
        self.positional = [p.name for p in parameters if p.kind in POSITIONAL]
        self.first = self.positional[0] if self.positional else None
        self.simple = bool(self.positional) and all(
            p.kind in POSITIONAL for p in parameters
        )
        self.required = [
            p.name
            for p in parameters[1:]
            if p.default is p.empty and p.kind in POSITIONAL
        ]
        kinds = {p.kind: p.name for p in parameters}
        self.rest = kinds.get(inspect.Parameter.VAR_POSITIONAL)
        self.variadic = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.has_training = "training" in self.names
        self.has_mask = "mask" in self.names
        default = self.signature.parameters.get("training")
        self.default_training = (
            None
            if default is None or default.default is default.empty
            else default.default
        )

    def bind(self, args: tuple, kwargs: Mapping[str, Any]) -> dict[Any, Any]:
        """{parameter: value} as given; TypeError if they do not fit."""
        # Nearly all calls pass one array. `Signature.bind` takes 3 us.
        if len(args) == 1 and not kwargs and self.simple and not self.required:
            return {self.first: args[0]}
        arguments = self.signature.bind(*args, **kwargs).arguments
        for p in self.signature.parameters.values():
            if p.kind is p.VAR_KEYWORD:
                arguments.update(arguments.pop(p.name, {}))
        return arguments

    def arrange(self, arguments: Mapping[str, Any]) -> tuple[tuple, dict]:
        """(args, kwargs) of a call: by position the first and those without a name."""
        if len(arguments) == 1 and self.first in arguments:
            return (arguments[self.first],), {}
        rest, args = dict(arguments), []
        # What comes before the values of `*args` cannot go by name.
        has_more = bool(arguments.get(self.rest))
        for name, parameter in self.signature.parameters.items():
            if name == self.rest:
                args.extend(rest.pop(name, ()))
            elif (
                name == self.first
                or parameter.kind is parameter.POSITIONAL_ONLY
                or (has_more and parameter.kind in POSITIONAL)
            ) and name in rest:
                args.append(rest.pop(name))
        return tuple(args), rest


@functools.lru_cache(maxsize=4096)
def call_signature(function: Callable[..., Any]) -> CallSignature:
    """The `CallSignature` of an unbound `call` (its `self` left out)."""
    # Inspecting takes 70 us, looking up 1 us. The size is bounded, because classes made
    # in functions would otherwise live for ever.
    return CallSignature(functools.partial(function, None))


def signature_of(layer: Any) -> CallSignature:
    """The `CallSignature` of a layer."""
    call = layer.call
    if isinstance(call, types.MethodType) and call.__self__ is layer:
        return call_signature(call.__func__)
    # A function that was assigned to the object, a static, class or partial method.
    return CallSignature(call)
