"""Read and write the values of an object's weights: as arrays, and in files."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras.core.variable import Variable, assign_lock


class WeightAccess:
    """Mix-in of Layer: the values of its weights, and of the weights below it."""

    built: bool
    name: str
    weights: list[Variable]
    _mk_own_variables: Any

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of `weights`, as numpy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign arrays to `weights`, in order.

        Args:
            weights: list of array-likes, as `get_weights()` returns them.

        Raises:
            ValueError: another number of arrays, or another shape; nothing changes.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"set_weights() of {self.name!r}: expected {len(own)} arrays "
                f"({[v.path for v in own]}), got {len(weights)}."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} "
                    f"({variable.path}) is not compatible with provided weight "
                    f"shape {tuple(np.shape(value))}."
                )
        with assign_lock:  # a step of another thread starts from all of them, or none
            for variable, value in zip(own, weights, strict=True):
                variable.assign(value)

    def count_params(self) -> int:
        """Return the number of scalars in the weights; ValueError before `build`."""
        if not self.built:
            raise ValueError(
                f"count_params: layer {self.name!r} has no weights yet. Call it on "
                "data or call `build(input_shape)` first."
            )
        return int(sum(np.prod(v.shape, dtype=np.int64) for v in self.weights))

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own weights into a store, as "0", "1", …

        Args:
            store: dict-like of a file: {name: array}.
        """
        for i, v in enumerate(self._mk_stored_variables()):
            store[str(i)] = self._mk_to_store(v)

    def load_own_variables(self, store: Any) -> None:
        """Assign the layer's own weights from a store.

        Args:
            store: dict-like of a file, as `save_own_variables` fills it.

        Raises:
            ValueError: another number of arrays, or another shape; nothing changes.
        """
        # A file gives arrays of the device, which need not be copied.
        read = getattr(store, "array", lambda key, dtype: store[key])
        for i, v in enumerate(self._mk_check_store(store)):
            self._mk_from_store(v, read(str(i), v.dtype))

    def _mk_stored_variables(self):
        """The layer's own variables that files hold: all of them."""
        return self._mk_own_variables()

    def _mk_to_store(self, variable):
        """The array that files hold for one of these variables."""
        return np.asarray(variable.value)

    def _mk_from_store(self, variable, array):
        """Assign a variable from the array of a file."""
        variable.assign(array)

    def _mk_check_store(self, store):
        """The stored variables; ValueError if they are not those of `store`."""
        own = self._mk_stored_variables()
        if len(store.keys()) != len(own):
            hint = (
                " The layer is not built: it has no weights yet."
                if own == [] and not self.built
                else ""
            )
            raise ValueError(
                f"Layer {self.name!r} has {len(own)} weights "
                f"({[v.path for v in own]}), but received {len(store.keys())} "
                f"variables from the file.{hint}"
            )
        shape_of = getattr(store, "shape", lambda key: np.shape(store[key]))
        for i, v in enumerate(own):
            if shape_of(str(i)) != v.shape:
                raise ValueError(
                    f"Layer {self.name!r}: the shapes of {v.path} must match: the "
                    f"layer's is {v.shape}, the file's is {shape_of(str(i))}."
                )
        return own
