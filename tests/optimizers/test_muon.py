"""Muon: orthogonal steps, and which weights take them."""

import jax
import numpy as np
import pytest

from minikeras import optimizers
from minikeras.core.variable import Variable
from minikeras.optimizers.muon import orthogonalize, scale_to_rms

RNG = np.random.default_rng(0)
COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3), (2, 3, 5)])
def test_singular_values_come_near_one(shape):
    x = RNG.normal(size=shape).astype("float32")
    y = jax.jit(lambda x: orthogonalize(x, 5, *COEFFICIENTS))(x)
    assert y.shape == shape
    values = np.linalg.svd(y, compute_uv=False)
    assert np.all((values > 0.5) & (values < 1.3))
    # The same singular vectors: the polar factor, up to those values.
    u, _, v = np.linalg.svd(x, full_matrices=False)
    assert np.max(np.abs(y - u @ v)) < 0.5


def test_a_step_by_hand():
    p, g = (RNG.normal(size=(2, 3)).astype("float32") for _ in range(2))
    variable = Variable(p, name="kernel")
    optimizer = optimizers.Muon(0.1, momentum=0.5, weight_decay=0.2)
    optimizer.apply([g], [variable])
    direction = scale_to_rms(orthogonalize(1.5 * g, 5, *COEFFICIENTS), 0.2)
    np.testing.assert_allclose(variable.numpy(), p * 0.98 - 0.1 * direction, 1e-5)


def test_size_of_a_step():
    x = np.ones((4, 9), "float32")
    np.testing.assert_allclose(scale_to_rms(x, 0.2), 0.6 * x, 1e-6)
    assert scale_to_rms(x, None) is x


def names_of_state(optimizer, **shapes):
    variables = [Variable(np.zeros(s, "float32"), name=n) for n, s in shapes.items()]
    optimizer.build(variables)
    return [v.name for v in optimizer.variables][2:]


def test_which_weights_follow_adam():
    shapes = {"kernel": (2, 3), "bias": (3,), "my_Embedding": (2, 3), "out": (3, 2)}
    optimizer = optimizers.Muon(exclude_layers=["^o.t"])
    assert names_of_state(optimizer, **shapes) == [
        *("kernel_momentum", "bias_momentum", "bias_velocity"),
        *("my_Embedding_momentum", "my_Embedding_velocity"),
        *("out_momentum", "out_velocity"),
    ]
    optimizer = optimizers.Muon(exclude_embeddings=False, exclude_layers="kernel")
    assert names_of_state(optimizer, **shapes) == [
        *("kernel_momentum", "kernel_velocity", "bias_momentum", "bias_velocity"),
        *("my_Embedding_momentum", "out_momentum"),
    ]


def test_decay_of_each_kind():
    a = Variable(np.ones((2, 2), "float32"), name="a")
    b, c = (Variable(np.ones(2, "float32"), name=name) for name in "bc")
    optimizer = optimizers.Muon(0.5, weight_decay=0.1, adam_weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names="c")
    optimizer.apply([np.zeros(v.shape, "float32") for v in (a, b, c)], [a, b, c])
    np.testing.assert_allclose(a.numpy(), 0.95 * np.ones((2, 2)), 1e-6)
    np.testing.assert_allclose(b.numpy(), [0.9, 0.9], 1e-6)
    np.testing.assert_allclose(c.numpy(), [1.0, 1.0])
