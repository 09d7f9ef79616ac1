"""Loss functions and classes: what training minimizes."""

from minikeras.core import registry
from minikeras.core.serialization import serialize_keras_object
from minikeras.losses.ctc import CTC, ctc
from minikeras.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from minikeras.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from minikeras.losses.loss import Loss, LossFunctionWrapper
from minikeras.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from minikeras.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minikeras.losses.segmentation import Dice, Tversky, dice, tversky
from minikeras.losses.similarity import (
    Circle,
    CosineSimilarity,
    circle,
    cosine_similarity,
)
from minikeras.core.family import Family as _Family

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

ALIASES = {
    "bce": binary_crossentropy,
    "huber_loss": huber,
    "kld": kl_divergence,
    "kullback_leibler_divergence": kl_divergence,
    "logcosh": log_cosh,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_not_losses = ("get", "serialize", "deserialize")
_family = _Family(
    "losses",
    "loss",
    {name: globals()[name] for name in __all__ if name not in _not_losses}
    | ALIASES
    | {name.upper(): ALIASES[name] for name in ALIASES if len(name) <= 4},
)


def get(identifier):
    """Make a loss from its name, config or class.

    Args:
        identifier: name, config dict or class; a function, object or None is
            returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> keras.losses.get("mse") is keras.losses.mean_squared_error, keras.losses.get("Huber").delta
    (True, 1.0)
    """
    return _family.get(identifier)


def deserialize(name, custom_objects=None):
    """Make a loss from its config or name.

    Args:
        name: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.

    Raises:
        ValueError: unknown name.
    """
    return _family.deserialize(name, custom_objects)


def serialize(loss):
    """Write a loss as a config dict that `deserialize` reads.

    Args:
        loss: a `Loss` or a function.
    """
    return serialize_keras_object(loss)


registry.register_all("keras.losses", globals())
registry.register(
    "keras.src.losses.losses", {"LossFunctionWrapper": LossFunctionWrapper}
)
