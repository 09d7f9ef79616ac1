"""SGD: a step against the gradient, with momentum."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """p - lr g; with momentum m = momentum m - lr g: p + m.

    Args:
        learning_rate: see `Optimizer`.
        momentum: in [0, 1].
        nesterov: look ahead: p + momentum m - lr g?
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self, learning_rate=0.01, momentum=0.0, nesterov=False, *common, **settings
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(momentum=momentum, nesterov=nesterov)

    def _mk_slot_groups(self):
        """A momentum per weight, if it has a part."""
        return [[("momentum", "zeros")]] if self.momentum != 0 else []

    def _mk_transform(self):
        """See `rules.sgd`."""
        return rules.sgd(self.momentum, self.nesterov)
