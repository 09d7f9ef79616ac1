"""Metrics: numbers that describe a model over many batches."""

from minikeras.core import registry
from minikeras.core.serialization import serialize_keras_object
from minikeras.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minikeras.metrics.auc import AUC
from minikeras.metrics.auc import PrecisionAtRecall
from minikeras.metrics.auc import RecallAtPrecision
from minikeras.metrics.auc import SensitivityAtSpecificity
from minikeras.metrics.auc import SpecificityAtSensitivity
from minikeras.metrics.confusion import FalseNegatives
from minikeras.metrics.confusion import FalsePositives
from minikeras.metrics.confusion import Precision
from minikeras.metrics.confusion import Recall
from minikeras.metrics.confusion import TrueNegatives
from minikeras.metrics.confusion import TruePositives
from minikeras.metrics.correlation import ConcordanceCorrelation
from minikeras.metrics.correlation import PearsonCorrelation
from minikeras.metrics.correlation import concordance_correlation
from minikeras.metrics.correlation import pearson_correlation
from minikeras.metrics.f_score import F1Score
from minikeras.metrics.f_score import FBetaScore
from minikeras.metrics.iou import BinaryIoU
from minikeras.metrics.iou import IoU
from minikeras.metrics.iou import MeanIoU
from minikeras.metrics.iou import OneHotIoU
from minikeras.metrics.iou import OneHotMeanIoU
from minikeras.metrics.r2_score import R2Score
from minikeras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minikeras.metrics.metric import Metric
from minikeras.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from minikeras.metrics.reduction import Mean, MeanMetricWrapper, Sum
from minikeras.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from minikeras.core.family import Family as _Family

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

ALIASES = {
    "bce": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}
_classes = {name: globals()[name] for name in __all__ if name[0].isupper()}
_family = _Family(
    "metrics",
    "metric",
    _classes | ALIASES | {name.upper(): cls for name, cls in ALIASES.items()},
)


def get(identifier):
    """Make a metric from its name, config or class.

    Args:
        identifier: name, config dict or class; a function, object or None is
            returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> keras.metrics.get("mae").name
    'mean_absolute_error'
    """
    return _family.get(identifier)


def deserialize(config, custom_objects=None):
    """Make a metric from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.

    Raises:
        ValueError: unknown name.
    """
    return _family.deserialize(config, custom_objects)


def serialize(metric):
    """Write a metric as a config dict that `deserialize` reads.

    Args:
        metric: a `Metric` or a function.
    """
    return serialize_keras_object(metric)


registry.register_all("keras.metrics", globals())
