"""Batches from arrays held in memory."""

import math
import sys

import jax
import numpy as np

from minikeras.core.late_import import late_import
from minikeras.core.ragged import REMEDY, ragged_row
from minikeras.core.variable import is_sparse
from minikeras.data.adapter import Adapter, pack_x_y_sample_weight
from minikeras.data.weights import class_weight_to_sample_weights
from minikeras.settings import floatx

_NUMBERS = (bool, int, float, complex, np.generic)


class Batched(Adapter):
    """Samples, of which it is known how many there are, cut into batches.

    Attributes:
        num_samples: how many there are.
        shuffle: see `ArrayAdapter`.
    """

    def _cut(self, num_samples, batch_size, steps, shuffle):
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

    def order(self):
        """In what order one epoch reads the samples: int32, or None for their own.

        Random numbers come from NumPy's global generator: one permutation of all
        samples an epoch, or with `shuffle="batch"` one of each batch. Seeds then give
        Keras's own batches.
        """
        if not self.shuffle:
            return None
        if self.shuffle == "batch":
            return np.concatenate(list(self.index_batches()))
        return np.random.permutation(self.num_samples).astype("int32")

    def index_batches(self):
        """Where one epoch's batches lie: slices, or int32 index arrays if shuffled.

        Random numbers are drawn when a batch is first asked for; see `order`.
        """
        order = self.order() if self.shuffle != "batch" else None
        for start in range(0, self.num_samples, self.batch_size):
            stop = min(start + self.batch_size, self.num_samples)
            if order is not None:
                yield order[start:stop]
            elif self.shuffle == "batch":
                yield (start + np.random.permutation(stop - start)).astype("int32")
            else:
                yield slice(start, stop)


class ArrayAdapter(Batched):
    """Batches from arrays, or lists, tuples and dicts of arrays.

    Args:
        x: inputs; the first axis of every array counts samples.
        y: targets, or None.
        sample_weight: one weight a sample, or one array an output; or None.
        batch_size: samples a batch; default 32, or with `steps` enough that one
            epoch has that many batches.
        steps: batches an epoch, used where `batch_size` is None.
        shuffle: True permutes all samples anew each epoch; `"batch"` only the samples
            within each batch; False keeps their order.
        class_weight: dict from class number to weight, instead of `sample_weight`.

    Attributes:
        arrays: `(x, y, sample_weight)` as structures of NumPy or JAX arrays, float
            arrays in `floatx()`; None for what is absent.
    """

    def __init__(
        self,
        x,
        y=None,
        sample_weight=None,
        batch_size=None,
        steps=None,
        shuffle=False,
        class_weight=None,
    ):
        x = as_arrays(x, "x")
        y = as_arrays(y, "y")
        weights = as_arrays(sample_weight, "sample_weight")
        self._cut(count_samples((x, y, weights)), batch_size, steps, shuffle)
        self.arrays = (x, y, _sample_weights(y, weights, class_weight))

    @staticmethod
    def takes(x):
        """Arrays, in any structure."""
        return is_arrays(x)

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        return cls(x, batch_size=batch_size, steps=steps, shuffle=shuffle, **beside)

    def _batches(self):
        for index in self.index_batches():
            batch = jax.tree_util.tree_map(lambda a, i=index: dense(a[i]), self.arrays)
            yield pack_x_y_sample_weight(*batch)


def is_number_list(node):
    """Whether `node` is a list or tuple of numbers, or of such lists."""
    return (
        isinstance(node, (list, tuple))
        and len(node) > 0
        and all(isinstance(item, _NUMBERS) or is_number_list(item) for item in node)
    )


def is_leaf(node):
    """What `tree_map` must not look into: number lists, iterators, sparse arrays."""
    return is_number_list(node) or hasattr(node, "__next__") or is_sparse(node)


def dense(leaf):
    """One batch of a sparse array as a dense one; other leaves as they are."""
    return np.asarray(leaf.todense()) if is_sparse(leaf) else leaf


def plain(leaf):
    """A tensor of PyTorch or TensorFlow as NumPy sees it, without a copy if dense.

    Neither library is imported: who has a tensor has imported its library.
    """
    library = type(leaf).__module__.partition(".")[0]
    if library == "torch" and hasattr(leaf, "detach"):
        leaf = leaf.detach().cpu().to_dense()
        return leaf.float() if "bfloat16" in str(leaf.dtype) else leaf
    if library == "tensorflow":
        if hasattr(leaf, "to_tensor"):  # ragged: rows are padded with zeros
            return leaf.to_tensor()
        if hasattr(leaf, "dense_shape"):
            return sys.modules["tensorflow"].sparse.to_dense(leaf)
    return dense(leaf)


def is_arrays(tree):
    """Whether `tree` is a structure of arrays, and None for absent inputs."""
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=is_leaf)
    absent = isinstance(tree, (list, tuple, dict)) and len(tree) > 0
    return (bool(leaves) or absent) and all(
        is_number_list(leaf)
        or is_sparse(leaf)
        or (hasattr(leaf, "__array__") and hasattr(leaf, "shape"))
        for leaf in leaves
    )


