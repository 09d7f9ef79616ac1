"""Bad arguments of optimizers and schedules are named, with what is allowed."""

import numpy as np
import pytest

from minikeras import optimizers
from minikeras.core.variable import Variable
from minikeras.optimizers import schedules

BAD = [
    ("SGD", {"momentum": "a"}, r"SGD: `momentum`.*\[0, 1\].*'a'"),
    ("SGD", {"momentum": 2}, r"\[0, 1\].*2"),
    ("SGD", {"nesterov": "False"}, "True or False.*'False'"),
    ("SGD", {"weight_decay": -0.1}, ">= 0.*-0.1"),
    ("SGD", {"clipnorm": "x"}, "`clipnorm`.*'x'"),
    ("SGD", {"loss_scale_factor": "x"}, "`loss_scale_factor`"),
    ("SGD", {"ema_overwrite_frequency": 1.5}, "an integer >= 1 or None.*1.5"),
    ("SGD", {"gradient_accumulation_steps": "a"}, ">= 2 or None.*'a'"),
    ("Adam", {"beta_2": np.nan}, "`beta_2`.*nan"),
    ("Adam", {"epsilon": -1}, "`epsilon`.*-1"),
    ("AdamW", {"weight_decay": None}, "AdamW.*None"),
    ("Lion", {"beta_1": 0}, "Lion.*beta_1=0"),
    ("Ftrl", {"l1_regularization_strength": -1}, "l1_regularization_strength=-1"),
    ("Ftrl", {"beta": None}, "`beta`.*None"),
    ("Adafactor", {"clip_threshold": 0}, "> 0.*0"),
    ("Muon", {"ns_steps": 1.5}, "`ns_steps`.*1.5"),
    ("Muon", {"exclude_layers": 3}, "`exclude_layers`.*3"),
    ("ScheduleFreeAdamW", {"warmup_steps": -1}, "`warmup_steps`.*-1"),
    ("LossScaleOptimizer", {"inner_optimizer": "sgd"}, "an optimizer.*'sgd'"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD)
def test_bad_argument_of_an_optimizer(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(optimizers, name)(**arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("CosineDecay", (0.1, "a"), "`decay_steps` must be a number > 0, got 'a'"),
        ("CosineDecay", ("a", 3), "initial_learning_rate.*'a'"),
        ("CosineDecayRestarts", (0.1, 0), "first_decay_steps.*0"),
        ("ExponentialDecay", (0.1, 3, None), "decay_rate.*None"),
        ("PolynomialDecay", (0.1, -1), "decay_steps.*-1"),
        ("PiecewiseConstantDecay", (3, [1.0]), "lists, got 3"),
        ("PiecewiseConstantDecay", ([3], [1.0]), "one more value"),
    ],
)
def test_bad_argument_of_a_schedule(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(schedules, name)(*arguments)


def test_epsilon_none_of_keras_2():
    assert optimizers.Adam(lr=0.1, epsilon=None, decay=0.0).epsilon == 1e-7


def test_bad_gradients_and_weights():
    variable, optimizer = Variable(np.ones(2, "float32"), name="w"), optimizers.SGD()
    with pytest.raises(ValueError, match=r"\(3,\).*'w' of shape \(2,\)"):
        optimizer.apply([np.ones(3, "float32")], [variable])
    with pytest.raises(ValueError, match="2 variables, got 1"):
        optimizer.set_weights([0])
    with pytest.raises(ValueError, match="learning_rate must be a number.*'a'"):
        optimizer.learning_rate = "a"
    with pytest.raises(ValueError, match="`var_names` must be strings"):
        optimizer.exclude_from_weight_decay(var_names=[3])
