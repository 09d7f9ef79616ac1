"""The kinds of columns that a `FeatureSpace` knows, and how each is prepared."""

import jax.numpy as jnp

from minikeras.core import naming, registry
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.discretization import Discretization
from minikeras.layers.preprocessing.numeric.hashing import Hashing
from minikeras.layers.preprocessing.numeric.integer_lookup import IntegerLookup
from minikeras.layers.preprocessing.numeric.normalization import Normalization
from minikeras.layers.preprocessing.rescaling import Rescaling
from minikeras.layers.preprocessing.text.string_lookup import StringLookup


def one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected one of {allowed}. "
            f"Received: {name}={value!r}"
        )
    return value


class Cross:
    """Several features that are encoded together, by the hash of their values.

    Args:
        feature_names: names of two features or more.
        crossing_dim: int >= 1, the number of hash bins.
        output_mode: "one_hot" or "int".
    """

    def __init__(self, feature_names, crossing_dim, output_mode="one_hot"):
        self.output_mode = one_of("output_mode", output_mode, ("int", "one_hot"))
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim

    @property
    def name(self) -> str:
        """The names of the features, joined by "_X_"."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        names = ("feature_names", "crossing_dim", "output_mode")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        """Make a cross from `get_config()`."""
        return cls(**config)


class Feature:
    """A column: its dtype, the layer that prepares it, and the form of the result.

    Args:
        dtype: name of the dtype of the column; "string" for text.
        preprocessor: layer.
        output_mode: "int", "one_hot" or "float".
    """

    def __init__(self, dtype, preprocessor, output_mode):
        modes = ("int", "one_hot", "float")
        self.output_mode = one_of("output_mode", output_mode, modes)
        if isinstance(preprocessor, dict):
            preprocessor = deserialize_keras_object(preprocessor)
        self.dtype, self.preprocessor = dtype, preprocessor

    def get_config(self) -> dict:
        """The constructor's arguments, the layer as its config."""
        layer = serialize_keras_object(self.preprocessor)
        return {
            "dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode
        }  # fmt: skip

    @classmethod
    def from_config(cls, config):
        """Make a feature from `get_config()`."""
        return cls(**config)


class TFDIdentity(DataLayer):
    """Gives the inputs back; Keras's files know it by this name."""

    def call(self, inputs):
        """The inputs."""
        return inputs


