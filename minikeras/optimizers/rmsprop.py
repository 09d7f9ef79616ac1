"""RMSprop: the gradient over its recent size."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """p - lr g / sqrt(v + epsilon), where v is the moving average of g².

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        rho: in [0, 1); v moves by (1 - rho) (g² - v).
        momentum: >= 0; share of the last step that is added to a step.
        epsilon: > 0; avoids a division by 0.
        centered: bool, whether to divide by the standard deviation of g instead of
            sqrt(v).
        *common, **settings: the arguments that all optimizers take.

    Source: Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.RMSprop(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [-0.581, -3.581]
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
        self._mk_store_arguments(
            rho=rho, momentum=momentum, epsilon=epsilon, centered=centered
        )

    def _mk_slot_groups(self):
        """velocity; momentum if it is > 0, average_gradient if centered."""
        names = ["velocity"]
        names += ["momentum"] if self.momentum > 0 else []
        names += ["average_gradient"] if self.centered else []
        return [[(name, "zeros")] for name in names]

    def _mk_transform(self):
        """See `rules.rmsprop`."""
        return rules.rmsprop(self.rho, self.momentum, self.epsilon, self.centered)
