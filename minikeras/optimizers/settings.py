"""What the arguments of optimizers may be: a name means the same in all of them."""

import numbers

import numpy as np

from minikeras import config

_OPTIONAL = {
    *("weight_decay", "adam_weight_decay", "clipnorm", "clipvalue", "global_clipnorm"),
    *("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"),
    *("rms_rate", "use_ema"),
}
_NUMBERS = {
    "a number": (lambda x: x == x, "muon_a muon_b muon_c"),
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
_FLAGS = "amsgrad centered nesterov use_ema relative_step exclude_embeddings"
_RULES = {
    name: (valid, expected)
    for expected, (valid, names) in _NUMBERS.items()
    for name in names.split()
}


def checked(owner, name, value):
    """The value, if an argument of that name may have it.

    Args:
        owner: name of the optimizer, for the error.
        name: of the argument; arguments of users' own optimizers are not checked.
        value: what came.

    Raises:
        ValueError: it may not.
    """
    if value is None and name == "epsilon":
        return config.epsilon()  # what None meant in Keras 2
    if value is None and name in _OPTIONAL:
        return value
    if name in _RULES:
        valid, expected = _RULES[name]
        good = isinstance(value, numbers.Real) and valid(value)
    else:
        expected = "True or False"
        good = name not in _FLAGS.split() or isinstance(value, (bool, int, np.bool_))
    if not good:
        raise ValueError(f"{owner}: `{name}` must be {expected}. Got {value!r}.")
    return value
