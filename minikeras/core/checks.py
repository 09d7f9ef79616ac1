"""Checks of arguments; each returns the value in its one form, or raises.

Many messages use Keras's words, because tests of other packages match them.
"""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from minikeras import settings


def is_int(x: Any) -> bool:
    """Is it an integer, and not a bool?"""
    return isinstance(x, numbers.Integral) and not isinstance(x, bool)


def positive_int(x: Any, name: str) -> int:
    """Return `x` if it is an integer > 0, else raise ValueError.

    >>> positive_int(3, "units")
    3
    """
    if not is_int(x) or x <= 0:
        raise ValueError(
            f"The argument `{name}` must be a positive integer, got {x!r} "
            f"({type(x).__name__})."
        )
    return x


def repetitions(x: Any, name: str) -> int:
    """Return `x` if it is an integer > 0; TypeError if it is no integer at all."""
    if not is_int(x):
        raise TypeError(f"Expected an integer value for `{name}`, got {x!r}.")
    if x <= 0:
        raise ValueError(f"`{name}` should be a positive integer, got {x!r}.")
    return x


def int_tuple(
    value: Any, n: int, name: str, allow_zero: bool = False
) -> tuple[int, ...]:
    """Turn an integer, or `n` of them, into a tuple of `n` integers > 0.

    Args:
        value: int, or tuple or list of `n` ints.
        n: the number of ints, such as the number of spatial axes.
        name: of the argument, for the error.
        allow_zero: may they be 0?

    Raises:
        ValueError: another number of them, no ints, or too small.

    >>> int_tuple(3, 2, "strides"), int_tuple([1, 2], 2, "strides")
    ((3, 3), (1, 2))
    """
    values: Any = (value,) * n if isinstance(value, numbers.Integral) else value
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


def int_pairs(value: Any, n: int, name: str) -> tuple[tuple[int, ...], ...]:
    """Turn an integer, `n` integers or `n` pairs into `n` pairs (before, after).

    Args:
        value: int, or tuple or list of `n` ints >= 0 or of `n` pairs of them.
        n: the number of pairs, such as the number of spatial axes.
        name: of the argument, for the error.

    Raises:
        ValueError: another number of them, no ints, or negative.

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


def padding_name(value: Any, extra: Iterable[str] = ()) -> str:
    """The lower-case name of a padding mode: `"valid"`, `"same"` or one of `extra`."""
    allowed = ("valid", "same", *extra)
    if not isinstance(value, str) or value.lower() not in allowed:
        raise ValueError(f"padding: expected one of {list(allowed)}, got {value!r}.")
    return value.lower()


def unit_interval(value: Any, name: str) -> Any:
    """Return `value` if 0 <= value <= 1, else raise ValueError or TypeError."""
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


def is_number(value: Any) -> bool:
    """Is it a number, an array or a Variable?"""
    return isinstance(value, numbers.Real) or hasattr(value, "dtype")


def positive_number(value: Any, name: str) -> Any:
    """Return `value` if it is a number > 0, else raise ValueError."""
    if not is_number(value) or value <= 0:
        raise ValueError(f"`{name}` must be a number > 0, got {value!r}.")
    return value


# Arguments of optimizers: a name means the same in all of them. Those that may be None:
_OPTIONAL_HYPERPARAMETERS = """weight_decay adam_weight_decay clipnorm clipvalue
    global_clipnorm ema_overwrite_frequency loss_scale_factor
    gradient_accumulation_steps rms_rate use_ema""".split()
# {range in words: (function that tests it, the arguments that have it)}
_RANGES = {
    "a number": (lambda x: x == x, "muon_a muon_b muon_c"),  # NaN is no number
    "a float between [0, 1]": (
        lambda x: 0 <= x <= 1,
        "beta_1 beta_2 adam_beta_1 adam_beta_2 rho momentum ema_momentum",
    ),
    "a number >= 0": (
        lambda x: x >= 0,
        """epsilon epsilon_1 epsilon_2 initial_accumulator_value beta
        l1_regularization_strength l2_regularization_strength
        l2_shrinkage_regularization_strength weight_decay adam_weight_decay
        clipnorm clipvalue global_clipnorm loss_scale_factor adam_lr_ratio rms_rate""",
    ),
    "a number > 0": (lambda x: x > 0, "clip_threshold initial_scale"),
    "a number <= 0": (lambda x: x <= 0, "learning_rate_power beta_2_decay"),
    "an integer >= 0": (
        lambda x: x >= 0 and x % 1 == 0,
        "ns_steps warmup_steps dynamic_growth_steps",
    ),
    "an integer >= 1 or None": (
        lambda x: x >= 0 and x % 1 == 0,  # 0 passes as None, as in Keras
        "ema_overwrite_frequency",
    ),
    "an integer >= 2 or None": (
        lambda x: x == 0 or (x >= 2 and x % 1 == 0),
        "gradient_accumulation_steps",
    ),
}
_SWITCHES = "amsgrad centered nesterov use_ema relative_step exclude_embeddings"
_RANGE_OF = {
    name: (valid, expected)
    for expected, (valid, names) in _RANGES.items()
    for name in names.split()
}


def hyperparameter(value: Any, owner: str, name: str) -> Any:
    """Return the value of an argument of an optimizer if it is in its range.

    Args:
        value: the given value.
        owner: name of the optimizer, for the error.
        name: of the argument; arguments of users' own optimizers are not checked.

    Raises:
        ValueError: it is out of range.
    """
    if value is None and name == "epsilon":
        return settings.epsilon()  # the meaning of None in Keras 2
    if value is None and name in _OPTIONAL_HYPERPARAMETERS:
        return value
    if name in _RANGE_OF:
        valid, expected = _RANGE_OF[name]
        good = isinstance(value, numbers.Real) and valid(value)
    else:
        expected = "True or False"
        good = name not in _SWITCHES.split() or isinstance(value, (bool, int, np.bool_))
    if not good:
        raise ValueError(f"{owner}: `{name}` must be {expected}. Got {value!r}.")
    return value
