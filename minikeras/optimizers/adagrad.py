"""Adagrad: the gradient divided by the root of the sum of its squares."""

from minikeras.core import registry
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


def constant(value):
    """The initializer `Constant(value)`."""
    config = {"class_name": "Constant", "config": {"value": value}}
    return registry.family("initializers").get(config)


class Adagrad(Optimizer):
    """p - lr g / sqrt(sum of all g² + epsilon).

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        initial_accumulator_value: >= 0; first value of the sum.
        epsilon: > 0; avoids a division by 0.
        *common, **settings: the arguments that all optimizers take.

    Source: Duchi et al., Adaptive Subgradient Methods, 2011.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Adagrad(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.577, -2.477]
    """

    def __init__(
        self,
        learning_rate=0.001,
        initial_accumulator_value=0.1,
        epsilon=1e-7,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_store_arguments(
            initial_accumulator_value=initial_accumulator_value, epsilon=epsilon
        )

    def _mk_slot_groups(self):
        """accumulator of each weight."""
        return [[("accumulator", constant(self.initial_accumulator_value))]]

    def _mk_transform(self):
        """See `rules.adagrad`."""
        return rules.adagrad(self.initial_accumulator_value, self.epsilon)
