"""FTRL: follow the regularized leader; sparse weights."""

import numbers

from minikeras.optimizers import rules
from minikeras.optimizers.adagrad import constant
from minikeras.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """Follow the regularized leader, see `rules.ftrl`.

    Args:
        learning_rate: see `Optimizer`.
        learning_rate_power: <= 0; -0.5 divides by the root of the sum of g².
        initial_accumulator_value: >= 0; first value of that sum.
        l1_regularization_strength: >= 0.
        l2_regularization_strength: >= 0.
        l2_shrinkage_regularization_strength: >= 0.
        beta: >= 0.
        *common, **settings: see `Optimizer`.

    Raises:
        ValueError: a number with the wrong sign.
    """

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        *common,
        **settings,
    ):
        super().__init__(learning_rate, *common, **settings)
        own = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": (
                l2_shrinkage_regularization_strength
            ),
        }
        for name, value in own.items():
            power = name == "learning_rate_power"
            if isinstance(value, numbers.Real) and (value > 0 if power else value < 0):
                sign = "negative or zero" if power else "positive or zero"
                raise ValueError(
                    f"`{name}` needs to be {sign}. Received: {name}={value}."
                )
        self._mk_set(**own, beta=beta)

    def _mk_slot_groups(self):
        """accumulator and linear of each weight."""
        start = constant(self.initial_accumulator_value)
        return [[("accumulator", start), ("linear", "zeros")]]

    def _mk_transform(self):
        """See `rules.ftrl`."""
        return rules.ftrl(
            self.learning_rate_power,
            self.initial_accumulator_value,
            self.l1_regularization_strength,
            self.l2_regularization_strength,
            self.l2_shrinkage_regularization_strength,
            self.beta,
        )
