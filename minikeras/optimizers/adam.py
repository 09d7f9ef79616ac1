"""Adam: moving averages of the gradient and of its square."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """p - lr m sqrt(1 - beta_2^t) / (1 - beta_1^t) / (sqrt(v) + epsilon).

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_1: in [0, 1); m, the average of g, moves by (1 - beta_1) (g - m).
        beta_2: in [0, 1); v, the average of g², moves by (1 - beta_2) (g² - v).
        epsilon: > 0; avoids a division by 0.
        amsgrad: bool, whether to divide by the largest v so far.
        *common, **settings: the arguments that all optimizers take.

    Source: Kingma and Ba, Adam, 2014; Reddi et al., 2018 (amsgrad).

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Adam(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.5, -2.5]
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
        self._mk_store_arguments(
            beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad
        )

    def _mk_slot_groups(self):
        """momentum and velocity of each weight; after all, velocity_hat if amsgrad."""
        groups = [[("momentum", "zeros"), ("velocity", "zeros")]]
        return groups + ([[("velocity_hat", "zeros")]] if self.amsgrad else [])

    def _mk_transform(self):
        """See `rules.adam`."""
        return rules.adam(self.beta_1, self.beta_2, self.epsilon, self.amsgrad)
