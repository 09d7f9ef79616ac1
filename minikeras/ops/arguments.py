"""Checks of arguments that several families of ops share."""


def per_axis(value, rank) -> tuple[int, ...]:
    """An int repeated for each of `rank` spatial axes; a list of ints as a tuple."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def as_axes(axis):
    """A list of axes as the tuple that JAX takes; other values as they are."""
    return tuple(axis) if isinstance(axis, list) else axis


def axes_tuple(axis):
    """One axis or several, as a tuple."""
    return tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)


def normalize_axis(axis, ndim):
    """The axis counted from the front; ValueError if it is out of range."""
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"axis {axis} is out of bounds for an array with dimension {ndim}."
        )
    return axis % ndim


def padding_mode(function, padding, hint=""):
    """The padding "valid" or "same" in JAX's capitals; ValueError for another name.

    Args:
        function: name of the op, for the error.
        padding: string.
        hint: string, the end of the error.
    """
    if padding.lower() not in ("valid", "same"):
        raise ValueError(
            f"{function}: padding must be 'valid' or 'same', got {padding!r}.{hint}"
        )
    return padding.upper()


def check_choice(function, argument, value, choices):
    """ValueError unless the argument's value is one of the choices."""
    if value not in choices:
        raise ValueError(
            f"{function}: expected {argument} to be one of {list(choices)}, "
            f"got {argument}={value!r}."
        )
