"""Learning rates that depend on the step."""

from minikeras.core import registry
from minikeras.core.serialization import serialize_keras_object
from minikeras.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from minikeras.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from minikeras.optimizers.schedules.schedule import LearningRateSchedule
from minikeras.core.family import Family

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

deserialize = Family(
    "schedules",
    "learning-rate schedule",
    {name: globals()[name] for name in __all__ if name[0].isupper()},
).deserialize


def serialize(learning_rate_schedule):
    """Schedule -> what stands for it in a config."""
    return serialize_keras_object(learning_rate_schedule)


registry.register_all("keras.optimizers.schedules", globals())
