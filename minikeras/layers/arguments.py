"""What a call is given: its parameters, what reaches it by itself, checked inputs."""

import functools
import inspect
import warnings

import jax
import numpy as np

from minikeras.core import dtypes
from minikeras.core.bridge import get_mask, set_mask
from minikeras.core.call_errors import brief
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.core.variable import is_sparse


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


def is_tensor(x) -> bool:
    """Array, sparse array or KerasTensor?"""
    return isinstance(x, (jax.Array, KerasTensor, np.ndarray)) or is_sparse(x)


def map_leaves(function, x):
    """`tree_map` that takes a sparse array as one leaf."""
    return jax.tree_util.tree_map(function, x, is_leaf=is_sparse)


def is_tensor_tree(x) -> bool:
    """Does the tree hold an array or KerasTensor (and nothing else but None)?"""
    leaves = jax.tree_util.tree_leaves(x, is_leaf=is_sparse)
    return bool(leaves) and all(is_tensor(leaf) for leaf in leaves)


def shapes_of(x):
    """Tree of arrays -> tree of shape tuples."""
    return map_leaves(lambda leaf: tuple(leaf.shape), x)


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


class CallContext:
    """Mix-in of Layer: masks travel with arrays, registered arguments with calls."""

    _mk_context_arguments: tuple[str, ...] = ()
    _mk_called = False
    name: str
    supports_masking = False
    _mk_masks_itself = False  # does the class have a `compute_mask` of its own?

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._mk_masks_itself = cls.compute_mask is not CallContext.compute_mask

    def compute_mask(self, inputs, previous_mask):
        """The outputs' mask: the inputs' by default."""
        return previous_mask

    def _mk_take_masks(self, spec, given):
        """Fill `mask` or the `<name>_mask`s; return the first input's masks.

        As in Keras `mask` belongs to calls with one tensor argument; with more of
        them, each has a mask of its own.
        """
        first = given.get(spec.first)
        masks = map_leaves(get_mask, first)
        tensors = [k for k, x in given.items() if k != "mask" and is_tensor_tree(x)]
        if len(tensors) > 1:
            for name in tensors:
                if f"{name}_mask" in spec.names and given.get(f"{name}_mask") is None:
                    own = map_leaves(get_mask, given[name])
                    if jax.tree_util.tree_leaves(own):
                        given[f"{name}_mask"] = own
        elif spec.has_mask and given.get("mask") is None:
            if jax.tree_util.tree_leaves(masks):
                given["mask"] = masks
            elif "mask" not in given and any_symbolic(given.values()):
                given["mask"] = None
        return masks if given.get("mask") is None else given["mask"]

    def _mk_give_masks(self, inputs, outputs, masks):
        given = bool(jax.tree_util.tree_leaves(masks))
        if not self._mk_masks_itself and not given:
            return
        if not self.supports_masking and not self._mk_masks_itself:
            warnings.warn(
                f"Layer {self.name!r} ({type(self).__name__}) was passed an input with "
                "a mask, does not use it and drops it. Set `supports_masking = True` "
                "to pass it on.",
                stacklevel=3,
            )
            return
        leaves = jax.tree_util.tree_leaves(outputs, is_leaf=is_sparse)
        if all(get_mask(x) is not None for x in leaves if is_tensor(x)):
            return
        masks = self.compute_mask(inputs, masks if given else None)
        if masks is None:
            return
        found = jax.tree_util.tree_leaves(masks, is_leaf=lambda x: x is None)
        for x, mask in zip(leaves, found, strict=False):
            if mask is not None and is_tensor(x) and get_mask(x) is None:
                set_mask(x, mask)

    def _mk_register_call_context_args(self, *names):
        """Let call arguments of these names reach the layers within by themselves.

        As `training` does: given to this layer, they reach every layer below that has
        registered them too and takes them in `call`.

        Raises:
            RuntimeError: the layer has been called already.
        """
        if self._mk_called:
            raise RuntimeError(
                f"Cannot add call-context args after the layer has been called. "
                f"Register {names} in the constructor of {self.name!r}."
            )
        self._mk_context_arguments = tuple({*self._mk_context_arguments, *names})

    @property
    def _mk_call_context_args(self):
        return {"training", *self._mk_context_arguments}

    def _mk_take_context(self, spec, context, kwargs):
        """(what the layers within get, the call's keywords) of registered arguments."""
        names = self._mk_context_arguments
        given = {k: v for k, v in kwargs.items() if k in names and v is not None}
        known = {k: v for k, v in (context | given).items() if k in names}
        kwargs = {k: v for k, v in kwargs.items() if k not in names}
        return context | given, kwargs | {
            k: v for k, v in known.items() if k in spec.names
        }


