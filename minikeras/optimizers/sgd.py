"""SGD: a step against the gradient, with momentum."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """p - lr g; with momentum p + m, where m = momentum m - lr g.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        momentum: in [0, 1]; share of the last step that is added to a step.
        nesterov: bool, whether to step to p + momentum m - lr g instead of p + m.
        *common, **settings: the arguments that all optimizers take.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.SGD(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.75, -2.5]
    """

    def __init__(
        self, learning_rate=0.01, momentum=0.0, nesterov=False, *common, **settings
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_store_arguments(momentum=momentum, nesterov=nesterov)

    def _mk_slot_groups(self):
        """momentum of each weight, if momentum is not 0."""
        return [[("momentum", "zeros")]] if self.momentum != 0 else []

    def _mk_transform(self):
        """See `rules.sgd`."""
        return rules.sgd(self.momentum, self.nesterov)
