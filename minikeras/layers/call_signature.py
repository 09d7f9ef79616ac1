"""The parameters of a layer's `call`."""

import functools
import inspect


class CallSignature:
    """The parameters of a layer's `call`, looked at once for each class."""

    def __init__(self, function):
        self.signature = inspect.signature(function)
        parameters = list(self.signature.parameters.values())
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        self.names = [p.name for p in parameters]
        self.positional = [p.name for p in parameters if p.kind in positional]
        self.first = self.positional[0] if self.positional else None
        self.simple = bool(self.positional) and all(
            p.kind in positional for p in parameters
        )
        self.required = [
            p.name for p in parameters[1:] if p.default is p.empty and p.kind <= 1
        ]
        self.variadic = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.has_training = "training" in self.names
        self.has_mask = "mask" in self.names
        default = self.signature.parameters.get("training")
        self.default_training = (
            None
            if default is None or default.default is default.empty
            else default.default
        )

    def bind(self, args, kwargs) -> dict:
        """{parameter: value} as given; TypeError if they do not fit."""
        if len(args) == 1 and not kwargs and self.simple and not self.required:
            return {self.first: args[0]}
        given = self.signature.bind(*args, **kwargs).arguments
        for p in self.signature.parameters.values():
            if p.kind is p.VAR_KEYWORD:
                given.update(given.pop(p.name, {}))
        return given

    def arrange(self, given) -> tuple[tuple, dict]:
        """(args, kwargs) to call with: the first, and what has no name, by position."""
        if len(given) == 1 and self.first in given:
            return (given[self.first],), {}
        rest, args = dict(given), []
        for name, parameter in self.signature.parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(rest.pop(name, ()))
            elif parameter.kind is parameter.POSITIONAL_ONLY or name == self.first:
                if name in rest:
                    args.append(rest.pop(name))
        return tuple(args), rest


@functools.lru_cache(maxsize=4096)
def call_signature(function) -> CallSignature:
    """The `CallSignature` of an unbound `call` (its `self` left out)."""
    return CallSignature(functools.partial(function, None))


def signature_of(layer) -> CallSignature:
    """The `CallSignature` of a layer, whose `call` may be the object's own."""
    own = vars(layer).get("call")
    return call_signature(type(layer).call) if own is None else CallSignature(own)
