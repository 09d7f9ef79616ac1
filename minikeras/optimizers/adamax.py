"""Adamax: Adam with the largest gradient instead of the average of its square."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """p - lr m / (1 - beta_1^t) / (u + epsilon), u = max(beta_2 u, |g|).

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_1: in [0, 1); m, the average of g, moves by (1 - beta_1) (g - m).
        beta_2: in [0, 1); factor on u in u = max(beta_2 u, |g|).
        epsilon: > 0; avoids a division by 0.
        *common, **settings: the arguments that all optimizers take.

    Source: Kingma and Ba, Adam, 2014, section 7.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Adamax(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.5, -2.5]
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
        self._mk_store_arguments(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def _mk_slot_groups(self):
        """momentum and norm of each weight."""
        return [[("momentum", "zeros"), ("norm", "zeros")]]

    def _mk_transform(self):
        """See `rules.adamax`."""
        return rules.adamax(self.beta_1, self.beta_2, self.epsilon)
