"""A learning rate from a function of the epoch."""

import inspect

import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.reduce_lr_on_plateau import (
    learning_rate,
    learning_rates,
    optimizers_of,
    spoken,
)
from minikeras.core.printing import print_msg


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: function `schedule(epoch, lr)` or `schedule(epoch)`, with `epoch`
            counted from 0 and `lr` the present rate, that returns the new rate.
        verbose: 1 reports each change.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        for key, optimizer in optimizers_of(self.model):
            self._mk_set(optimizer, key, epoch)

    def _mk_set(self, optimizer, key, epoch):
        present = learning_rate(optimizer)
        both = _takes_both(self.schedule, epoch, present)
        rate = self.schedule(epoch, present) if both else self.schedule(epoch)
        is_scalar = hasattr(rate, "dtype") and np.ndim(rate) == 0
        if not isinstance(rate, float) and not is_scalar:
            raise ValueError(
                "LearningRateScheduler: expected `schedule` to return a float, got "
                f"{rate!r} of type {type(rate).__name__}."
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print_msg(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting {spoken(key)} to "
                f"{float(rate)}."
            )

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(learning_rates(self.model))


def _takes_both(schedule, epoch, rate):
    try:
        inspect.signature(schedule).bind(epoch, rate)
    except TypeError:
        return False
    except ValueError:  # a function without a signature, such as a built-in
        return True
    return True
