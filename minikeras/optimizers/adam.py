"""Adam: running means of the gradient and of its square."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """p - lr m sqrt(1 - beta_2^t) / (1 - beta_1^t) / (sqrt(v) + epsilon).

    Args:
        learning_rate: see `Optimizer`.
        beta_1: in [0, 1); how slowly m, the mean of g, moves.
        beta_2: in [0, 1); how slowly v, the mean of g², moves.
        epsilon: > 0.
        amsgrad: divide by the largest v so far?
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad)

    def _mk_slot_groups(self):
        """momentum and velocity of each weight, then velocity_hat if amsgrad."""
        groups = [[("momentum", "zeros"), ("velocity", "zeros")]]
        return groups + ([[("velocity_hat", "zeros")]] if self.amsgrad else [])

    def _mk_transform(self):
        """See `rules.adam`."""
        return rules.adam(self.beta_1, self.beta_2, self.epsilon, self.amsgrad)
