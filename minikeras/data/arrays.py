"""Batches from arrays held in memory."""

import math
import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from minikeras.core.dtypes import is_text
from minikeras.core.late_import import late_import
from minikeras.core.ragged import REMEDY, ragged_row
from minikeras.core.variable import is_sparse
from minikeras.data.adapter import Adapter, pack_x_y_sample_weight
from minikeras.data.text import refuse_text
from minikeras.data.weights import class_weight_to_sample_weights
from minikeras.settings import floatx

PARTS = ("x", "y", "sample_weight")
_ELEMENT_TYPES = (bool, int, float, complex, np.generic, str, bytes)


class IndexedAdapter(Adapter):
    """Base of adapters whose samples have indices: shuffles and batches them.

    Attributes:
        num_samples: number of samples.
        shuffle: bool, whether to shuffle all samples in each epoch; "batch" shuffles
            within each batch.
    """

    def _set_batch_size(
        self,
        num_samples: int,
        batch_size: int | None,
        steps: int | None,
        shuffle: bool | str | None,
    ) -> None:
        """Set the attributes of the adapter; by default batches have 32 samples."""
        self.passes.leaves_out = True
        if shuffle not in (True, False, None, "batch"):
            raise ValueError(
                f"shuffle={shuffle!r}: expected True, False or the string 'batch'."
            )
        self.num_samples, self.shuffle = num_samples, shuffle
        if not batch_size:
            batch_size = math.ceil(num_samples / steps) if steps else 32
        self.batch_size = int(batch_size)
        self.num_batches = math.ceil(num_samples / self.batch_size)
        self.partial_batch_size = num_samples % self.batch_size or None
        self.has_partial_batch = self.partial_batch_size is not None

    def order(self) -> np.ndarray | None:
        """Draw the order of the samples in one epoch: int32 indices, or None.

        As in Keras, NumPy's global generator draws one permutation of all samples in
        an epoch, or one of each batch for `shuffle="batch"`. So the same seed gives the
        same batches.
        """
        if not self.shuffle:
            return None
        return self.passes.draw(self._draw_order)

    def _draw_order(self):
        if self.shuffle == "batch":
            return np.concatenate(list(map(self._mixed, self._starts())))
        return np.random.permutation(self.num_samples).astype("int32")

    def _starts(self):
        return range(0, self.num_samples, self.batch_size)

    def _mixed(self, start):
        """Draw the order of the samples of one batch."""
        size = min(self.batch_size, self.num_samples - start)
        return (start + np.random.permutation(size)).astype("int32")

    def index_batches(self) -> Iterator:
        """Generate the indices of each batch: a slice, or an int32 array if shuffled.

        Random numbers are drawn when the first index is read, not before.
        """
        order = self.order() if self.shuffle != "batch" else None
        for start in self._starts()[self.passes.given :]:
            batch = slice(start, min(start + self.batch_size, self.num_samples))
            if order is not None:
                yield order[batch]
            else:
                yield self._mixed(start) if self.shuffle == "batch" else batch


class ArrayAdapter(IndexedAdapter):
    """Batches from arrays, or lists, tuples and dicts of arrays.

    Args:
        x: inputs: (samples, ...) arrays.
        y: targets: (samples, ...) arrays, or None.
        sample_weight: (samples,) weights, or a structure like `y` of one array for
            each output; None: no weights.
        batch_size: number of samples in a batch; None: 32, or as many as give `steps`
            batches.
        steps: number of batches in an epoch, used if `batch_size` is None.
        shuffle: bool, whether to shuffle all samples in each epoch; "batch" shuffles
            within each batch.
        class_weight: {class number: weight}, instead of `sample_weight`.

    Attributes:
        arrays: `(x, y, sample_weight)` as structures of NumPy or JAX arrays, floats in
            `floatx()`; missing parts are None.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str | None = False,
        class_weight: dict | None = None,
    ):
        x = as_arrays(x, "x")
        y = as_arrays(y, "y")
        weights = as_arrays(sample_weight, "sample_weight")
        self._set_batch_size(count_samples((x, y, weights)), batch_size, steps, shuffle)
        self.arrays = (x, y, _sample_weights(y, weights, class_weight))

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a structure of arrays."""
        return is_arrays(x)

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        return cls(x, batch_size=batch_size, steps=steps, shuffle=shuffle, **others)

    def refuse_text(self) -> None:
        """Raise ValueError if an array holds strings or objects."""
        if any(map(is_text, jax.tree_util.tree_leaves(self.arrays))):
            for name, part in zip(PARTS, self.arrays, strict=True):
                refuse_text(part, f"`{name}`")

    def _batches(self) -> Iterator:
        for index in self.index_batches():
            batch = jax.tree_util.tree_map(
                lambda a, i=index: to_dense(a[i]), self.arrays
            )
            yield pack_x_y_sample_weight(*batch)


