"""Rectifiers with fixed slopes: ReLU, LeakyReLU, ELU."""

from minikeras import activations
from minikeras.layers.layer import Layer


def _not_negative(layer, name, value, optional=False):
    """Return `value`; ValueError if it is negative, or None and not optional."""
    if (value is None and not optional) or (value is not None and value < 0):
        wrong = "a negative value" if optional else "None or a negative value"
        raise ValueError(f"{name} of a {layer} layer cannot be {wrong}, got {value!r}.")
    return value


class ReLU(Layer):
    """Rectified linear unit, with an optional bound, slope and threshold.

    min(x, max_value) for x >= threshold, else negative_slope (x - threshold)

    Args:
        max_value: number >= 0, the largest output; None for no bound.
        negative_slope: number >= 0, slope below the threshold.
        threshold: number >= 0.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: a negative number, or None where a number is needed.

    >>> keras.layers.ReLU(max_value=1.0)(np.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = _not_negative("ReLU", "max_value", max_value, True)
        self.negative_slope = _not_negative("ReLU", "negative_slope", negative_slope)
        self.threshold = _not_negative("ReLU", "threshold", threshold)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return the rectified inputs.

        Args:
            inputs: array of any shape.
        """
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )


class LeakyReLU(Layer):
    """Rectified linear unit with a small slope below zero.

    x for x >= 0, else negative_slope x

    Args:
        negative_slope: number >= 0.
        **kwargs: `alpha`, the old name of `negative_slope`; `name`, `dtype` and the
            other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: `negative_slope` is negative or None.

    >>> keras.layers.LeakyReLU(negative_slope=0.5)(np.array([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(
            "Leaky ReLU", "The negative_slope value", negative_slope
        )
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return the rectified inputs.

        Args:
            inputs: array of any shape.
        """
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(Layer):
    """Exponential linear unit.

    x for x >= 0, else alpha (exp(x) - 1)

    Args:
        alpha: number, minus the limit for x -> -inf.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Source: Clevert et al. 2015, https://arxiv.org/abs/1511.07289.

    >>> keras.layers.ELU()(np.array([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return elu(inputs).

        Args:
            inputs: array of any shape.
        """
        return activations.elu(inputs, alpha=self.alpha)
