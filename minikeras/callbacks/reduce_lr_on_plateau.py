"""ReduceLROnPlateau: lowers the learning rate when a metric does not improve."""

import warnings

import numpy as np

from minikeras.callbacks.monitor_callback import MonitorCallback
from minikeras.core.printing import print_msg


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when a metric has stopped improving.

    Args:
        monitor: name of the metric in the logs.
        factor: in (0, 1); factor of the learning rate.
        patience: number of epochs without improvement after which the rate is lowered.
        verbose: 1 prints when the rate is lowered.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        min_delta: >= 0; a smaller change is no improvement.
        cooldown: number of epochs after a change in which nothing is counted.
        min_lr: lower bound of the learning rate.
        **kwargs: ignored; arguments of older Keras versions.

    Raises:
        ValueError: `factor` is not below 1.

    >>> callback = ReduceLROnPlateau(factor=0.5, patience=3, min_lr=1e-5)
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
        **kwargs,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau: expected a factor below 1, got factor={factor}; "
                "the learning rate would not fall."
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._mk_reset()

    def _mk_reset(self):
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs=None):
        self._mk_reset()

    def in_cooldown(self):
        """True in the epochs after a change in which nothing is counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        logs.update(learning_rates(self.model))
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"ReduceLROnPlateau watches {self.monitor!r}, which is not among the "
                f"metrics: {', '.join(logs)}. The learning rate stays.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                for key, optimizer in optimizers_by_key(self.model):
                    self._mk_reduce(optimizer, key, epoch)

    def _mk_reduce(self, optimizer, key, epoch):
        """Lower the rate of one optimizer, whose key in the logs is `key`."""
        old = learning_rate(optimizer)
        # The optimizer has rounded min_lr to float32: without the same rounding here, a
        # rate that has reached it could still be above it.
        if old <= float(np.float32(self.min_lr)):
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose > 0:
            print_msg(
                f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {rate_name(key)} to "
                f"{new}."
            )


def optimizers_by_key(model):
    """[(key of the rate in logs, optimizer)]: several for a MultiOptimizer."""
    optimizer = model.optimizer
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(inner, "optimizers"):
        return [("learning_rate", optimizer)]
    return [(f"learning_rate_{each.name}", each) for each in inner.optimizers]


def learning_rates(model):
    """{key of the rate in logs: learning rate as a float}."""
    return {key: learning_rate(each) for key, each in optimizers_by_key(model)}


def rate_name(key):
    """The key of a rate in words: "learning rate", or "sgd learning rate"."""
    return f"{key.removeprefix('learning_rate').lstrip('_')} learning rate".strip()


def learning_rate(optimizer):
    """The optimizer's learning rate as a Python float."""
    if not hasattr(optimizer, "learning_rate"):
        raise ValueError(
            f"The optimizer {type(optimizer).__name__} has no `learning_rate` to set; "
            "expected an optimizer of minikeras.optimizers."
        )
    return float(np.asarray(optimizer.learning_rate))
