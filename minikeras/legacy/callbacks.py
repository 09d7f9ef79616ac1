"""Callbacks that Keras 3 has not."""

from minikeras.callbacks import Callback


class BaseLogger(Callback):
    """Does nothing: the logs of an epoch are averages already.

    Args:
        stateful_metrics: names of metrics; not needed.
    """

    def __init__(self, stateful_metrics=None):
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())


__all__ = ["BaseLogger"]