def as_arrays(tree, name, hint=""):
    """Make every leaf of `tree` a NumPy or JAX array; floats become `floatx()`."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: _as_array(leaf, name + jax.tree_util.keystr(path), hint),
        tree,
        is_leaf=is_leaf,
    )


def refuse_masked(leaf, name):
    """ValueError for a masked array of NumPy: its mask would be lost in silence."""
    if isinstance(leaf, np.ma.MaskedArray):
        raise ValueError(
            f"`{name}` holds a NumPy masked array, shape {leaf.shape}, whose mask "
            "would be lost. Fill it, x.filled(0.0), and say by `sample_weight` or a "
            "Masking layer what does not count."
        )


def _as_array(leaf, name, hint):
    if is_sparse(leaf):
        return _sparse_rows(leaf).astype(floatx())
    refuse_masked(leaf, name)
    if not isinstance(leaf, jax.Array):
        if not is_number_list(leaf) and not hasattr(leaf, "__array__"):
            raise ValueError(
                f"{hint}expected all elements of `{name}` to be arrays (NumPy, JAX, "
                f"pandas, or lists of numbers); got {type(leaf).__name__}: "
                f"{str(leaf)[:80]!r}. Convert it with numpy.asarray first."
            )
        from_table = type(leaf).__module__.startswith("pandas")
        leaf = _from_table(leaf) if from_table else _from_rows(plain(leaf), name)
    if leaf.ndim == 0:
        raise ValueError(
            f"`{name}` holds a scalar, {leaf}; expected arrays whose first axis "
            "counts samples. Add that axis: x[None]."
        )
    if leaf.dtype.kind in "OSUMm":
        raise ValueError(
            f"`{name}` holds an array of dtype {leaf.dtype}, shape {leaf.shape}; "
            "expected numbers. Convert it first, for instance with "
            "x.astype('float32')."
        )
    is_float = jax.numpy.issubdtype(leaf.dtype, np.floating)
    return leaf.astype(floatx()) if is_float and leaf.dtype != floatx() else leaf


def _from_rows(leaf, name):
    try:
        array = np.asarray(leaf)
    except ValueError:
        array = None
    ragged = array is None or array.dtype == object
    row = ragged_row(leaf) if ragged else None
    if row is not None:
        raise ValueError(f"`{name}` holds a ragged list: {row}. {REMEDY}")
    return np.asarray(leaf) if array is None else array


def _from_table(table):
    """A pandas table as an array; one column of it is (samples, 1) too."""
    if table.ndim == 1:
        return np.asarray(table)[:, None]
    numbers = all(dtype.kind in "biuf" for dtype in table.dtypes)
    array = np.asarray(table)
    return array.astype(floatx()) if numbers and array.dtype.kind == "O" else array


def _sparse_rows(leaf):
    """A sparse array in the format whose rows are quick to take."""
    sparse = late_import("scipy.sparse")
    if hasattr(leaf, "indices") and hasattr(leaf, "n_batch"):  # BCOO
        rows, columns = np.asarray(leaf.indices).T
        values = (np.asarray(leaf.data), (rows, columns))
        return sparse.csr_matrix(values, shape=leaf.shape)
    return sparse.csr_matrix(leaf)


def count_samples(arrays):
    """The common length of all first axes in `(x, y, sample_weight)`."""
    names = ("x", "y", "sample_weight")
    counts = {
        name: [leaf.shape[0] for leaf in jax.tree_util.tree_leaves(part)]
        for name, part in zip(names, arrays, strict=False)
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
    """Give every output of `y` its weights, or None; see ArrayAdapter."""
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


def train_validation_split(arrays, validation_split):
    """Cut the last part of every array off for validation, without shuffling.

    Args:
        arrays: tuple of structures of arrays, such as `(x, y, sample_weight)`; None
            stays None.
        validation_split: the fraction to cut off, between 0 and 1; the training part
            has `floor(samples * (1 - validation_split))` samples.

    Returns:
        `(train, validation)`, each built like `arrays`.

    Raises:
        ValueError: something cannot be cut (a generator), or a part would be empty.
    """
    arrays = tuple(
        as_arrays(part, name, hint="`validation_split` works on arrays only: ")
        for part, name in zip(arrays, ("x", "y", "sample_weight"), strict=False)
    )
    samples = count_samples(arrays)
    cut = math.floor(samples * (1.0 - validation_split))
    if not 0 < validation_split < 1 or not 0 < cut < samples:
        raise ValueError(
            f"validation_split={validation_split} of {samples} samples leaves "
            "training or validation without any. Expected a fraction between 0 and 1 "
            "that gives both at least one sample, or pass `validation_data`."
        )
    train = jax.tree_util.tree_map(lambda a: a[:cut], arrays)
    return train, jax.tree_util.tree_map(lambda a: a[cut:], arrays)
