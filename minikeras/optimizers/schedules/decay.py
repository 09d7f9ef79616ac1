"""Schedules that lower the rate: exponential, inverse, stepwise, polynomial."""

import jax.numpy as jnp

from minikeras.core.checks import positive_number
from minikeras.core.variable import convert_to_tensor
from minikeras.optimizers.schedules.schedule import NamedSchedule


def _periods(step, decay_steps, staircase, dtype):
    """step / decay_steps, rounded down if `staircase`."""
    passed = convert_to_tensor(step, dtype) / jnp.asarray(decay_steps, dtype)
    return jnp.floor(passed) if staircase else passed


def exponential_decay(step, initial, decay_steps, decay_rate, staircase=False):
    """initial decay_rate^(step / decay_steps)."""
    initial = convert_to_tensor(initial)
    rate = jnp.asarray(decay_rate, initial.dtype)
    periods = _periods(step, decay_steps, staircase, initial.dtype)
    return initial * jnp.power(rate, periods)


def inverse_time_decay(step, initial, decay_steps, decay_rate, staircase=False):
    """initial / (1 + decay_rate step / decay_steps)."""
    initial = convert_to_tensor(initial)
    rate = jnp.asarray(decay_rate, initial.dtype)
    periods = _periods(step, decay_steps, staircase, initial.dtype)
    return initial / (1.0 + rate * periods)


def piecewise_constant(step, boundaries, values):
    """values[i], where i is the number of boundaries that are less than `step`."""
    step = convert_to_tensor(step)
    below = [step > jnp.asarray(b).astype(step.dtype) for b in boundaries]
    index = sum(x.astype("int32") for x in below) if below else jnp.int32(0)
    return convert_to_tensor(list(values))[index]


def polynomial_decay(step, initial, decay_steps, end, power=1.0, cycle=False):
    """(initial - end) (1 - step / decay_steps)^power + end; after decay_steps `end`.

    With `cycle`, decay_steps is replaced by its first multiple >= step.
    """
    initial = convert_to_tensor(initial)
    dtype = initial.dtype
    end, step = jnp.asarray(end, dtype), convert_to_tensor(step, dtype)
    steps = jnp.asarray(decay_steps, dtype)
    if cycle:
        steps = steps * jnp.where(step == 0, 1.0, jnp.ceil(step / steps))
    else:
        step = jnp.minimum(step, steps)
    left = 1.0 - step / steps
    return (initial - end) * jnp.power(left, jnp.asarray(power, dtype)) + end


class ExponentialDecay(NamedSchedule):
    """initial_learning_rate decay_rate^(step / decay_steps).

    Args:
        initial_learning_rate: float.
        decay_steps: > 0; number of steps for a factor of `decay_rate`.
        decay_rate: > 0.
        staircase: bool, whether to round step / decay_steps down.
        name: name in the config.

    >>> schedules = keras.optimizers.schedules
    >>> float(schedules.ExponentialDecay(1.0, decay_steps=10, decay_rate=0.25)(5))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="ExponentialDecay",
    ):
        self._mk_store_arguments(
            initial_learning_rate=initial_learning_rate,
            decay_steps=positive_number(decay_steps, "decay_steps"),
            decay_rate=decay_rate,
            staircase=staircase,
            name=name,
        )

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return exponential_decay(
            step,
            self.initial_learning_rate,
            self.decay_steps,
            self.decay_rate,
            self.staircase,
        )


class InverseTimeDecay(NamedSchedule):
    """initial_learning_rate / (1 + decay_rate step / decay_steps).

    Args:
        initial_learning_rate: float.
        decay_steps: > 0; number of steps.
        decay_rate: float.
        staircase: bool, whether to round step / decay_steps down.
        name: name in the config.

    >>> schedules = keras.optimizers.schedules
    >>> float(schedules.InverseTimeDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="InverseTimeDecay",
    ):
        self._mk_store_arguments(
            initial_learning_rate=initial_learning_rate,
            decay_steps=positive_number(decay_steps, "decay_steps"),
            decay_rate=decay_rate,
            staircase=staircase,
            name=name,
        )

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return inverse_time_decay(
            step,
            self.initial_learning_rate,
            self.decay_steps,
            self.decay_rate,
            self.staircase,
        )


class PiecewiseConstantDecay(NamedSchedule):
    """values[i], where i is the number of boundaries that are less than the step.

    Args:
        boundaries: list of steps in rising order.
        values: list of rates, one more than boundaries.
        name: name in the config.

    Raises:
        ValueError: the arguments are no lists, or have other lengths.

    >>> schedules = keras.optimizers.schedules
    >>> schedule = schedules.PiecewiseConstantDecay([10, 20], [0.5, 0.25, 0.125])
    >>> [float(schedule(step)) for step in (0, 10, 11, 21)]
    [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if not all(hasattr(x, "__len__") for x in (boundaries, values)):
            raise ValueError(
                "PiecewiseConstantDecay: boundaries and values must be lists, got "
                f"{boundaries!r} and {values!r}."
            )
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: expected one more value than boundaries, got "
                f"{len(boundaries)} boundaries {boundaries} and {len(values)} values "
                f"{values}."
            )
        self._mk_store_arguments(boundaries=boundaries, values=values, name=name)

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return piecewise_constant(step, self.boundaries, self.values)


class PolynomialDecay(NamedSchedule):
    """(initial - end) (1 - step / decay_steps)^power + end; after decay_steps `end`.

    Args:
        initial_learning_rate: float, the initial rate.
        decay_steps: > 0; number of steps of the decay.
        end_learning_rate: float, the end.
        power: > 0; 1 gives a linear decay.
        cycle: bool, whether to replace decay_steps by its first multiple >= step: after
            each decay the rate jumps up, and decays more slowly.
        name: name in the config.

    >>> schedules = keras.optimizers.schedules
    >>> schedule = schedules.PolynomialDecay(1.0, 10, end_learning_rate=0.0)
    >>> [float(schedule(step)) for step in (0, 5, 20)]
    [1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        self._mk_store_arguments(
            initial_learning_rate=initial_learning_rate,
            decay_steps=positive_number(decay_steps, "decay_steps"),
            end_learning_rate=end_learning_rate,
            power=power,
            cycle=cycle,
            name=name,
        )

    def __call__(self, step):
        """Return the learning rate at a step, a scalar array."""
        return polynomial_decay(
            step,
            self.initial_learning_rate,
            self.decay_steps,
            self.end_learning_rate,
            self.power,
            self.cycle,
        )
