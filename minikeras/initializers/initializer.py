"""The base of all initializers."""

from minikeras.core.object_repr import describe
from minikeras.core.variable import convert_to_tensor


class Initializer:
    """Base class of initializers. Subclasses define `__call__(shape, dtype)`.

    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 0.5 * Constant(1)(shape, dtype)
    """

    def __call__(self, shape, dtype=None):
        """Make the first value of a weight.

        Args:
            shape: tuple of ints.
            dtype: name of the dtype; None: `floatx()`.

        Returns:
            Array of that shape and dtype.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define `__call__(self, shape, dtype=None)`."
        )

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Make an initializer from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def clone(self):
        """Make a copy from the config; if no seed was given, it draws a new one."""
        return type(self).from_config(self.get_config())

    def __repr__(self):
        return describe(self)


class ArrayInitializer:
    """An array as an initializer; `get(array)` makes it."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        """Cast the array to `dtype`; ValueError unless its shape is `shape`."""
        if tuple(shape) != tuple(self.value.shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(self.value.shape)}, the shape of the "
                f"array that was given as initializer; got {tuple(shape)}."
            )
        return convert_to_tensor(self.value, dtype)

    def __repr__(self):
        return describe(self)


def copy_initializer(initializer):
    """A copy that, without a seed, draws other values; a function is returned as it is.

    An initializer draws the same values in each call, also without a seed. As in Keras,
    each further weight takes a copy, so that the weights differ.
    """
    return initializer.clone() if hasattr(initializer, "clone") else initializer
