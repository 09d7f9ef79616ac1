import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import callbacks, constraints, initializers, losses, optimizers
from minikeras.core.object_repr import describe, short
from minikeras.optimizers import schedules

DECAY = schedules.ExponentialDecay(0.1, 100, 0.9)


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (optimizers.Adam(), "<Adam>"),
        (optimizers.Adam(0.01), "<Adam learning_rate=0.01>"),
        (optimizers.SGD(0.1, 0.9), "<SGD learning_rate=0.1 momentum=0.9>"),
        (optimizers.Adam(DECAY), "<Adam learning_rate=<ExponentialDecay>>"),
        (
            DECAY,
            "<ExponentialDecay initial_learning_rate=0.1 decay_steps=100 "
            "decay_rate=0.9>",
        ),
        (initializers.GlorotUniform(), "<GlorotUniform>"),
        (initializers.RandomNormal(0.0, 0.1, 3), "<RandomNormal stddev=0.1 seed=3>"),
        (initializers.Constant(np.ones(9)), "<Constant value=<ndarray (9,) float64>>"),
        (keras.regularizers.L2(0.1), "<L2 l2=0.1>"),
        (constraints.MaxNorm(3), "<MaxNorm max_value=3>"),
        (callbacks.EarlyStopping(patience=3), "<EarlyStopping patience=3>"),
        (callbacks.LearningRateScheduler(abs), "<LearningRateScheduler schedule=abs>"),
        (losses.Huber(delta=2.0, name="h"), "<Huber delta=2 name='h'>"),
        (losses.MeanSquaredError(), "<MeanSquaredError>"),
    ],
)  # fmt: skip
def test_what_differs_from_the_defaults(obj, text):
    assert repr(obj) == text


def test_before_the_base_is_initialized():
    texts = []

    class Mine(optimizers.SGD):
        def __init__(self, rate=0.1, **kwargs):
            texts.append(repr(self))
            self.rate = rate
            super().__init__(rate, **kwargs)

    class Watch(callbacks.Callback):
        def __init__(self, every):
            texts.append(repr(self))
            self.every = every

    assert repr(Mine(0.5, momentum=0.5)) == (
        "<Mine rate=0.5 learning_rate=0.5 momentum=0.5>"
    )
    assert repr(Watch(3)) == "<Watch every=3>" and texts == ["<Mine>", "<Watch>"]


class Broken:
    def __init__(self, x=None, y=None):
        self.x, self.y = x, y

    def __repr__(self):
        raise RuntimeError("no")

    def get_config(self):
        raise RuntimeError("a user's config is not asked")


def test_it_never_raises():
    assert describe(Broken(Broken(), 2)) == "<Broken x=<Broken> y=2>"
    deleted = jnp.ones(())
    deleted.delete()
    assert describe(Broken(deleted)).startswith("<Broken x=<")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (jnp.float32(0.01), "0.01"),
        (keras.Variable(2.0), "2"),
        (jnp.ones((2, 3)), "<ArrayImpl (2, 3) float32>"),
        (list(range(9)), "[0, 1, 2, 3, …]"),
        ("x" * 99, "'" + "x" * 38 + "…"),
        ({}, "{}"),
        (len, "len"),
    ],
)
def test_short_values(value, text):
    assert short(value) == text
