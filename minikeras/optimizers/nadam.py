"""Nadam: Adam with Nesterov momentum."""

from minikeras.core.members import Alias
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Nadam(Optimizer):
    """Adam with Nesterov momentum: m is replaced by its value after the next step.

    In step t, beta_1 is multiplied by 1 - 0.96^t / 2.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_1: in [0, 1); m, the average of g, moves by (1 - beta_1) (g - m).
        beta_2: in [0, 1); v, the average of g², moves by (1 - beta_2) (g² - v).
        epsilon: > 0; avoids a division by 0.
        *common, **settings: the arguments that all optimizers take.

    Source: Dozat, Incorporating Nesterov Momentum into Adam, 2016.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Nadam(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.469, -2.531]
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
        self._mk_store_arguments(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def _mk_slot_groups(self):
        """momentum and velocity of each weight."""
        return [[("momentum", "zeros"), ("velocity", "zeros")]]

    def _mk_build_slots(self, variables):
        super()._mk_build_slots(variables)
        dtype = variables[0].dtype if variables else None
        self._mk_u_product = self._mk_add_scalar("u_product", 1.0, dtype)
        self._mk_slots["u_product"] = self._mk_u_product

    def _mk_transform(self):
        """See `rules.nadam`."""
        return rules.nadam(self.beta_1, self.beta_2, self.epsilon)
