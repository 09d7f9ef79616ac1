"""Lion: steps of one size, in the direction of the momentum's sign."""

import numbers

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """p - lr sign(beta_1 m + (1 - beta_1) g).

    Args:
        learning_rate: see `Optimizer`; 3 to 10 times smaller than Adam's.
        beta_1: in (0, 1]; share of the momentum in the direction.
        beta_2: in [0, 1); how slowly the momentum moves.
        *common, **settings: see `Optimizer`.
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, *common, **settings
    ):
        if isinstance(beta_1, numbers.Real) and not 0 < beta_1 <= 1:
            raise ValueError(
                "Lion: Argument `beta_1` must be in the [0, 1] range. Otherwise, the "
                f"optimizer degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        super().__init__(learning_rate, *common, **settings)
        self._mk_set(beta_1=beta_1, beta_2=beta_2)

    def _mk_slot_groups(self):
        """A momentum per weight."""
        return [[("momentum", "zeros")]]

    def _mk_transform(self):
        """See `rules.lion`."""
        return rules.lion(self.beta_1, self.beta_2)
