"""Layers that prepare data: in a model, or in a data pipeline on the host."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import current
from minikeras.core.symbolic import any_symbolic
from minikeras.layers.layer import Layer


def to_numpy(x: Any) -> Any:
    """An array of JAX as an array of NumPy; other values as they are."""
    return np.asarray(x) if isinstance(x, jax.Array) else x


def is_text(x: Any) -> bool:
    """Is it an array of NumPy that JAX cannot hold: strings, bytes or objects?"""
    return isinstance(x, np.ndarray) and x.dtype.kind in "OSUT"


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
        if not current().in_pipeline:
            return super().__call__(*args, **kwargs)
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            outputs = super().__call__(*args, **kwargs)
        return jax.tree_util.tree_map(to_numpy, outputs)


class HostLayer(DataLayer):
    """A layer that works on the host, in NumPy: text, hashes and look-ups.

    Its `call` gets NumPy arrays and gives NumPy arrays. Numbers go on to JAX, unless a
    data pipeline called the layer; strings stay NumPy arrays.
    """

    _convert_input_args = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs on the host.

        Args:
            *args, **kwargs: as `call` takes them.
        """
        if any_symbolic((args, kwargs)):
            return super().__call__(*args, **kwargs)
        args, kwargs = jax.tree_util.tree_map(to_numpy, (args, kwargs))
        outputs = super().__call__(*args, **kwargs)
        if current().in_pipeline:
            return outputs
        give = lambda x: x if is_text(x) else jnp.asarray(x)  # noqa: E731
        return jax.tree_util.tree_map(give, outputs)
