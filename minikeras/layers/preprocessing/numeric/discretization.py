"""Discretization: numbers as the index of the bin that they fall into."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras.layers.preprocessing.adapt import batches
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    Encoding,
    check,
    encode,
)

# A summary of data is a (2, n) array: values in order, and how many entries of the data
# each stands for. It keeps the quantiles within `epsilon` in bounded memory.


def summarize(values, epsilon):
    """The summary of a batch: every k-th of the sorted values, about 1 / epsilon."""
    values = np.sort(np.ravel(values))
    step = max(values.size * epsilon, 1)
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.ones_like(chosen) * step])


def compress(summary, epsilon):
    """A summary of about 1 / epsilon values, at equal distances of rank."""
    if summary.shape[1] * epsilon < 1:
        return summary
    ranks = summary[1].cumsum()
    shares = ranks / ranks[-1]
    wanted = epsilon + np.arange(0.0, 1.0, epsilon)
    values = np.interp(wanted, shares, summary[0])
    counts = np.diff(np.interp(wanted, shares, ranks), prepend=0)
    return np.stack([values, counts]).astype("float32")


def merge(first, second, epsilon):
    """One summary of the data of two."""
    both = np.concatenate([first, second], axis=1)
    return compress(both[:, np.argsort(both[0])], epsilon)


class Discretization(Encoding, DataLayer):
    """Replace numbers by the index of their bin.

    Args:
        bin_boundaries: list of floats in order; n of them make n + 1 bins, the first
            from -inf and the last to inf. A bin holds its lower boundary.
        num_bins: int >= 0, the number of bins that `adapt` finds, each with about the
            same number of entries. Give this or `bin_boundaries`.
        epsilon: float > 0, the accuracy of the quantiles; smaller takes more memory.
        output_mode: "int" for indices, "one_hot", "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them.
        sparse: bool, whether the vectors are sparse `BCOO` arrays.
        dtype: dtype or policy of the vectors; indices are int32.
        name: string, unique by default.

    Input shape: any. Output shape: the same for "int", else as of `CategoryEncoding`.

    Raises:
        ValueError: both or none of the first two arguments, or an unknown mode.

    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0])
    >>> layer(np.array([-0.5, 0.0, 7.0])).tolist()
    [0, 1, 2]
    """

    _convert_input_args = False
    _mk_config = "bin_boundaries num_bins epsilon output_mode sparse name dtype"

    def __init__(
        self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int",
        sparse=False, dtype=None, name=None,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.bin_boundaries, self.num_bins = bin_boundaries, num_bins
        self.epsilon, self.output_mode, self.sparse = epsilon, output_mode, sparse
        received = f"Received: num_bins={num_bins}, bin_boundaries={bin_boundaries}"
        check(
            self,
            (output_mode not in MODES, "Unknown value for `output_mode`. Allowed "
             f"values are: {MODES}. Received: output_mode={output_mode}"),
            (sparse and output_mode == "int", "`sparse=True` may only be used if "
             f"`output_mode` is in {MODES[1:]}. Received: output_mode={output_mode}"),
            ((num_bins or 0) < 0, "`num_bins` must be greater than or equal to 0. "
             + received),
            (None not in (num_bins, bin_boundaries), "Both `num_bins` and "
             f"`bin_boundaries` should not be set. {received}"),
            (num_bins is bin_boundaries is None,
             "You need to set either `num_bins` or `bin_boundaries`."),
        )  # fmt: skip
        self.summary: Any = None
        self.reset_state()

    def adapt(self, data, steps=None):
        """Find the bins: quantiles of the data.

        Args:
            data: array, pandas Series, or an iterable of batches, which a list is too.
            steps: int, the number of batches to read; None: all.

        Raises:
            ValueError: the layer was made with `bin_boundaries`, or there is no data.
        """
        check(self, (self.num_bins is None, "Cannot adapt a Discretization layer that "
                     "has been initialized with `bin_boundaries`, use `num_bins` "
                     "instead."))  # fmt: skip
        self.reset_state()
        for batch in batches(self, data, steps, lists=False):
            self.update_state(batch)
        check(self, (not self.summary.size, "adapt() found no data."))
        self.finalize_state()

    def update_state(self, data):
        """Add a batch to the summary.

        Args:
            data: array of numbers.
        """
        batch = summarize(np.asarray(data).astype("float32"), self.epsilon)
        self.summary = merge(batch, self.summary, self.epsilon)

    def finalize_state(self):
        """Set the boundaries from the summary."""
        if self.num_bins is not None:
            quantiles = compress(self.summary, 1.0 / self.num_bins)
            self.bin_boundaries = quantiles[0, :-1].tolist()
            self._mk_version += 1  # compiled steps hold the old ones

    def reset_state(self):
        """Forget the data, not the boundaries."""
        if self.num_bins is not None:
            self.summary = np.zeros((2, 0), "float32")

    @property
    def output_dtype(self):
        """Name of the dtype of the outputs."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    @property
    def _mk_depth(self):
        found = self.bin_boundaries
        return self.num_bins if found is None else len(found) + 1

    def call(self, inputs):
        """The indices of the bins, encoded.

        Args:
            inputs: array of numbers.

        Raises:
            ValueError: there are no boundaries yet.
        """
        check(self, (self.bin_boundaries is None, "You need to either pass the "
                     "`bin_boundaries` argument at construction time or call "
                     "`adapt(dataset)` before you can start using the "
                     "`Discretization` layer."))  # fmt: skip
        inputs = jnp.asarray(inputs)
        bins = jnp.digitize(inputs, jnp.asarray(self.bin_boundaries, "float32"))
        mode, dtype = self.output_mode, self.output_dtype
        return encode(bins, mode, self._mk_depth, dtype, self.sparse)

    def load_own_variables(self, store):
        if len(store) == 1:  # files of old versions hold the summary
            self.summary = store["0"]

    def _mk_config_values(self):
        return {"dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = list(boundaries)  # which `adapt` found
        return layer
