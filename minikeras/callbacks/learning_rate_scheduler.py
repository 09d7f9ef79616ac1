"""LearningRateScheduler: a learning rate that a function of the epoch computes."""

import inspect

import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.reduce_lr_on_plateau import (
    learning_rate,
    learning_rates,
    optimizers_by_key,
    rate_name,
)
from minikeras.core.printing import print_msg


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: function `schedule(epoch, lr)` or `schedule(epoch)` that returns the
            new learning rate as a float; `epoch` counts from 0, `lr` is the current
            learning rate.
        verbose: 1 prints the learning rate.

    >>> callback = LearningRateScheduler(lambda epoch, lr: 0.9 * lr)
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        for key, optimizer in optimizers_by_key(self.model):
            self._mk_set(optimizer, key, epoch)

    def _mk_set(self, optimizer, key, epoch):
        """Set the learning rate of one optimizer, whose key in the logs is `key`."""
        current = learning_rate(optimizer)
        if _accepts_rate(self.schedule, epoch, current):
            rate = self.schedule(epoch, current)
        else:
            rate = self.schedule(epoch)
        is_scalar = hasattr(rate, "dtype") and np.ndim(rate) == 0
        if not isinstance(rate, float) and not is_scalar:
            raise ValueError(
                "LearningRateScheduler: expected `schedule` to return a float, got "
                f"{rate!r} of type {type(rate).__name__}."
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print_msg(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting {rate_name(key)} "
                f"to {float(rate)}."
            )

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(learning_rates(self.model))


def _accepts_rate(schedule, epoch, rate):
    """True if the schedule can be called with epoch and rate."""
    try:
        inspect.signature(schedule).bind(epoch, rate)
    except TypeError:
        return False
    except ValueError:  # a function without a signature, such as a built-in
        return True
    return True
