"""Nadam: Adam with Nesterov momentum."""

from minikeras.core.members import Alias
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Nadam(Optimizer):
    """Adam with Nesterov momentum; beta_1 grows to its value over the steps.

    Args:
        learning_rate: see `Optimizer`.
        beta_1, beta_2: in [0, 1); how slowly the means of g and g² move.
        epsilon: > 0.
        *common, **settings: see `Optimizer`.
    """

    _u_product = Alias("_mk_u_product")

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

    def _mk_build_slots(self, variables):
        super()._mk_build_slots(variables)
        dtype = variables[0].dtype if variables else None
        self._mk_u_product = self._mk_counter("u_product", 1.0, dtype)
        self._mk_slots["u_product"] = self._mk_u_product

    def _mk_transform(self):
        """See `rules.nadam`."""
        return rules.nadam(self.beta_1, self.beta_2, self.epsilon)
