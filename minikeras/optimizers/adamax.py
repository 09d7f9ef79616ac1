"""Adamax: Adam with the largest gradient in place of the mean square."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """p - lr m / (1 - beta_1^t) / (u + epsilon), u = max(beta_2 u, |g|).

    Args:
        learning_rate: see `Optimizer`.
        beta_1, beta_2: in [0, 1); how slowly m and u move.
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
        """momentum and norm of each weight."""
        return [[("momentum", "zeros"), ("norm", "zeros")]]

    def _mk_transform(self):
        """See `rules.adamax`."""
        return rules.adamax(self.beta_1, self.beta_2, self.epsilon)
