"""Adadelta: steps scaled by the size of the last steps."""

from minikeras.optimizers import rules
from minikeras.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """p - lr g rms(s) / rms(g), where s are the steps so far.

    rms(x) = sqrt(moving average of x² + epsilon).

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments; the
            paper uses 1.0.
        rho: in [0, 1); an average a of x² moves by (1 - rho) (x² - a).
        epsilon: > 0; avoids a division by 0, and steps of 0 at the start.
        *common, **settings: the arguments that all optimizers take.

    Source: Zeiler, ADADELTA, 2012.

    >>> weight = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Adadelta(1.0, epsilon=0.01).apply([[0.5, 1.0]], [weight])
    >>> [round(float(x), 3) for x in weight.numpy().reshape(-1)]
    [0.667, -2.408]
    """

    def __init__(
        self, learning_rate=0.001, rho=0.95, epsilon=1e-7, *common, **settings
    ):
        super().__init__(learning_rate, *common, **settings)
        self._mk_store_arguments(rho=rho, epsilon=epsilon)

    def _mk_slot_groups(self):
        """The averages of g² and s² of each weight."""
        return [[("accumulated_grad", "zeros"), ("accumulated_delta_var", "zeros")]]

    def _mk_transform(self):
        """See `rules.adadelta`."""
        return rules.adadelta(self.rho, self.epsilon)
