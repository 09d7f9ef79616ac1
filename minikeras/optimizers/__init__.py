"""Optimizers: how gradients change weights."""

from minikeras.core import registry
from minikeras.core.serialization import serialize_keras_object
from minikeras.optimizers import legacy
from minikeras.optimizers import schedules
from minikeras.optimizers.adadelta import Adadelta
from minikeras.optimizers.adafactor import Adafactor
from minikeras.optimizers.adagrad import Adagrad
from minikeras.optimizers.adamax import Adamax
from minikeras.optimizers.ftrl import Ftrl
from minikeras.optimizers.lamb import Lamb
from minikeras.optimizers.lion import Lion
from minikeras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from minikeras.optimizers.multi_optimizer import MultiOptimizer
from minikeras.optimizers.multi_optimizer import OptimizerMap
from minikeras.optimizers.muon import Muon
from minikeras.optimizers.nadam import Nadam
from minikeras.optimizers.adam import Adam
from minikeras.optimizers.adamw import AdamW
from minikeras.optimizers.optax_optimizer import OptaxOptimizer
from minikeras.optimizers.optimizer import Optimizer
from minikeras.optimizers.rmsprop import RMSprop
from minikeras.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from minikeras.optimizers.sgd import SGD
from minikeras.core.family import Family as _Family

__all__ = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "SGD",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_classes = {
    name: globals()[name]
    for name in __all__
    if name[0].isupper() and name not in ("Optimizer", "OptimizerMap")
}


class _OptimizerFamily(_Family):
    """The optimizers: names in any case, and optax transformations."""

    def find(self, name, custom_objects=None):
        """The class called `name`, in upper or lower case."""
        lower = str(name).lower()
        known = name in self.names or lower not in self.names
        return super().find(name if known else lower, custom_objects)

    def get(self, identifier):
        """Make an optimizer from a name, config dict, object or transformation."""
        # Looked up by its two functions, not by its type: importing optax takes as
        # long as importing minikeras.
        functions = (getattr(identifier, name, None) for name in ("init", "update"))
        if not isinstance(identifier, Optimizer) and all(map(callable, functions)):
            return OptaxOptimizer(identifier)
        if isinstance(identifier, type):
            name = identifier.__name__
            raise ValueError(
                f"Could not interpret optimizer: {name} is a class. Make an object of "
                f"it: {name}(learning_rate=...)."
            )
        found = super().get(identifier)
        if found is not None and not hasattr(found, "apply"):
            raise ValueError(
                f"Could not interpret optimizer: {identifier!r}. Expected a name, a "
                "config dict, an optimizer or an optax transformation."
            )
        return found


_family = _OptimizerFamily(
    "optimizers",
    "optimizer",
    _classes | {name.lower(): cls for name, cls in _classes.items()},
)


def get(identifier):
    """Make an optimizer from its name, config or optax transformation.

    Args:
        identifier: name in any case, config dict, `Optimizer`, or optax gradient
            transformation; None stays None.

    Returns:
        An `Optimizer`; an object is returned unchanged.

    Raises:
        ValueError: unknown name, a class, or something else.

    >>> float(keras.optimizers.get("adam").learning_rate)
    0.001...
    """
    return _family.get(identifier)


def deserialize(config, custom_objects=None):
    """Make an optimizer from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.

    Raises:
        ValueError: unknown name.
    """
    return _family.deserialize(config, custom_objects)


def serialize(optimizer):
    """Write an optimizer as a config dict that `deserialize` reads.

    Args:
        optimizer: an `Optimizer`.
    """
    return serialize_keras_object(optimizer)


registry.register_all("keras.optimizers", globals())
# After `keras.optimizers`: the first module that registers a class is its home.
registry.register_all("keras.optimizers.legacy", vars(legacy))
registry.register("keras", {"Optimizer": Optimizer})
