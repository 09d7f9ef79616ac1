"""HashedCrossing: pairs of categories as the numbers of hash bins."""

import jax
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    encode,
    encode_on_host,
    encoded_shape,
)
from minikeras.layers.preprocessing.numeric.hashing import traced_bins
from minikeras.ops.hashing import combine, fingerprint64, to_bytes


def cross(features, bins):
    """Hash of the values of several features, modulo the number of bins.

    Args:
        features: arrays of strings or ints, of one shape.
        bins: int >= 1.

    Returns:
        int64 array of that shape.
    """
    columns = [
        x.ravel() if x.dtype.kind in "iu" else fingerprint64(to_bytes(x))
        for x in features
    ]
    bins = (combine(columns) % np.uint64(bins)).astype(np.int64)
    return bins.reshape(features[0].shape)


class HashedCrossing(HostLayer):
    """Replace tuples of categories by hash(tuple) mod num_bins.

    Args:
        num_bins: int >= 1, the number of bins.
        output_mode: "int" for bins, "one_hot" for vectors.
        sparse: False; sparse arrays hold no text.
        name: string, unique by default.
        dtype: dtype or policy; None: int64 for bins, else the default policy.
        **kwargs: not used.

    Input shape: a list of two arrays or more, each of shape (), (batch,) or (batch, 1).
    Output shape: that of one of them for "int", else (batch, num_bins).

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> layer((np.array(["A", "B", "A"]), np.array([101, 101, 102]))).tolist()
    [1, 4, 1]
    """

    def __init__(
        self, num_bins, output_mode="int", sparse=False, name=None, dtype=None, **kwargs
    ):
        dtype = "int64" if output_mode == "int" and dtype is None else dtype
        super().__init__(name=name, dtype=dtype)
        if sparse:
            raise ValueError(
                "HashedCrossing: `sparse=True` can only be used with TensorFlow's "
                "sparse tensors. Use `sparse=False`."
            )
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "Unknown value for `output_mode` argument of HashedCrossing. Allowed "
                f"values are: ('int', 'one_hot'). Received: output_mode={output_mode}"
            )
        self.num_bins = num_bins
        self.output_mode, self.sparse = output_mode, sparse

    def call(self, inputs):
        """The bins of the tuples, encoded.

        Args:
            inputs: list of arrays of strings or ints, of one shape.

        Raises:
            ValueError: other inputs.
        """
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                "`HashedCrossing` should be called on a list or tuple of at least two "
                f"inputs. Received: inputs={inputs}"
            )
        traced = any(isinstance(x, jax.core.Tracer) for x in inputs)
        features = [x if traced else np.asarray(x) for x in inputs]
        _check(features)
        function = lambda *x: cross(x, self.num_bins)  # noqa: E731
        if traced:
            bins = traced_bins(function, features[0].shape, *features)
            return encode(bins, self.output_mode, self.num_bins, self.compute_dtype)
        bins = function(*features)
        return encode_on_host(bins, self.output_mode, self.num_bins, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """The shape of the outputs.

        Args:
            input_shape: shapes of the inputs.

        Raises:
            ValueError: they are not equal.
        """
        shapes = [tuple(s) if isinstance(s, (list, tuple)) else s for s in input_shape]
        if len(shapes) < 2 or not all(isinstance(s, tuple) for s in shapes):
            raise ValueError(
                "Expected as input a list/tuple of at least 2 tensors. Received "
                f"input_shape={input_shape}"
            )
        if len(set(shapes)) > 1:
            raise ValueError(
                "Expected the input tensors to have identical shapes. Received "
                f"input_shape={input_shape}"
            )
        return encoded_shape(shapes[0], self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs):
        """Shape and dtype of the outputs.

        Args:
            inputs: list of KerasTensors.
        """
        shape = self.compute_output_shape([x.shape for x in inputs])
        return KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        """The constructor's arguments."""
        names = "num_bins output_mode sparse name dtype".split()
        return {key: getattr(self, key) for key in names}


def _check(features):
    """ValueError unless the features are columns of strings or ints, of one shape."""
    first = features[0].shape
    if len(first) > 2 or (len(first) == 2 and first[-1] != 1):
        problem = "should have shape `()`, `(batch_size)` or `(batch_size, 1)`"
    elif any(x.shape != first for x in features):
        problem = "should have equal shape"
    elif any(x.dtype.kind not in "iuOSUT" for x in features):
        problem = "should have an integer or string dtype"
    else:
        return
    found = ", ".join(f"{x.shape} {x.dtype}" for x in features)
    raise ValueError(f"All `HashedCrossing` inputs {problem}. Received: {found}")
