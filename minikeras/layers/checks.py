"""Checks of constructor arguments; each returns the value in its one form."""

import numbers

import numpy as np


def is_int(x) -> bool:
    """Is it an integer, and not a bool?"""
    return isinstance(x, numbers.Integral) and not isinstance(x, bool)


def positive_int(x, name):
    """`x` if it is an integer > 0.

    >>> positive_int(3, "units")
    3
    """
    if not is_int(x) or x <= 0:
        raise ValueError(
            f"The argument `{name}` must be a positive integer, got {x!r} "
            f"({type(x).__name__})."
        )
    return x


def repetitions(x, name):
    """`x` if it is an integer > 0; TypeError if it is no integer at all."""
    if not is_int(x):
        raise TypeError(f"Expected an integer value for `{name}`, got {x!r}.")
    if x <= 0:
        raise ValueError(f"`{name}` should be a positive integer, got {x!r}.")
    return x


def int_tuple(value, n, name, allow_zero=False):
    """Integer, or `n` of them -> tuple of `n` integers.

    >>> int_tuple(3, 2, "strides"), int_tuple([1, 2], 2, "strides")
    ((3, 3), (1, 2))
    """
    values = (value,) * n if isinstance(value, numbers.Integral) else value
    problem = (
        f"The `{name}` argument must be a tuple of {n} integers. "
        f"Received {name}={value}"
    )
    if not isinstance(values, (tuple, list)) or len(values) != n:
        raise ValueError(f"{problem}; one integer stands for {n} equal ones.")
    if wrong := [v for v in values if not isinstance(v, numbers.Integral)]:
        raise ValueError(f"{problem}, including {wrong}, which are no integers.")
    if wrong := {v for v in values if v < 0 or (v == 0 and not allow_zero)}:
        bound = "value >= 0" if allow_zero else "value > 0"
        raise ValueError(
            f"{problem}, including values {wrong} that do not satisfy `{bound}`."
        )
    return tuple(values)


def int_pairs(value, n, name):
    """Integer, `n` integers or `n` pairs -> `n` pairs (before, after).

    >>> int_pairs(1, 2, "padding"), int_pairs((1, (2, 3)), 2, "padding")
    (((1, 1), (1, 1)), ((1, 1), (2, 3)))
    """
    if isinstance(value, numbers.Integral):
        value = (value,) * n
    if not isinstance(value, (tuple, list)) or len(value) != n:
        raise ValueError(
            f"{name}: expected an integer, {n} integers, or {n} pairs of them "
            f"(before, after), got {value!r}."
        )
    return tuple(int_tuple(v, 2, f"{name}[{i}]", True) for i, v in enumerate(value))


def padding_name(value, extra=()):
    """Lower-case name of a padding mode: `"valid"`, `"same"` or one of `extra`."""
    allowed = ("valid", "same", *extra)
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(f"padding: expected one of {list(allowed)}, got {value!r}.")
    return value.lower()


def unit_interval(value, name):
    """`value` if 0 <= value <= 1."""
    if not isinstance(value, (int, float, np.number)):
        raise TypeError(
            f"`{name}` must be a number between 0 and 1, got {value!r} "
            f"({type(value).__name__})."
        )
    if not 0 <= value <= 1:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a float value "
            f"between 0 and 1, not {value}."
        )
    return value
