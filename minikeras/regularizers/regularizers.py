"""L1, L2 and orthogonality penalties."""

import math

from minikeras import ops
from minikeras.core.object_repr import describe


def _non_negative(value, name):
    """The value as a float; ValueError unless it is a finite number >= 0."""
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float, "
            f"got {value!r}."
        )
    return float(value)


class Regularizer:
    """Base class of regularizers. Subclasses define `__call__(x)` -> scalar.

    >>> class Mean(Regularizer):
    ...     def __call__(self, x):
    ...         return ops.mean(x)
    """

    def __call__(self, x):
        """Compute the penalty, which is added to the loss.

        Args:
            x: array: a weight, or the output of a layer.

        Returns:
            Scalar array.
        """
        return 0.0

    def get_config(self):
        """The constructor's arguments."""
        raise NotImplementedError(
            f"{type(self).__name__} must define `get_config()` to be put in a file."
        )

    @classmethod
    def from_config(cls, config):
        """Make a regularizer from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        return describe(self)


class L1L2(Regularizer):
    """l1 Σ|x| + l2 Σx².

    Args:
        l1: factor >= 0 of Σ|x|; None counts as 0.
        l2: factor >= 0 of Σx²; None counts as 0.

    Raises:
        ValueError: a factor is negative, or no number.

    >>> float(L1L2(l1=0.5, l2=2.0)([1.0, -3.0]))
    22.0
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _non_negative(0.0 if l1 is None else l1, "l1")
        self.l2 = _non_negative(0.0 if l2 is None else l2, "l2")

    def __call__(self, x):
        """Compute the penalty, a scalar."""
        x = ops.convert_to_tensor(x)
        penalty = ops.cast(0.0, x.dtype)
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty

    def get_config(self):
        """The constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 Σ|x|.

    Args:
        l1: factor >= 0, else ValueError; None counts as 0.01.

    >>> float(L1(0.5)(ops.array([1.0, -3.0])))
    2.0
    """

    def __init__(self, l1=0.01):
        self.l1 = _non_negative(0.01 if l1 is None else l1, "l1")

    def __call__(self, x):
        """Compute the penalty, a scalar."""
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self):
        """The constructor's arguments."""
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 Σx².

    Args:
        l2: factor >= 0, else ValueError; None counts as 0.01.

    >>> float(L2(0.5)(ops.array([1.0, -3.0])))
    5.0
    """

    def __init__(self, l2=0.01):
        self.l2 = _non_negative(0.01 if l2 is None else l2, "l2")

    def __call__(self, x):
        """Compute the penalty, a scalar."""
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self):
        """The constructor's arguments."""
        return {"l2": self.l2}


def orthogonality(x, mode="rows"):
    """Mean of |cos(angle)| over all pairs of rows, or columns, of a matrix."""
    rows = ops.transpose(x) if mode == "columns" else x
    units = ops.normalize(rows, axis=1)
    count = units.shape[0]
    cosines = ops.matmul(units, ops.transpose(units)) * (
        1.0 - ops.eye(count, dtype=x.dtype)
    )
    return 0.5 * ops.sum(ops.absolute(cosines)) / (count * (count - 1) / 2.0)


class OrthogonalRegularizer(Regularizer):
    """factor · mean of |cos(angle)| over all pairs of rows, or columns, of a matrix.

    Args:
        factor: >= 0.
        mode: "rows" or "columns": which of them the penalty makes orthogonal.

    Raises:
        ValueError: unknown mode, negative factor; called on an array that is no matrix.

    >>> float(OrthogonalRegularizer(0.5)(ops.array([[1.0, 0.0], [2.0, 0.0]])))
    0.5
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _non_negative(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected one of "
                f'{{"rows", "columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def __call__(self, inputs):
        """Compute the penalty.

        Args:
            inputs: (m, n) array.

        Returns:
            Scalar array.
        """
        if len(inputs.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. "
                f"Received: inputs.shape={tuple(inputs.shape)}"
            )
        return self.factor * orthogonality(inputs, self.mode)

    def get_config(self):
        """The constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}
