"""Constraints on the norms and signs of weights."""

from minikeras import ops, settings
from minikeras.core.object_repr import describe


def norms(w, axis):
    """Euclidean norms of `w` along `axis`, which stays with size 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class Constraint:
    """Base of constraints. Subclasses define `__call__(self, w)` -> new w.

    >>> class Halve(Constraint):
    ...     def __call__(self, w):
    ...         return w / 2
    """

    def __call__(self, w):
        """The array nearest to `w` that is allowed."""
        return w

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The constraint of `get_config()`."""
        return cls(**config)

    def __repr__(self):
        return describe(self)


class MaxNorm(Constraint):
    """Scales down to a norm of at most `max_value`: w · clip(‖w‖, 0, max) / ‖w‖.

    Args:
        max_value: >= 0.
        axis: int or tuple of ints, the axes of one unit's weights. 0 for a kernel
            (n_in, n_out), [0, 1, 2] for one of a 2D convolution.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        """Array of the shape of `w`."""
        w = ops.convert_to_tensor(w)
        norm = norms(w, self.axis)
        return w * (ops.clip(norm, 0, self.max_value) / (settings.epsilon() + norm))

    def get_config(self):
        """The constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to 0: max(w, 0)."""

    def __call__(self, w):
        """Array of the shape of `w`."""
        w = ops.convert_to_tensor(w)
        return w * ops.cast(ops.greater_equal(w, 0.0), w.dtype)


class UnitNorm(Constraint):
    """Scales to norm 1: w / ‖w‖.

    Args:
        axis: int or tuple of ints, the axes of one unit's weights.
    """

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        """Array of the shape of `w`."""
        w = ops.convert_to_tensor(w)
        return w / (settings.epsilon() + norms(w, self.axis))

    def get_config(self):
        """The constructor's arguments."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Moves the norm towards [min_value, max_value].

    w · (rate · clip(‖w‖, min, max) + (1 - rate) · ‖w‖) / ‖w‖

    Args:
        min_value, max_value: >= 0.
        rate: in [0, 1]; 1 enforces the bounds at once.
        axis: int or tuple of ints, the axes of one unit's weights.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value = min_value, max_value
        self.rate, self.axis = rate, axis

    def __call__(self, w):
        """Array of the shape of `w`."""
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
