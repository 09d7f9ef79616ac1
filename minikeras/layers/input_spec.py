"""What the inputs of a layer must look like."""

import jax

from minikeras.core import dtypes
from minikeras.core.variable import is_sparse


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
