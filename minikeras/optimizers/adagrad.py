"""Adagrad: the gradient over the size of all gradients so far."""

from minikeras.core import registry
from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


def constant(value):
    """The initializer `Constant(value)`."""
    config = {"class_name": "Constant", "config": {"value": value}}
    return registry.family("initializers").get(config)


class Adagrad(Optimizer):
    """p - lr g / sqrt(sum of g² + epsilon).

    Args:
        learning_rate: see `Optimizer`.
        initial_accumulator_value: >= 0; first value of the sum.
        epsilon: > 0.
        *common, **settings: see `Optimizer`.
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
        self._mk_set(
            initial_accumulator_value=initial_accumulator_value, epsilon=epsilon
        )

    def _mk_slot_groups(self):
        """An accumulator per weight."""
        return [[("accumulator", constant(self.initial_accumulator_value))]]

    def _mk_transform(self):
        """See `rules.adagrad`."""
        return rules.adagrad(self.initial_accumulator_value, self.epsilon)
