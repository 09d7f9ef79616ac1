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
from minikeras.core.family import Family as _Family

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

_family = _Family(
    "schedules",
    "learning-rate schedule",
    {name: globals()[name] for name in __all__ if name[0].isupper()},
)


def deserialize(config, custom_objects=None):
    """Make a schedule from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.

    Raises:
        ValueError: unknown name.
    """
    return _family.deserialize(config, custom_objects)


def serialize(learning_rate_schedule):
    """Write a schedule as a config dict that `deserialize` reads.

    Args:
        learning_rate_schedule: a `LearningRateSchedule`.
    """
    return serialize_keras_object(learning_rate_schedule)


registry.register_all("keras.optimizers.schedules", globals())
