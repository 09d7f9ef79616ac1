"""ReLU and its relatives with fixed slopes: ReLU, LeakyReLU, ELU."""

from minikeras import activations
from minikeras.layers.layer import Layer


def _not_negative(layer, name, value, optional=False):
    if (value is None and not optional) or (value is not None and value < 0):
        wrong = "a negative value" if optional else "None or a negative value"
        raise ValueError(f"{name} of a {layer} layer cannot be {wrong}, got {value!r}.")
    return value


class ReLU(Layer):
    """min(x, max_value) for x >= threshold, else negative_slope (x - threshold).

    Args:
        max_value: number >= 0, None for no bound.
        negative_slope: number >= 0.
        threshold: number >= 0.

    Raises:
        ValueError: a negative number.
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = _not_negative("ReLU", "max_value", max_value, True)
        self.negative_slope = _not_negative("ReLU", "negative_slope", negative_slope)
        self.threshold = _not_negative("ReLU", "threshold", threshold)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """relu(inputs)"""
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )


class LeakyReLU(Layer):
    """x for x >= 0, else negative_slope x.

    Args:
        negative_slope: number >= 0; `alpha` is its old name.

    Raises:
        ValueError: a negative slope, or None.
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
        """leaky_relu(inputs)"""
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(Layer):
    """x for x >= 0, else alpha (exp(x) - 1).

    Args:
        alpha: scale of the negative part.
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """elu(inputs)"""
        return activations.elu(inputs, alpha=self.alpha)
