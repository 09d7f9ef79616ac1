"""The base of all initializers."""

from minikeras.core.object_repr import describe
from minikeras.core.variable import convert_to_tensor


class Initializer:
    """Gives a weight its first value. Subclasses define `__call__`.

    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 0.5 * Constant(1)(shape, dtype)
    """

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define `__call__(self, shape, dtype=None)`."
        )

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The initializer of `get_config()`."""
        return cls(**config)

    def clone(self):
        """A copy from the config: without a seed, it draws another one."""
        return type(self).from_config(self.get_config())

    def __repr__(self):
        return describe(self)


class Given:
    """A fixed array as an initializer, what `get(array)` makes."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        """The array, cast to `dtype`; its shape must be `shape`."""
        if tuple(shape) != tuple(self.value.shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(self.value.shape)}, the shape of the "
                f"array that was given as initializer; got {tuple(shape)}."
            )
        return convert_to_tensor(self.value, dtype)

    def __repr__(self):
        return describe(self)