def is_number_list(node: Any) -> bool:
    """True for a list or tuple of numbers or strings, or of such lists."""
    return (
        isinstance(node, (list, tuple))
        and len(node) > 0
        and all(
            isinstance(item, _ELEMENT_TYPES) or is_number_list(item) for item in node
        )
    )


def is_leaf(node: Any) -> bool:
    """True for nodes that are one array: lists of numbers, iterators, sparse arrays."""
    return is_number_list(node) or hasattr(node, "__next__") or is_sparse(node)


def to_dense(leaf: Any) -> Any:
    """Convert a sparse array to a NumPy array; return other leaves unchanged."""
    return np.asarray(leaf.todense()) if is_sparse(leaf) else leaf


def is_column(leaf: Any) -> bool:
    """True for a column of a data set of Hugging Face's `datasets`."""
    kind = type(leaf)
    return kind.__module__.startswith("datasets.") and kind.__name__ == "Column"


def to_array_like(leaf: Any) -> Any:
    """Make a tensor of PyTorch or TensorFlow readable by NumPy; no copy if dense.

    Neither library is imported here: a user with a tensor has imported its library.
    """
    library = type(leaf).__module__.partition(".")[0]
    if library == "torch" and hasattr(leaf, "detach"):
        leaf = leaf.detach().cpu().to_dense()
        return leaf.float() if "bfloat16" in str(leaf.dtype) else leaf
    if library == "tensorflow":
        if hasattr(leaf, "to_tensor"):  # RaggedTensor: rows are padded with zeros
            return leaf.to_tensor()
        if hasattr(leaf, "dense_shape"):
            return sys.modules["tensorflow"].sparse.to_dense(leaf)
    if is_column(leaf):
        rows = leaf[:]  # NumPy makes no array of a list of images by itself
        return [np.asarray(row) for row in rows] if isinstance(rows, list) else rows
    return to_dense(leaf)


def is_arrays(tree: Any) -> bool:
    """True for a structure of arrays, in which optional inputs may be None."""
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=is_leaf)
    only_none = isinstance(tree, (list, tuple, dict)) and len(tree) > 0
    return (bool(leaves) or only_none) and all(
        is_number_list(leaf)
        or is_sparse(leaf)
        or is_column(leaf)
        or (hasattr(leaf, "__array__") and hasattr(leaf, "shape"))
        for leaf in leaves
    )


def as_arrays(tree: Any, name: str, hint: str = "") -> Any:
    """Convert the leaves to NumPy or JAX arrays, floats to `floatx()`.

    Args:
        tree: structure of arrays.
        name: name of the argument in errors.
        hint: start of the text of errors.
    """
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: _as_array(leaf, name + jax.tree_util.keystr(path), hint),
        tree,
        is_leaf=is_leaf,
    )


def refuse_masked(leaf: Any, name: str) -> None:
    """Raise ValueError for a NumPy masked array: its mask would be lost unnoticed."""
    if isinstance(leaf, np.ma.MaskedArray):
        raise ValueError(
            f"`{name}` holds a NumPy masked array, shape {leaf.shape}, whose mask "
            "would be lost. Fill it, x.filled(0.0), and say by `sample_weight` or a "
            "Masking layer what does not count."
        )


