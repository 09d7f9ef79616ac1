"""Constraints on the norms and signs of weights."""

from minikeras import ops, settings
from minikeras.core.object_repr import describe


def norms(w, axis):
    """L2 norms of `w` along `axis`, which is kept with size 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class Constraint:
    """Base class of constraints. Subclasses define `__call__(w)` -> new w.

    >>> class Halve(Constraint):
    ...     def __call__(self, w):
    ...         return w / 2
    """

    def __call__(self, w):
        """Project a weight onto the allowed values.

        Args:
            w: array.

        Returns:
            Array of the shape of `w`.
        """
        return w

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Make a constraint from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        return describe(self)


class MaxNorm(Constraint):
    """w · clip(‖w‖, 0, max_value) / ‖w‖: scales down to a norm of at most `max_value`.

    Args:
        max_value: >= 0.
        axis: axes of a norm: 0 for a kernel (n_in, n_out), [0, 1, 2] for a Conv2D's.

    >>> MaxNorm(2.5)([[3.0, 0.3], [4.0, 0.4]]).round(3).tolist()
    [[1.5..., 0.3...], [2.0, 0.4...]]
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        """Project a weight; the shape stays."""
        w = ops.convert_to_tensor(w)
        norm = norms(w, self.axis)
        return w * (ops.clip(norm, 0, self.max_value) / (settings.epsilon() + norm))

    def get_config(self):
        """The constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """max(w, 0): sets negative weights to 0.

    >>> NonNeg()([-1.0, 2.0]).tolist()
    [-0.0, 2.0]
    """

    def __call__(self, w):
        """Project a weight; the shape stays."""
        w = ops.convert_to_tensor(w)
        return w * ops.cast(ops.greater_equal(w, 0.0), w.dtype)


class UnitNorm(Constraint):
    """w / ‖w‖: scales to the norm 1.

    Args:
        axis: axes of a norm: 0 for a kernel (n_in, n_out), [0, 1, 2] for a Conv2D's.

    >>> UnitNorm()([[3.0], [4.0]]).round(3).tolist()
    [[0.6...], [0.8...]]
    """

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        """Project a weight; the shape stays."""
        w = ops.convert_to_tensor(w)
        return w / (settings.epsilon() + norms(w, self.axis))

    def get_config(self):
        """The constructor's arguments."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """w · (rate · clip(‖w‖, min_value, max_value) + (1 - rate) · ‖w‖) / ‖w‖.

    The norm moves towards the interval [min_value, max_value].

    Args:
        min_value: >= 0.
        max_value: >= min_value.
        rate: in [0, 1]; with 1 the norm is in the interval after one step.
        axis: axes of a norm: 0 for a kernel (n_in, n_out), [0, 1, 2] for a Conv2D's.

    >>> MinMaxNorm(max_value=2.5, rate=0.5)([[3.0], [4.0]]).round(3).tolist()
    [[2.25], [3.0...]]
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value = min_value, max_value
        self.rate, self.axis = rate, axis

    def __call__(self, w):
        """Project a weight; the shape stays."""
        w = ops.convert_to_tensor(w)
        norm = norms(w, self.axis)
        clipped = ops.clip(norm, self.min_value, self.max_value)
        desired = self.rate * clipped + (1 - self.rate) * norm
        return w * (desired / (settings.epsilon() + norm))

    def get_config(self):
        """The constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
