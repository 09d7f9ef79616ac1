"""What a `Dataset` gives: to users arrays with `numpy()`, to `fit` plain batches."""

import weakref
from typing import Any

import jax
import numpy as np

from minikeras.core.bridge import current


class DataArray(np.ndarray):
    """An array of NumPy that also has `numpy()`, as code for `tf.data` expects.

    Its rows and single entries are such arrays, too.
    """

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return found if isinstance(found, np.ndarray) else as_data_array(found)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def numpy(self) -> Any:
        """The plain array; strings as bytes, as TensorFlow has them."""
        return as_numpy(self)


def as_data_array(x: Any) -> Any:
    """An array or number as a `DataArray`, without a copy."""
    if isinstance(x, (str, bytes)):
        return np.array(x, dtype=object).view(DataArray)
    return np.asarray(x).view(DataArray)


def as_numpy(x: Any) -> Any:
    """A plain array or number; strings as bytes."""
    x = np.asarray(x)
    if x.dtype.kind == "O":
        encoded = [s.encode() if isinstance(s, str) else s for s in x.ravel().tolist()]
        whole = np.empty(len(encoded), dtype=object)
        whole[:] = encoded
        x = whole.reshape(x.shape)
    return x if x.ndim else x[()]


class TracedDataError(RuntimeError):
    """Code that is traced asks data for the next batch, which would stay for ever."""


class DatasetIterator:
    """An iterator over a `Dataset`, whose position can be stored.

    Args:
        dataset: the `Dataset`.
        epoch: number of the pass, which decides how it shuffles.
        give: function of each array of an element.
    """

    def __init__(self, dataset: Any, epoch: int, give: Any = as_data_array):
        self._dataset, self._give = dataset, give
        self._start(epoch)

    def _start(self, epoch):
        self._epoch = epoch
        self._iterator = iter(self._dataset._stream(epoch))
        # Also at the end of the program: Grain cannot close its threads after that.
        self._finalizer = weakref.finalize(self, self._iterator.close)

    def __iter__(self):
        return self

    def __next__(self):
        if current().bindings is not None:
            raise TracedDataError(
                "A batch cannot be taken from a Dataset in compiled code: each call "
                "would see the same one. Iterate outside, and pass what it gives."
            )
        element = next(self._iterator)
        if self._give is None:
            return element
        is_array = lambda x: isinstance(x, (np.ndarray, np.generic))  # noqa: E731
        # Windows are data sets themselves.
        give = lambda x: self._give(x) if is_array(x) else x  # noqa: E731
        return jax.tree_util.tree_map(give, element)

    def get_state(self) -> dict[str, Any]:
        """The position as a dict of numbers, which JSON and pickle can hold."""
        return {"epoch": self._epoch, "position": self._iterator.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to a position, in this process or in another one.

        Args:
            state: what `get_state` returned, of an equal data set.
        """
        self.close()
        self._start(state["epoch"])
        self._iterator.set_state(state["position"])

    def close(self) -> None:
        """End the threads that read ahead."""
        self._finalizer()
