"""LearningRateSchedule: a learning rate that depends on the step."""

from minikeras.core.checks import is_number
from minikeras.core.object_repr import describe, visible


class LearningRateSchedule:
    """Base of schedules: define `__call__(step)` -> learning rate.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> Halving()(2)
    0.025
    """

    def __call__(self, step):
        """Learning rate at `step`, an int32 scalar that may be traced."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `__call__(step)` method: define the "
            "learning rate of a step there."
        )

    def get_config(self):
        """The constructor's arguments."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `get_config()` method: return the "
            "constructor's arguments as a dict, so that files can hold the schedule."
        )

    @classmethod
    def from_config(cls, config):
        """A new schedule from `get_config()`."""
        return cls(**config)

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)


_NUMBERS = """initial_learning_rate end_learning_rate decay_rate alpha power t_mul m_mul
    warmup_steps""".split()


class NamedSchedule(LearningRateSchedule):
    """A schedule whose constructor's arguments are its attributes."""

    _mk_arguments: tuple[str, ...] = ()

    def _mk_set(self, **arguments):
        for name, value in arguments.items():
            if name in _NUMBERS and not is_number(value):
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a number, got {value!r}."
                )
            setattr(self, name, value)
        self._mk_arguments = tuple(arguments)

    def get_config(self):
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in self._mk_arguments}
