"""LAMB: Adam for large batches."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Lamb(Optimizer):
    """p - lr |p| d / |d|, where d is the direction of Adam's step.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        beta_1: in [0, 1); m, the average of g, moves by (1 - beta_1) (g - m).
        beta_2: in [0, 1); v, the average of g², moves by (1 - beta_2) (g² - v).
        epsilon: > 0; avoids a division by 0.
        *common, **settings: the arguments that all optimizers take.

    Source: You et al., Large Batch Optimization for Deep Learning, 2019.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Lamb(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.209, -2.791]
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
        """momentum and velocity of each weight."""
        return [[("momentum", "zeros"), ("velocity", "zeros")]]

    def _mk_transform(self):
        """See `rules.lamb`."""
        return rules.lamb(self.beta_1, self.beta_2, self.epsilon)
