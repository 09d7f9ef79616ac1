"""Adadelta: steps in the units of the weights."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """p - lr g rms(steps so far) / rms(gradients so far).

    Args:
        learning_rate: see `Optimizer`; 1.0 is the paper's.
        rho: in [0, 1); how slowly the means move.
        epsilon: > 0.
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self, learning_rate=0.001, rho=0.95, epsilon=1e-7, *common, **settings
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(rho=rho, epsilon=epsilon)

    def _mk_slot_groups(self):
        """The mean squares of gradients and steps."""
        return [[("accumulated_grad", "zeros"), ("accumulated_delta_var", "zeros")]]

    def _mk_transform(self):
        """See `rules.adadelta`."""
        return rules.adadelta(self.rho, self.epsilon)