class TFDConcat(DataLayer):
    """Joins arrays along an axis; Keras's files know it by this name."""

    def __init__(self, axis, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        """The inputs as one array."""
        return jnp.concatenate(inputs, axis=self.axis)


def _feature(kind, name, make, dtype, output_mode):
    name = name or naming.auto_name(kind)
    return Feature(dtype, make(name=f"{name}_preprocessor"), output_mode)


class FeatureKinds:
    """Mix-in of FeatureSpace: a method for each kind of feature."""

    @classmethod
    def cross(cls, feature_names, crossing_dim, output_mode="one_hot"):
        """Features that are encoded together, by the hash of their values.

        Args:
            feature_names: names of two features or more.
            crossing_dim: int >= 1, the number of hash bins.
            output_mode: "one_hot" or "int".
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype, preprocessor, output_mode):
        """A feature with a layer of one's own.

        Args:
            dtype: name of the dtype of the column; "string" for text.
            preprocessor: layer.
            output_mode: "float", or "int" or "one_hot" for layers that give ints.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name=None):
        """Numbers as they are.

        Args:
            name: string, the start of the layer's name.
        """
        make = lambda name: TFDIdentity(dtype="float32", name=name)  # noqa: E731
        return _feature("float", name, make, "float32", "float")

    @classmethod
    def float_rescaled(cls, scale=1.0, offset=0.0, name=None):
        """Numbers times `scale`, plus `offset`.

        Args:
            scale, offset: numbers.
            name: string, the start of the layer's name.
        """
        make = lambda name: Rescaling(scale, offset, name=name)  # noqa: E731
        return _feature("float_rescaled", name, make, "float32", "float")

    @classmethod
    def float_normalized(cls, name=None):
        """Numbers of mean 0 and variance 1.

        Args:
            name: string, the start of the layer's name.
        """
        make = lambda name: Normalization(axis=-1, name=name)  # noqa: E731
        return _feature("float_normalized", name, make, "float32", "float")

    @classmethod
    def float_discretized(
        cls, num_bins, bin_boundaries=None, output_mode="one_hot", name=None
    ):
        """Numbers as the bins that they fall in.

        Args:
            num_bins: int, how many bins `adapt` makes, equally full.
            bin_boundaries: list of floats, instead of `adapt`.
            output_mode: "one_hot" or "int".
            name: string, the start of the layer's name.
        """
        make = lambda name: Discretization(  # noqa: E731
            bin_boundaries=bin_boundaries, num_bins=num_bins, name=name
        )
        return _feature("float_discretized", name, make, "float32", output_mode)

    @classmethod
    def integer_categorical(
        cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None
    ):
        """Ints as categories.

        Args:
            max_tokens: int, the most categories, unknown ones included; None: all.
            num_oov_indices: int, how many categories unknown ints are spread over.
            output_mode: "one_hot" or "int".
            name: string, the start of the layer's name.
        """
        make = lambda name: IntegerLookup(  # noqa: E731
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=name
        )
        return _feature("integer_categorical", name, make, "int32", output_mode)

    @classmethod
    def string_categorical(
        cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None
    ):
        """Strings as categories.

        Args:
            max_tokens: int, the most categories, unknown ones included; None: all.
            num_oov_indices: int, how many categories unknown strings are spread over.
            output_mode: "one_hot" or "int".
            name: string, the start of the layer's name.
        """
        make = lambda name: StringLookup(  # noqa: E731
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=name
        )
        return _feature("string_categorical", name, make, "string", output_mode)

    @classmethod
    def string_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Strings as hash bins.

        Args:
            num_bins: int >= 1.
            output_mode: "one_hot" or "int".
            name: string, the start of the layer's name.
        """
        make = lambda name: Hashing(num_bins, name=name)  # noqa: E731
        return _feature("string_hashed", name, make, "string", output_mode)

    @classmethod
    def integer_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Ints as hash bins.

        Args:
            num_bins: int >= 1.
            output_mode: "one_hot" or "int".
            name: string, the start of the layer's name.
        """
        make = lambda name: Hashing(num_bins, name=name)  # noqa: E731
        return _feature("integer_hashed", name, make, "int32", output_mode)

    def _mk_feature(self, name, kind):
        """A `Feature` from what the constructor takes for one."""
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, dict):
            return deserialize_keras_object(kind)
        sizes = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        kinds = ("float", "float_normalized", "float_rescaled", "integer_categorical",
                 "string_categorical", *sizes)  # fmt: skip
        if kind not in kinds:
            raise ValueError(
                f"Invalid feature type: {kind}. Expected one of {kinds}, or what a "
                "method such as FeatureSpace.float_normalized() returns."
            )
        size = (sizes[kind],) if kind in sizes else ()
        return getattr(self, kind)(*size, name=name)

    def _mk_cross(self, cross):
        """A `Cross` from what the constructor takes for one."""
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        if isinstance(cross, Cross):
            return cross
        if not self.crossing_dim:
            raise ValueError(
                "When specifying `crosses`, the argument `crossing_dim` "
                "(dimensionality of the crossing space) should be specified as well."
            )
        if any(name not in self.features for name in cross):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present "
                f"in the `features` dict. Received unknown features: {cross}"
            )
        return Cross(cross, self.crossing_dim)


registry.register(
    "keras.src.layers.preprocessing.feature_space",
    {
        "Cross": Cross,
        "Feature": Feature,
        "TFDConcat": TFDConcat,
        "TFDIdentity": TFDIdentity,
    },
)