class InputSpec:
    """Rank, dtype and sizes that an input of a layer must have.

    Args:
        dtype: dtype name.
        shape: expected shape, None for any size.
        ndim, max_ndim, min_ndim: rank, or its bounds.
        axes: {axis: size}.
        allow_last_axis_squeeze: may a last axis of size 1 be missing or extra?
        name: expected key when the inputs are a dict.
        optional: may the input be None?

    >>> InputSpec(min_ndim=2, axes={-1: 3})
    InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else dtypes.standardize_shape(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.name, self.optional = name, optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): axes[k] for k in axes or {}}
        except (ValueError, TypeError):
            raise TypeError(
                f"InputSpec: the keys of axes must be ints, got {axes!r}."
            ) from None
        limit = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and limit is not None and max(self.axes) >= limit:
            raise ValueError(
                f"InputSpec: axis {max(self.axes)} is outside the rank {limit}."
            )

    def __repr__(self):
        return f"InputSpec({self._describe()})"

    def _describe(self):
        keys = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return ", ".join(f"{k}={v}" for k in keys if (v := getattr(self, k)))

    def get_config(self):
        """The constructor's arguments."""
        keys = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {k: getattr(self, k) for k in keys}

    @classmethod
    def from_config(cls, config):
        """A new spec from `get_config()`."""
        return cls(**config)

    def problem(self, x) -> str | None:
        """What is wrong with `x`, in words; None if it fits."""
        shape = tuple(x.shape)
        ndim = len(shape)
        if self.ndim is not None and not self.allow_last_axis_squeeze:
            if ndim != self.ndim:
                return f"expected ndim={self.ndim}, found ndim={ndim}"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={ndim}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={ndim}"
        if self.dtype is not None and str(x.dtype) != self.dtype:
            return f"expected dtype={self.dtype}, found dtype={x.dtype}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return (
                    f"expected axis {axis} of input shape to have value {size}, "
                    f"found {shape[axis]}"
                )
        if self.shape is not None and not self._same(shape):
            return f"expected shape={self.shape}, found shape={shape}"
        return None

    def _same(self, shape):
        expected = self.shape
        if self.allow_last_axis_squeeze and len(shape) != len(expected):
            shape = shape[:-1] if shape and shape[-1] == 1 else shape
            expected = expected[:-1] if expected[-1] == 1 else expected
        return len(shape) == len(expected) and all(
            a == b or a is None or b is None
            for a, b in zip(shape, expected, strict=True)
        )


def explain(error, layer, args, kwargs) -> None:
    """Let an error that names no layer say where it was raised, and on what."""
    said = [str(error), *getattr(error, "__notes__", ())]
    if any(repr(layer.path) in text or "Layer: " in text for text in said):
        return
    given = [brief(x) for x in args]
    given += [f"{key}={brief(x)}" for key, x in kwargs.items()]
    where = f"{layer.path} ({type(layer).__name__})"
    text = f"Layer: {where}, called on {', '.join(given)}."
    if type(error) in (TypeError, ValueError, IndexError):
        error.args = (f"{error}\n{text}",)
    else:  # whose arguments may mean something
        error.add_note(text)


def check_input(spec, inputs, layer_name: str) -> None:
    """Raise ValueError if the inputs of a layer do not fit its spec(s)."""
    specs = jax.tree_util.tree_leaves(spec)
    flat = isinstance(inputs, dict) and not any(
        isinstance(x, (dict, list, tuple)) for x in inputs.values()
    )
    if flat and all(s.name is not None for s in specs):
        missing = [s.name for s in specs if s.name not in inputs and not s.optional]
        if missing:
            raise ValueError(
                f"Layer {layer_name!r} expects the inputs {[s.name for s in specs]}; "
                f"{missing} are missing from {list(inputs)}."
            )
        values = [inputs.get(s.name) for s in specs]
    else:
        values = jax.tree_util.tree_leaves(
            inputs, is_leaf=lambda x: x is None or is_sparse(x)
        )
    if len(values) != len(specs):
        raise ValueError(
            f"Layer {layer_name!r} expects {len(specs)} input(s), but it received "
            f"{len(values)} input tensors."
        )
    for i, (one, x) in enumerate(zip(specs, values, strict=True)):
        if x is None and one.optional:
            continue
        if not hasattr(x, "shape"):
            raise ValueError(
                f"Input {i} of layer {layer_name!r} must be an array, got {x!r}."
            )
        if problem := one.problem(x):
            raise ValueError(
                f"Input {i} of layer {layer_name!r} is incompatible with the layer: "
                f"{problem}. Full shape received: {tuple(x.shape)}."
            )
