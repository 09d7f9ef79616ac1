"""LearningRateSchedule: a learning rate that depends on the step."""

from minikeras.core.checks import is_number
from minikeras.core.object_repr import describe, visible


class LearningRateSchedule:
    """Base class of schedules. Subclasses define `__call__(step)`.

    >>> class Halving(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> Halving()(2)
    0.025
    """

    def __call__(self, step):
        """Compute the learning rate at a step.

        Args:
            step: number of updates so far, an int32 scalar that may be traced.

        Returns:
            Float or scalar array.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `__call__(step)` method: define the "
            "learning rate of a step there."
        )

    def get_config(self):
        """Return the constructor's arguments."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `get_config()` method: return the "
            "constructor's arguments as a dict, so that files can hold the schedule."
        )

    @classmethod
    def from_config(cls, config):
        """Make a schedule from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)


_NUMERIC_ARGUMENTS = (
    "initial_learning_rate",
    "end_learning_rate",
    "decay_rate",
    "alpha",
    "power",
    "t_mul",
    "m_mul",
    "warmup_steps",
)


class NamedSchedule(LearningRateSchedule):
    """A schedule whose constructor's arguments are its attributes."""

    _mk_arguments: tuple[str, ...] = ()

    def _mk_store_arguments(self, **arguments):
        """Check arguments, and keep them as attributes that `get_config` returns."""
        for name, value in arguments.items():
            if name in _NUMERIC_ARGUMENTS and not is_number(value):
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a number, got {value!r}."
                )
            setattr(self, name, value)
        self._mk_arguments = tuple(arguments)

    def get_config(self):
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in self._mk_arguments}
