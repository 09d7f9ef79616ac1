"""RMSprop: the gradient over its recent size."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """p - lr g / sqrt(v + epsilon), v the running mean of g².

    Args:
        learning_rate: see `Optimizer`.
        rho: in [0, 1); how slowly the mean moves.
        momentum: >= 0; share of the step before that is added.
        epsilon: > 0.
        centered: divide by the variance of g instead?
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(rho=rho, momentum=momentum, epsilon=epsilon, centered=centered)

    def _mk_slot_groups(self):
        """velocity, then momentum and average_gradient if they have a part."""
        names = ["velocity"]
        names += ["momentum"] if self.momentum > 0 else []
        names += ["average_gradient"] if self.centered else []
        return [[(name, "zeros")] for name in names]

    def _mk_transform(self):
        """See `rules.rmsprop`."""
        return rules.rmsprop(self.rho, self.momentum, self.epsilon, self.centered)
