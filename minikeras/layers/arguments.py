"""How the arguments of a call and the shapes of a build are told apart."""

import functools
import inspect

import jax
import numpy as np

from minikeras.core.symbolic import KerasTensor


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


def is_tensor(x) -> bool:
    """Array or KerasTensor?"""
    return isinstance(x, (jax.Array, KerasTensor, np.ndarray))


def is_tensor_tree(x) -> bool:
    """Does the tree hold an array or KerasTensor (and nothing else but None)?"""
    leaves = jax.tree_util.tree_leaves(x)
    return bool(leaves) and all(is_tensor(leaf) for leaf in leaves)


def shapes_of(x):
    """Tree of arrays -> tree of shape tuples."""
    return jax.tree_util.tree_map(lambda leaf: tuple(leaf.shape), x)


def is_shape(x) -> bool:
    """Is it one shape: a tuple or list of ints and None?"""
    return isinstance(x, (tuple, list)) and all(
        s is None or isinstance(s, (int, np.integer)) for s in x
    )


def map_shapes(function, shapes):
    """Apply `function` to every shape in nested dicts, lists and tuples."""
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: map_shapes(function, v) for k, v in shapes.items()}
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map_shapes(function, v) for v in shapes)
    return shapes