def _as_array(leaf, name, hint):
    """Convert one leaf; ValueError if it is no array of numbers."""
    if is_sparse(leaf):
        return _to_csr(leaf).astype(floatx())
    refuse_masked(leaf, name)
    if not isinstance(leaf, jax.Array):
        readable = is_number_list(leaf) or hasattr(leaf, "__array__") or is_column(leaf)
        if not readable:
            raise ValueError(
                f"{hint}expected all elements of `{name}` to be arrays (NumPy, JAX, "
                f"pandas, or lists of numbers); got {type(leaf).__name__}: "
                f"{str(leaf)[:80]!r}. Convert it with numpy.asarray first."
            )
        if type(leaf).__module__.startswith("pandas"):
            leaf = _from_pandas(leaf)
        else:
            leaf = _from_numpy_like(to_array_like(leaf), name)
    if leaf.ndim == 0:
        raise ValueError(
            f"`{name}` holds a scalar, {leaf}; expected arrays whose first axis "
            "counts samples. Add that axis: x[None]."
        )
    if leaf.dtype.kind in "Mm":
        raise ValueError(
            f"`{name}` holds an array of dtype {leaf.dtype}, shape {leaf.shape}; "
            "expected numbers or text. Convert it first, for instance with "
            "x.astype('int64')."
        )
    is_float = jax.numpy.issubdtype(leaf.dtype, np.floating)
    return leaf.astype(floatx()) if is_float and leaf.dtype != floatx() else leaf


def _from_numpy_like(leaf, name):
    """Convert to a NumPy array; ValueError that names the row of a ragged list."""
    try:
        array = np.asarray(leaf)
    except ValueError:
        array = None
    ragged = array is None or array.dtype == object
    row = ragged_row(leaf) if ragged else None
    if row is not None:
        raise ValueError(f"`{name}` holds a ragged list: {row}. {REMEDY}")
    return np.asarray(leaf) if array is None else array


def _from_pandas(table):
    """Convert a pandas object to an array; a Series gives (samples, 1), as in Keras."""
    if table.ndim == 1:
        return np.asarray(table)[:, None]
    numbers = all(dtype.kind in "biuf" for dtype in table.dtypes)
    array = np.asarray(table)
    return array.astype(floatx()) if numbers and array.dtype.kind == "O" else array


def _to_csr(leaf):
    """Convert a sparse array to CSR, the format in which slicing rows is fast."""
    sparse = late_import("scipy.sparse")
    if hasattr(leaf, "indices") and hasattr(leaf, "n_batch"):  # BCOO
        rows, columns = np.asarray(leaf.indices).T
        values = (np.asarray(leaf.data), (rows, columns))
        return sparse.csr_matrix(values, shape=leaf.shape)
    return sparse.csr_matrix(leaf)


def count_samples(arrays: tuple) -> int:
    """The size of the first axis of all arrays; ValueError if it is not the same."""
    counts = {
        name: [leaf.shape[0] for leaf in jax.tree_util.tree_leaves(part)]
        for name, part in zip(PARTS, arrays, strict=False)
        if part is not None
    }
    distinct = {count for part in counts.values() for count in part}
    if len(distinct) > 1:
        found = "; ".join(
            f"`{name}`: {', '.join(map(str, part))}" for name, part in counts.items()
        )
        raise ValueError(
            "Data cardinality is ambiguous: all arrays must hold the same number of "
            f"samples (first axis). Samples found: {found}."
        )
    return distinct.pop() if distinct else 0


def _sample_weights(y, weights, class_weight):
    """The weights in the structure of `y`, from `sample_weight` or `class_weight`."""
    if class_weight is not None:
        if weights is not None:
            raise ValueError(
                "You cannot `class_weight` and `sample_weight` at the same time: "
                "multiply the weights yourself and pass `sample_weight`."
            )
        if y is None or isinstance(y, (dict, list, tuple)):
            raise ValueError(
                "`class_weight` is only supported for Models with a single output "
                f"and its targets as one array; got y of type {type(y).__name__}. "
                "Pass `sample_weight` instead."
            )
        return class_weight_to_sample_weights(y, class_weight)
    if weights is None or not isinstance(y, (dict, list, tuple)):
        return weights
    return _weights_per_output(y, weights)


def _weights_per_output(y, weights):
    """The weights in the structure of `y`; one array serves all outputs."""
    if not isinstance(weights, (dict, list, tuple)):
        if weights.ndim != 1:
            raise ValueError(
                "For a model with multiple outputs, when providing one "
                "`sample_weight` for all, it must have shape (samples,); got "
                f"{weights.shape}. Pass one array per output instead."
            )
        return jax.tree_util.tree_map(lambda _: weights, y)
    expected = jax.tree_util.tree_structure(y)
    found = jax.tree_util.tree_structure(weights, is_leaf=lambda w: w is None)
    if expected != found:
        raise ValueError(
            "You should provide one `sample_weight` array per output, in the "
            f"structure of `y`, {expected}; got {found}. Use None for an output "
            "without weights."
        )
    return weights
