"""HashedCrossing: pairs of categories as the numbers of hash bins."""

import numpy as np

from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    Encoding,
    check,
    encode_anywhere,
)
from minikeras.ops.hashing import combine, fingerprint64, to_bytes


def cross(*features, bins):
    """Hash of arrays of strings or ints, entry by entry, modulo the number of bins."""
    columns = [
        x.ravel() if x.dtype.kind in "iu" else fingerprint64(to_bytes(x))
        for x in features
    ]
    found = (combine(columns) % np.uint64(bins)).astype(np.int64)
    return found.reshape(features[0].shape)


class HashedCrossing(Encoding, HostLayer):
    """Replace tuples of categories by hash(tuple) mod num_bins.

    Args:
        num_bins: int >= 1, the number of bins.
        output_mode: "int" for bins, "one_hot" for vectors.
        sparse: bool, whether the vectors are sparse `BCOO` arrays: not supported.
        name: string, unique by default.
        dtype: dtype or policy; None: int64 for bins, else the default policy.
        **kwargs: not used.

    Input shape: a list of two arrays or more, each of shape (), (batch,) or (batch, 1).
    Output shape: that of one of them for "int", else (batch, num_bins).

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> layer((np.array(["A", "B", "A"]), np.array([101, 101, 102]))).tolist()
    [1, 4, 3]
    """

    _mk_config = "num_bins output_mode sparse name dtype"

    def __init__(
        self, num_bins, output_mode="int", sparse=False, name=None, dtype=None, **kwargs
    ):
        dtype = "int64" if output_mode == "int" and dtype is None else dtype
        super().__init__(name=name, dtype=dtype)
        self.num_bins = self._mk_depth = num_bins
        self.output_mode, self.sparse = output_mode, sparse
        check(
            self,
            (sparse, "`sparse=True` can only be used with TensorFlow. Use False."),
            (output_mode not in ("int", "one_hot"), "Unknown value for `output_mode`. "
             f"Allowed values are: ('int', 'one_hot'). Received: {output_mode}"),
        )  # fmt: skip

    @property
    def output_dtype(self):
        """Name of the dtype of the outputs."""
        return self.compute_dtype

    def call(self, inputs):
        """The bins of the tuples, encoded.

        Args:
            inputs: list of arrays of strings or ints, of one shape.

        Raises:
            ValueError: other inputs.
        """
        several = isinstance(inputs, (list, tuple)) and len(inputs) > 1
        check(self, (not several, "it should be called on a list or tuple of at least "
                     f"two inputs. Received: inputs={inputs}"))  # fmt: skip
        xs = [x if hasattr(x, "dtype") else np.asarray(x) for x in inputs]
        first, kinds = xs[0].shape, {np.dtype(x.dtype).kind for x in xs}
        found = ", ".join(f"{x.shape} {x.dtype}" for x in xs)
        check(
            self,
            (len(first) > 2 or (len(first) == 2 and first[-1] != 1), "all inputs "
             f"should have shape (), (batch_size) or (batch_size, 1), got {found}."),
            (any(x.shape != first for x in xs),
             f"all inputs should have equal shape. Received: {found}"),
            (not kinds <= set("iuOSUT"),
             f"all inputs should have an integer or string dtype. Received: {found}"),
        )  # fmt: skip
        function = lambda *x: cross(*x, bins=self.num_bins)  # noqa: E731
        mode, depth = self.output_mode, self.num_bins
        return encode_anywhere(function, xs, mode, depth, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        shapes = [tuple(s) if isinstance(s, (list, tuple)) else s for s in input_shape]
        wrong = len(shapes) < 2 or not isinstance(shapes[0], tuple)
        check(
            self,
            (wrong, f"Expected a list of 2 shapes or more, got {input_shape}."),
            (len(set(shapes)) > 1, f"Expected identical shapes, got {shapes}."),
        )
        return super().compute_output_shape(shapes[0])

    def _mk_config_values(self):
        return {"dtype": self.dtype}
