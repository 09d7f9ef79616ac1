"""MultiOptimizer and OptimizerMap: each weight by its own optimizer."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.optimizers import (
    SGD,
    Adam,
    LossScaleOptimizer,
    MultiOptimizer,
    OptimizerMap,
)

GRAD = np.array([1.0, -2.0], "float32")


def weights(*names):
    return [keras.Variable(np.array([3.0, 0.5], "float32"), name=n) for n in names]


def test_keys_match_whole_paths():
    rest, a, b = SGD(name="rest"), SGD(name="a"), SGD(name="b")
    by_path = OptimizerMap(rest, {"kernel": a, ".*el_2": b})
    found = [by_path(v).name for v in weights("kernel", "kernel_1", "kernel_2")]
    assert found == ["a", "rest", "b"]
    assert (by_path["kernel"], by_path["no such"]) == (a, rest)
    assert (len(by_path), list(by_path)) == (2, ["kernel", ".*el_2"])
    del by_path["kernel"]
    by_path["k.*"] = a
    with pytest.raises(ValueError, match=r"multiple optimizer patterns: \['\.\*el_2"):
        by_path(weights("kernel_2")[0])


def test_each_weight_moves_by_its_own_rate():
    a, b, c = weights("a", "b", "c")
    by_path = {"a": SGD(0.1, name="x"), "b": SGD(1.0, clipvalue=0.5, name="y")}
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.0, name="z"), by_path), name="m")
    for _ in range(2):
        optimizer.apply([GRAD] * 3, [a, b, c])
    np.testing.assert_allclose(a.numpy(), [2.8, 0.9], 1e-6)
    np.testing.assert_allclose(b.numpy(), [2.0, 1.5], 1e-6)
    np.testing.assert_allclose(c.numpy(), [3.0, 0.5])
    assert int(optimizer.iterations) == 2
    assert [v.path for v in optimizer.variables] == [
        f"{name}/{part}" for name in "mxyz" for part in ("iteration", "learning_rate")
    ]


def test_function_chooses():
    small, large = SGD(0.1), SGD(1.0)
    optimizer = MultiOptimizer(lambda v: small if v.name == "a" else large)
    assert optimizer.optimizers == []
    b, a = weights("b", "a")
    optimizer.apply([GRAD] * 2, [b, a])
    assert optimizer.optimizers == [large, small]
    np.testing.assert_allclose(a.numpy(), [2.9, 0.7], 1e-6)


def test_loss_scale_is_the_inner_ones_too():
    inner = SGD(0.1, loss_scale_factor=2.0)
    optimizer = MultiOptimizer(inner, loss_scale_factor=5.0)
    assert (inner.loss_scale_factor, optimizer.scale_loss(2.0)) == (5.0, 10.0)
    (a,) = weights("a")
    optimizer.apply([5 * GRAD], [a])
    np.testing.assert_allclose(a.numpy(), [2.9, 0.7], 1e-6)
    wrapped = LossScaleOptimizer(optimizer, initial_scale=4.0)
    assert inner.loss_scale_factor is None
    wrapped.apply([4 * GRAD], [a])
    np.testing.assert_allclose(a.numpy(), [2.8, 0.9], 1e-6)


def test_averages_and_optimizers_without_weights():
    (a,) = weights("a")
    averaged = SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer = MultiOptimizer(OptimizerMap(Adam(use_ema=True), {"a": averaged}))
    for _ in range(2):
        optimizer.apply([GRAD], [a])
    optimizer.finalize_variable_values([a])
    np.testing.assert_allclose(a.numpy(), [3, 0.5] - 1.5 * GRAD)


def test_config_round_trip_and_learning_rate():
    by_path = OptimizerMap(Adam(0.5), {"a": SGD(0.1, momentum=0.5)})
    optimizer = MultiOptimizer(by_path, name="m")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert [type(o) for o in again.optimizers] == [SGD, Adam]
    assert not hasattr(optimizer, "learning_rate")
    with pytest.raises(AttributeError, match="inner ones"):
        optimizer.learning_rate = 0.1


def test_callbacks_set_every_rate():
    x = np.ones((4, 2), "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="one")])
    by_path = {".*/bias": SGD(0.1, name="slow")}
    model.compile(MultiOptimizer(OptimizerMap(SGD(1e-3, name="fast"), by_path)), "mse")
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    logs = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[callback]).history
    np.testing.assert_allclose(logs["learning_rate_slow"], [0.05, 0.025], 1e-6)
    np.testing.assert_allclose(logs["learning_rate_fast"], [5e-4, 2.5e-4], 1e-6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: OptimizerMap("sgd"), TypeError, "default_optimizer.*'sgd'"),
        (lambda: OptimizerMap(SGD(), [1]), TypeError, r"a dict.*\[1\]"),
        (lambda: OptimizerMap(SGD(), {"a": 3}), ValueError, "of 'a' must.*3"),
        (lambda: OptimizerMap(SGD(), {3: SGD()}), ValueError, "string, got 3"),
        (lambda: MultiOptimizer({"a": SGD()}), TypeError, "default optimizer"),
        (
            lambda: OptimizerMap(SGD(), {"a": LossScaleOptimizer(SGD())}),
            ValueError,
            "cannot be LossScaleOptimizer",
        ),
        (
            lambda: MultiOptimizer(lambda v: "sgd").build(weights("a")),
            ValueError,
            "'a', got 'sgd'",
        ),
    ],
)
def test_what_is_no_optimizer_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_key_has_one_optimizer():
    by_path = OptimizerMap(SGD(), {"a": SGD(name="first")})
    with pytest.raises(ValueError, match="'a' has an optimizer already: 'first'"):
        by_path["a"] = SGD()
