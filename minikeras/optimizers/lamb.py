"""LAMB: Adam for large batches."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Lamb(Optimizer):
    """Adam's direction, with a step as long as lr |p| for each weight p.

    Args:
        learning_rate: see `Optimizer`.
        beta_1, beta_2: in [0, 1); how slowly the means of g and g² move.
        epsilon: > 0.
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def _mk_slot_groups(self):
        """momentum and velocity of each weight."""
        return [[("momentum", "zeros"), ("velocity", "zeros")]]

    def _mk_transform(self):
        """See `rules.lamb`."""
        return rules.lamb(self.beta_1, self.beta_2, self.epsilon)
