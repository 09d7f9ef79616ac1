"""FTRL: follow the regularized leader, for sparse weights."""

import numbers

from minikeras.optimizers import rules
from minikeras.optimizers.adagrad import constant
from minikeras.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """Minimize the sum of all linearized losses and of the penalties on p.

    With z the slot `linear` and n the sum of g², the new weight is
    (clip(z, -l1, l1) - z) / (n^-learning_rate_power / lr + 2 l2 + beta / lr); so
    weights with |z| <= l1 are exactly 0.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        learning_rate_power: <= 0; -0.5 divides by the root of n.
        initial_accumulator_value: >= 0; first value of n.
        l1_regularization_strength: l1 >= 0; factor of the penalty on |p|.
        l2_regularization_strength: l2 >= 0; factor of the penalty on p².
        l2_shrinkage_regularization_strength: >= 0; factor of a penalty on p² that is
            added to the gradient only.
        beta: >= 0; added to the root of n.
        *common, **settings: the arguments that all optimizers take.

    Raises:
        ValueError: a number has the wrong sign.

    Source: McMahan et al., Ad Click Prediction, 2013.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Ftrl(0.5).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.043, -1.874]
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
        self._mk_store_arguments(**own, beta=beta)

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
