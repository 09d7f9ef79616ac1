"""FeatureSpace: columns of a table as one vector, each encoded in its own way."""

from collections.abc import Mapping

import jax
import numpy as np

from minikeras import settings
from minikeras.core import host_calls, registry
from minikeras.core.dtypes import is_float
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import (
    serialize_keras_object,
)
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.libraries import is_instance_by_name
from minikeras.data.mapped_function import to_element
from minikeras.layers.core.input_layer import Input
from minikeras.layers.layer import Layer
from minikeras.layers.preprocessing.feature_kinds import (
    FeatureKinds,
    TFDConcat,
    one_of,
)
from minikeras.layers.preprocessing.numeric.category_encoding import CategoryEncoding
from minikeras.layers.preprocessing.numeric.discretization import Discretization
from minikeras.layers.preprocessing.numeric.hashed_crossing import HashedCrossing
from minikeras.saving import api

_ADAPT_BATCH = 32  # samples of a batch that `adapt` reads, as in Keras


class FeatureSpace(FeatureKinds, Layer):
    """Encode the columns of a table: numbers, categories, text, and crosses of them.

    `adapt` learns what the columns hold. Then `space(table)` encodes dicts of columns,
    batched or not, also in `Dataset.map`; or `get_inputs()` and
    `get_encoded_features()` are the start of a model that takes raw columns.

    Args:
        features: {name: kind}. A kind is the name of a method below, such as
            "float_normalized", or what the method returns.
        output_mode: "concat" for one vector, "dict" for {name: array}.
        crosses: list of tuples of names, or of `FeatureSpace.cross(…)`.
        crossing_dim: int, hash bins of the crosses without a number of their own.
        hashing_dim: int, hash bins of the kinds "integer_hashed" and "string_hashed".
        num_discretization_bins: int, bins of the kind "float_discretized".
        name: string, unique by default.

    Raises:
        ValueError: no features, an unknown kind or mode, or a cross of no feature.

    >>> space = keras.utils.FeatureSpace({"age": "float", "job": "string_categorical"})
    >>> space.adapt({"age": [31.0, 52.0], "job": ["cook", "judge"]})
    >>> space({"age": [31.0], "job": ["judge"]}).shape
    (1, 4)
    """

    def __init__(
        self,
        features,
        output_mode="concat",
        crosses=None,
        crossing_dim=32,
        hashing_dim=32,
        num_discretization_bins=32,
        name=None,
    ):
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {k: self._mk_feature(k, v) for k, v in features.items()}
        self.crosses = [self._mk_cross(cross) for cross in crosses or ()]
        self.output_mode = one_of("output_mode", output_mode, ("dict", "concat"))
        self.preprocessors = {k: f.preprocessor for k, f in self.features.items()}
        self.crossers = {
            c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses
        }
        self.one_hot_encoders = {}
        self.concat = TFDConcat(axis=-1) if output_mode == "concat" else None
        self.inputs = {
            k: Input(shape=(1,), dtype=f.dtype, name=k)
            for k, f in self.features.items()
        }
        self.encoded_features = None
        self._mk_adapted = False

    # -- adapt ------------------------------------------------------------------------

    def adapt(self, dataset):
        """Learn what the columns hold: vocabularies, means, bins.

        Args:
            dataset: dict of columns, or a `Dataset` of such dicts, batched or not.

        Raises:
            ValueError: something else.
        """
        is_table = isinstance(dataset, Mapping)
        if is_table:
            dataset = _batches(to_element(dict(dataset)))
        tensorflow = is_instance_by_name(dataset, "tensorflow", "DatasetV2")
        if not is_table and not isinstance(dataset, Dataset) and not tensorflow:
            raise ValueError(
                "`adapt()` can only be called on a Dataset or a dict of arrays/lists. "
                f"Received instead: {dataset} (of type {type(dataset)})"
            )
        first = next(iter(dataset), None)
        if not isinstance(first, Mapping):
            raise ValueError(
                "`adapt()` needs dicts of columns, the data set yields "
                f"{'nothing' if first is None else type(first).__name__}. Take the "
                "columns alone: space.adapt(dataset.map(lambda x, y: x))."
            )
        if all(np.ndim(x) == 0 for x in first.values()):
            dataset = dataset.batch(_ADAPT_BATCH)
        for name in self._mk_adaptable():
            column = (_column(to_element(batch[name])) for batch in dataset)
            self.preprocessors[name].adapt(column)
        self._mk_adapted = True
        self.get_encoded_features()

    def _mk_adaptable(self):
        """Names of the features that must see data first."""
        return [
            name
            for name, layer in self.preprocessors.items()
            if hasattr(layer, "adapt")
            and getattr(layer, "input_mean", None) is None
            and not getattr(_look_up_of(layer), "_mk_static", False)
            and not (isinstance(layer, Discretization) and layer.bin_boundaries)
        ]

    # -- encoding ---------------------------------------------------------------------

    def get_inputs(self):
        """The columns as `keras.Input`s, {name: KerasTensor}."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self):
        """What the space makes of `get_inputs()`: KerasTensor, or a dict of them.

        Raises:
            ValueError: `adapt` has not been called.
        """
        if not self._mk_adapted and self._mk_adaptable():
            raise ValueError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can "
                "start using it."
            )
        if self.encoded_features is None:
            self.encoded_features = self._mk_encode(self.inputs)
            self.built = True
        return self.encoded_features

    def __call__(self, data):
        """Encode a table.

        Args:
            data: dict of columns, (batch,) or (batch, 1), or of the values of one row.

        Returns:
            (batch, n) array, (n,) for one row; or a dict of such arrays.
        """
        self.get_encoded_features()
        if not isinstance(data, dict):
            raise ValueError(
                "A FeatureSpace can only be called with a dict. Received: "
                f"data={data} (of type {type(data)})"
            )
        columns = {k: _as_array(x) for k, x in data.items()}
        is_row = any(len(x.shape) == 0 for x in columns.values())
        encoded = self._mk_encode({k: _column(x) for k, x in columns.items()})
        if is_row:
            return jax.tree_util.tree_map(lambda x: x[0], encoded)
        return encoded

    def _mk_encode(self, columns):
        """Encode columns (batch, 1), of arrays or KerasTensors."""
        if missing := [name for name in self.features if name not in columns]:
            raise ValueError(
                f"The table lacks the columns {missing}; it has {list(columns)}."
            )
        found = {k: layer(columns[k]) for k, layer in self.preprocessors.items()}
        crossed = {
            cross.name: self.crossers[cross.name](
                [found[k] for k in cross.feature_names]
            )
            for cross in self.crosses
        }
        # In the order of Keras: by name, crosses last.
        encoded = {k: self._mk_finish(k, found[k]) for k in sorted(found)}
        encoded |= {k: self._mk_finish(k, crossed[k]) for k in sorted(crossed)}
        return encoded if self.concat is None else self.concat(list(encoded.values()))

    def _mk_finish(self, name, x):
        """The result for a feature or cross, as its output mode says."""
        crosses = {cross.name: cross for cross in self.crosses}
        mode = (self.features.get(name) or crosses[name]).output_mode
        if mode == "one_hot":
            if name not in self.one_hot_encoders:
                self.one_hot_encoders[name] = self._mk_one_hot(name, x)
            return self.one_hot_encoders[name](x)
        if self.concat is None or is_float(x.dtype):
            return x
        if mode != "float":
            raise ValueError(
                f"Cannot concatenate features because feature {name!r} has not been "
                f"encoded (it has dtype {x.dtype}). Consider using "
                "`output_mode='dict'`."
            )
        return registry.get_op("Cast")(x, settings.floatx())

    def _mk_one_hot(self, name, x):
        """The layer that makes one-hot vectors of a feature's ints."""
        layer = self.preprocessors.get(name) or self.crossers[name]
        has_mode = f"Feature {name!r} has `output_mode='one_hot'`."
        if not str(x.dtype).startswith("int"):
            raise ValueError(
                f"{has_mode} Thus its preprocessor should return an integer dtype. "
                f"Instead it returns a {x.dtype} dtype."
            )
        if hasattr(layer, "vocabulary_size"):
            size = layer.vocabulary_size()
        elif isinstance(layer, CategoryEncoding):
            size = layer.num_tokens
        elif hasattr(layer, "num_bins"):
            size = layer.num_bins
        else:
            raise ValueError(
                f"{has_mode} However it isn't a standard feature and the "
                "dimensionality of its output space is not known, thus it cannot be "
                "one-hot encoded. "
                "Try using `output_mode='int'`."
            )
        return CategoryEncoding(num_tokens=size, output_mode="multi_hot")

    # -- files ------------------------------------------------------------------------

    def get_config(self):
        """Return the constructor's arguments, layers as configs."""
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config):
        """Make a space from `get_config()`.

        Args:
            config: dict.
        """
        return cls(**config)

    def get_build_config(self):
        """Return the build configs of the layers of the features, by name."""
        return {k: layer.get_build_config() for k, layer in self.preprocessors.items()}

    def build_from_config(self, config):
        """Build the layers of the features.

        Args:
            config: dict of `get_build_config()`.
        """
        for name, own in config.items():
            if not (layer := self.preprocessors[name]).built:
                layer.build_from_config(own)
        self._mk_adapted = True

    def save(self, filepath):
        """Write the space to a `.keras` file, for `keras.models.load_model`.

        Args:
            filepath: path.
        """
        api.save_model(self, filepath)

    def save_own_variables(self, store):
        """Write nothing: the layers write what they learned.

        Args:
            store: not used.
        """

    def load_own_variables(self, store):
        """Read nothing.

        Args:
            store: not used.
        """


def _as_array(x):
    """A column or value as an array; arrays of all kinds, and text, as they are."""
    is_array = isinstance(x, (jax.Array, KerasTensor, host_calls.HostArray))
    return x if is_array else to_element(x)


def _batches(table):
    """The rows of a table, {name: column}, in batches."""
    sizes = {name: len(column) for name, column in table.items()}
    if len({*sizes.values()}) > 1:
        raise ValueError(f"The columns of the table differ in length: {sizes}.")
    return [
        {name: column[i : i + _ADAPT_BATCH] for name, column in table.items()}
        for i in range(0, max(sizes.values(), default=0), _ADAPT_BATCH)
    ]


def _look_up_of(layer):
    """The look-up within a TextVectorization; other layers are their own."""
    return getattr(layer, "_lookup_layer", layer)


def _column(x):
    """An array of shape () or (n,) as a column (n, 1)."""
    if len(x.shape) == 0:
        return x.reshape((1, 1))
    return host_calls.view(x, "expand_dims") if len(x.shape) == 1 else x


registry.register("keras.utils", {"FeatureSpace": FeatureSpace})
