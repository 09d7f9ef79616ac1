"""Lion: steps whose entries are ±lr, by the sign of the momentum."""

import numbers

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """p - lr sign(beta_1 m + (1 - beta_1) g), where m is the average of g.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments; 3
            to 10 times smaller than Adam's.
        beta_1: in (0, 1]; share of m in the direction.
        beta_2: in [0, 1); m, the average of g, moves by (1 - beta_2) (g - m).
        *common, **settings: the arguments that all optimizers take.

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Lion(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.5, -2.5]
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
        self._mk_store_arguments(beta_1=beta_1, beta_2=beta_2)

    def _mk_slot_groups(self):
        """momentum of each weight."""
        return [[("momentum", "zeros")]]

    def _mk_transform(self):
        """See `rules.lion`."""
        return rules.lion(self.beta_1, self.beta_2)
