"""Layers that prepare data: in a model, or in a data pipeline on the host."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import Frame, current
from minikeras.core.dtypes import is_text
from minikeras.core.host_calls import HostArray, ShapesOnly, label_of
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.data.dataset.iterator import as_data_array
from minikeras.layers.layer import Layer


def to_numpy(x: Any) -> Any:
    """An array of JAX as an array of NumPy; tracers and other values as they are."""
    is_concrete = isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer)
    return np.asarray(x) if is_concrete else x


def _from_numbers(x):
    """A number, or lists of numbers, as an array; other values as they are."""
    if (
        isinstance(x, (bool, int, float))
        or isinstance(x, (list, tuple))
        and all(isinstance(n, (bool, int, float, list, tuple)) for n in x)
    ):
        return np.asarray(x) if not any_symbolic((x,)) else x
    return x


class DataLayer(Layer):
    """A layer that also runs in a data pipeline.

    There, in the function of a `Dataset.map`, it takes and gives NumPy arrays and
    computes on the CPU. Elsewhere it is an ordinary layer.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; NumPy arrays within a data pipeline.

        Args:
            *args, **kwargs: as `call` takes them.
        """
        if not self._mk_on_host:
            args = tuple(map(_from_numbers, args))
        if not current().in_pipeline:
            return super().__call__(*args, **kwargs)
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            outputs = super().__call__(*args, **kwargs)
        return jax.tree_util.tree_map(to_numpy, outputs)


class HostLayer(DataLayer):
    """A layer that works on the host, in NumPy: text, hashes and look-ups.

    Its `call` gets NumPy arrays and gives one NumPy array. Numbers go on to JAX, unless
    a data pipeline called the layer; strings stay NumPy arrays. In a model that JAX
    compiles, the calls on the model's inputs are made ahead of the step (see
    `core/host_calls.py`). A call on an array that the step itself computes gets
    tracers, and `call` must know what to do.
    """

    input_dtype = "string"  # of the input that `Sequential` makes: it takes all kinds
    _convert_input_args = False
    _mk_on_host = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs on the host.

        Args:
            *args, **kwargs: as `call` takes them.
        """
        if any_symbolic((args, kwargs)):
            return super().__call__(*args, **kwargs)
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        numpy_leaves = [to_numpy(x) for x in leaves]
        traced = any(isinstance(x, (jax.core.Tracer, HostArray)) for x in numpy_leaves)
        if traced or current().host is not None:
            return self._mk_call_in_step(leaves, tree)
        args, kwargs = tree.unflatten(numpy_leaves)
        outputs = super().__call__(*args, **kwargs)
        if current().in_pipeline:
            return outputs
        give = lambda x: as_data_array(x) if is_text(x) else jnp.asarray(x)  # noqa: E731
        return jax.tree_util.tree_map(give, outputs)

    def _mk_call_in_step(self, leaves, tree):
        """The result of a call in a step or model: looked up, or else computed."""
        calls = current().host
        if isinstance(calls, ShapesOnly):
            return self._mk_shapes_of_call(leaves, tree, calls.fill)
        is_array = [
            isinstance(x, (jax.Array, HostArray))
            or calls is not None
            and calls.key_of(x) is not None
            for x in leaves
        ]
        arrays = tuple(x for x, array in zip(leaves, is_array, strict=True) if array)
        if calls is None or any(calls.key_of(x) is None for x in arrays):
            return self._mk_compute(leaves, tree)
        others = [None if a else x for x, a in zip(leaves, is_array, strict=True)]

        def on_host(*arrays):
            rest = iter(arrays)
            filled = [
                next(rest) if a else x for x, a in zip(others, is_array, strict=True)
            ]
            args, kwargs = tree.unflatten(filled)
            # Out of the trace: also what a subclass computes with JAX has values.
            with Frame(host=None, in_pipeline=True), jax.ensure_compile_time_eval():
                return np.asarray(self(*args, **kwargs))

        # By identity: the recorded call keeps the layer, so that its id stays its own.
        return calls.call((id(self), label_of(others)), on_host, arrays)

    def _mk_compute(self, leaves, tree):
        """The result of a call on arrays that the host does not have."""
        args, kwargs = tree.unflatten(leaves)
        with Frame(host=None):
            if not any(isinstance(x, jax.core.Tracer) for x in leaves):
                return self(*args, **kwargs)
            try:
                return super().__call__(*args, **kwargs)
            except jax.errors.TracerArrayConversionError as error:
                raise TypeError(
                    f"{type(self).__name__} {self.name!r} works on the host: it cannot "
                    "read what a compiled step computes. Call it on an input of the "
                    "model, or on what predict() gives."
                ) from error

    def _mk_shapes_of_call(self, leaves, tree, fill):
        """Zeros, or text, in the shape of the result; unknown sizes are `fill`."""
        symbolic = [
            KerasTensor(x.shape, x.dtype) if hasattr(x, "shape") else x for x in leaves
        ]
        args, kwargs = tree.unflatten(symbolic)
        out = self.compute_output_spec(*args, **kwargs)
        shape = tuple(fill if size is None else size for size in out.shape)
        if out.dtype == "string":
            return HostArray(None, shape)
        return jnp.zeros(shape, jax.dtypes.canonicalize_dtype(out.dtype))
