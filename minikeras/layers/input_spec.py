"""`InputSpec`: rank, dtype and sizes that the inputs of a layer must have."""

from typing import Any

import jax

from minikeras.core import dtypes
from minikeras.core.variable import is_sparse


class InputSpec:
    """Rank, dtype and sizes that an input of a layer must have.

    Args:
        dtype: expected dtype; None: any.
        shape: expected shape, tuple with None for any size; None: any shape.
        ndim: int, expected rank; None: any, or that of `shape`.
        max_ndim: int, largest rank, or None.
        min_ndim: int, smallest rank, or None.
        axes: {axis: size}, or None.
        allow_last_axis_squeeze: may a last axis of size 1 be missing or extra?
        name: expected key when the inputs are a dict.
        optional: may the input be None?

    Raises:
        TypeError: an axis is no int.
        ValueError: an axis is outside the rank.

    >>> keras.InputSpec(min_ndim=2, axes={-1: 3})
    InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else dtypes.standardize_shape(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.name, self.optional = name, optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            # `int`, because JSON makes strings of the keys.
            self.axes = {int(k): axes[k] for k in axes} if axes else {}
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

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as a JSON-ready dict."""
        keys = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {k: getattr(self, k) for k in keys}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        """Make a spec from a config.

        Args:
            config: dict, as `get_config()` returns it.
        """
        return cls(**config)

    def problem(self, x: Any) -> str | None:
        """Describe how an input differs from the spec.

        Args:
            x: array or KerasTensor.

        Returns:
            A phrase for an error; None if the input fits.
        """
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
        if self.shape is not None and not self._same(shape, self.shape):
            return f"expected shape={self.shape}, found shape={shape}"
        return None

    def _same(self, shape, expected):
        """Do two shapes agree, None for any size?"""
        if self.allow_last_axis_squeeze and len(shape) != len(expected):
            shape = shape[:-1] if shape and shape[-1] == 1 else shape
            expected = expected[:-1] if expected[-1] == 1 else expected
        return len(shape) == len(expected) and all(
            a == b or a is None or b is None
            for a, b in zip(shape, expected, strict=True)
        )


def check_input(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise ValueError if the inputs of a layer do not fit its spec(s).

    Args:
        spec: an `InputSpec`, or a tree of them.
        inputs: first argument of the call.
        layer_name: for the error.
    """
    specs = jax.tree_util.tree_leaves(spec)
    # A dict of inputs is matched by name if all specs have names, else by position.
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
            f"Layer {layer_name!r} expects {len(specs)} input(s){_names(specs)}, but "
            f"it received {len(values)} input tensors."
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
                f"Input {i}{_names([one])} of layer {layer_name!r} is incompatible "
                f"with the layer: {problem}. Full shape received: {tuple(x.shape)}."
            )


def _names(specs):
    """The names of the inputs, if they have any."""
    names = [spec.name for spec in specs if spec.name is not None]
    return f" ({', '.join(map(repr, names))})" if names else ""
