"""Optimizer: state and names, learning rates, errors, users' own rules."""

import pickle

import jax
import jax.experimental.sparse
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import minikeras as keras
from minikeras import optimizers
from minikeras.core.variable import Variable, unique_paths
from minikeras.optimizers import gradients, schedules

GRAD = np.array([1.0, -2.0], "float32")


def weight(name="w"):
    return Variable(np.array([3.0, 0.5], "float32"), name=name)


def test_sgd_by_hand():
    v, optimizer = weight(), optimizers.SGD(0.1, momentum=0.5)
    p, m = v.numpy(), 0
    for _ in range(3):
        optimizer.apply_gradients([(GRAD, v)])
        m = 0.5 * m - 0.1 * GRAD
        p = p + m
    np.testing.assert_allclose(v.numpy(), p, 1e-6)
    assert int(optimizer.iterations) == 3


def test_names_and_order_of_the_state():
    optimizer = optimizers.Adam(name="adam", use_ema=True)
    optimizer.build([weight("a"), weight("b")])
    assert [v.path for v in optimizer.variables] == [
        *("adam/iteration", "adam/learning_rate", "adam/a_average", "adam/b_average"),
        *("adam/a_momentum", "adam/a_velocity", "adam/b_momentum", "adam/b_velocity"),
    ]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_accumulated_gradients_of_half_weights_with_a_scaled_loss(dtype):
    v = Variable(np.array([3.0, 0.5]), dtype=dtype)
    inner = optimizers.SGD(0.5, gradient_accumulation_steps=2)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=4.0)
    for share in (1, 3):
        optimizer.apply([jnp.asarray(4.0 * share * GRAD, dtype)], [v])
    np.testing.assert_array_equal(v.numpy().astype("float32"), [2.0, 2.5])
    assert v.dtype == dtype


def test_learning_rate_can_be_set():
    v, optimizer = weight(), optimizers.SGD(0.1)
    optimizer.learning_rate = 0.5
    optimizer.apply([GRAD], [v])
    np.testing.assert_allclose(v.numpy(), [2.5, 1.5])
    optimizer.learning_rate = schedules.ExponentialDecay(1.0, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"]
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(TypeError, match="ExponentialDecay"):
        optimizer.learning_rate = 0.1


def test_names_of_keras_2():
    v, optimizer = weight(), optimizers.SGD(lr=0.1, decay=0.5)
    for _ in range(2):
        optimizer.apply([GRAD], [v])
    rates = 0.1 / (1 + 0.5 * np.arange(2))
    np.testing.assert_allclose(v.numpy(), [3, 0.5] - GRAD * rates.sum(), 1e-6)
    assert optimizers.SGD.from_config(optimizer.get_config())._mk_decay == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": "fast"}, "'fast'"),
        ({"learning_rat": 0.1}, "learning_rat"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ({"gradient_accumulation_steps": 1}, ">= 2"),
        ({"name": "a/b"}, "a/b"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        optimizers.RMSprop(**settings)


def test_missing_gradients():
    a, b, optimizer = weight("a"), weight("b"), optimizers.SGD(1.0)
    with pytest.warns(UserWarning, match=r"\['a'\]"):
        optimizer.apply([None, GRAD], [a, b])
    np.testing.assert_allclose(a.numpy(), [3.0, 0.5])
    np.testing.assert_allclose(b.numpy(), [2.0, 2.5])
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], [a, b])


def test_variables_it_was_not_built_on():
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="build"):
        optimizer.apply([GRAD])
    optimizer.build([weight("a")])
    with pytest.raises(ValueError, match="Unknown variable: 'b'"):
        optimizer.apply([GRAD], [weight("b")])
    with pytest.raises(ValueError, match="2 gradients and 1"):
        optimizer.apply([GRAD, GRAD])


class Signs(optimizers.Optimizer):
    """A rule in Keras's style."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.counts = self.add_optimizer_variables(variables, "count")

    def update_step(self, gradient, variable, learning_rate):
        index = self._mk_get_variable_index(variable)
        self.counts[index].assign_add(jnp.ones_like(gradient))
        self.assign_sub(variable, learning_rate * jnp.sign(gradient))


def test_users_own_update_step_runs_under_jit():
    v, optimizer = weight(), Signs(0.25)
    optimizer.build([v])
    own = unique_paths(optimizer.variables)
    update = jax.jit(lambda p, g, s: optimizer._mk_pure_step({"w": v}, p, g, s))
    params, state = {"w": v.value}, {path: x.value for path, x in own.items()}
    for _ in range(2):
        params, state = update(params, {"w": GRAD}, state)
    np.testing.assert_allclose(params["w"], [2.5, 1.0])
    assert state["signs/w_count"].tolist() == [2.0, 2.0]
    np.testing.assert_allclose(v.numpy(), [3.0, 0.5])
    optimizer.apply([GRAD], [v])
    np.testing.assert_allclose(v.numpy(), [2.75, 0.75])


def test_overridden_apply_is_used_by_update():
    class Halved(optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            super().apply([g / 2 for g in grads], trainable_variables)

    v, optimizer = weight(), Halved(1.0)
    optimizer.build([v])
    state = {p: x.value for p, x in unique_paths(optimizer.variables).items()}
    params, state = optimizer._mk_pure_step(
        {"w": v}, {"w": v.value}, {"w": GRAD}, state
    )
    np.testing.assert_allclose(params["w"], [2.5, 1.5])
    assert int(optimizer.iterations) == 0


def test_update_step_of_a_rule_can_be_extended():
    class Logged(optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(-gradient, variable, learning_rate)

    a, b = weight(), weight()
    Logged(0.1).apply([GRAD], [a])
    optimizers.Adam(0.1).apply([-GRAD], [b])
    np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_constraint_and_overwriting_gradients():
    limited, replaced = weight("a"), weight("b")
    limited.constraint = lambda w: jnp.clip(w, 0, 2)
    replaced.overwrite_with_gradient = True
    optimizers.SGD(1.0, loss_scale_factor=2.0).apply([GRAD, GRAD], [limited, replaced])
    np.testing.assert_allclose(limited.numpy(), [2.0, 1.5])
    np.testing.assert_allclose(replaced.numpy(), GRAD)


def test_weight_decay_leaves_excluded_ones():
    a, b, c = weight("kernel"), weight("bias"), weight("scale")
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[c], var_names=["bi"])
    optimizer.apply([np.zeros(2, "float32")] * 3, [a, b, c])
    np.testing.assert_allclose(a.numpy(), np.array([3, 0.5]) * 0.95, 1e-6)
    for kept in (b, c):
        np.testing.assert_allclose(kept.numpy(), [3.0, 0.5])


def test_averages_replace_weights_at_the_end():
    v, optimizer = weight(), optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([GRAD], [v])
    optimizer.finalize_variable_values([v])
    np.testing.assert_allclose(v.numpy(), [3, 0.5] - 1.5 * GRAD)


def test_state_travels_through_a_store():
    a, first = weight(), optimizers.Adam(0.1)
    first.apply([GRAD], [a])
    store = {}
    first.save_own_variables(store)
    second = optimizers.Adam.from_config(first.get_config())
    second.build([a])
    second.load_own_variables(store)
    assert all(
        np.array_equal(x.numpy(), y.numpy())
        for x, y in zip(first.variables, second.variables, strict=True)
    )
    with pytest.warns(UserWarning, match="4 variables, the file 3"):
        second.load_own_variables({key: store[key] for key in "012"})


def test_pickle_and_get():
    optimizer = optimizers.get({"class_name": "adam", "config": {"beta_1": 0.5}})
    again = pickle.loads(pickle.dumps(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert isinstance(optimizers.get("RMSPROP"), optimizers.RMSprop)
    with pytest.raises(ValueError, match="'adagrad'"):
        optimizers.get("adagrd")
    with pytest.raises(ValueError, match="Could not interpret"):
        optimizers.get(3)


def test_optax_is_an_optimizer():
    v, rule = weight(), optax.chain(optax.clip(0.5), optax.adam(0.1))
    optimizer = optimizers.get(rule)
    p, state = v.value, rule.init(v.value)
    for _ in range(3):
        optimizer.apply([GRAD], [v])
        updates, state = rule.update(GRAD, state, p)
        p = optax.apply_updates(p, updates)
    np.testing.assert_allclose(v.numpy(), p, 1e-6)


def test_optax_state_is_restored():
    v, first = weight(), optimizers.OptaxOptimizer(optax.adam(0.1))
    first.apply([GRAD], [v])
    store = {}
    first.save_own_variables(store)
    second = optimizers.OptaxOptimizer.from_config(first.get_config())
    second.build([v])
    second.load_own_variables(store)
    with pytest.raises(ValueError, match="transformation"):
        second.apply([GRAD], [v])
    second.transformation = optax.adam(0.1)
    before = v.numpy()
    second.apply([GRAD], [v])
    twice = v.numpy()
    v.assign(before)
    first.apply([GRAD], [v])
    np.testing.assert_array_equal(v.numpy(), twice)


def test_clipping():
    grads = {"a": jnp.array([3.0, 4.0]), "b": jnp.array([0.0, 12.0])}
    clipped = gradients.clip_by_norm(grads, 10.0)
    np.testing.assert_allclose(clipped["a"], [3.0, 4.0])
    np.testing.assert_allclose(clipped["b"], [0.0, 10.0])
    together = gradients.clip_by_global_norm(grads, 6.5)
    np.testing.assert_allclose(together["a"], [1.5, 2.0])
    np.testing.assert_allclose(together["b"], [0.0, 6.0])
    values = gradients.clip_by_value(grads, 3.5)
    np.testing.assert_allclose(values["a"], [3.0, 3.5])


def test_infinite_gradients_do_not_pass_as_zero():
    clipped = gradients.clip_by_global_norm({"a": jnp.array([jnp.inf, 1.0])}, 1.0)
    assert np.all(np.isnan(clipped["a"]))


def test_weight_without_a_gradient_keeps_its_value_through_averages():
    a, b = weight("a"), weight("b")
    optimizer = optimizers.SGD(1.0, use_ema=True)
    optimizer.build([a, b])
    optimizer.apply([GRAD], [a])
    optimizer.finalize_variable_values([a, b])
    np.testing.assert_allclose(b.numpy(), [3.0, 0.5])


def test_sparse_gradients_are_made_dense():
    a, b, grad = weight("a"), weight("b"), np.array([0.0, 2.0], "float32")
    optimizers.Adam(0.1).apply([jax.experimental.sparse.BCOO.fromdense(grad)], [a])
    optimizers.Adam(0.1).apply([grad], [b])
    np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_optax_objects_with_init_and_update_are_transformations():
    every = optax.MultiSteps(optax.sgd(1.0), every_k_schedule=2)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(every, "mse")
    x, before = np.ones((2, 1), "float32"), model.get_weights()[0]
    model.train_on_batch(x, 3 * x)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    model.train_on_batch(x, 3 * x)
    assert (model.get_weights()[0] != before).all()


def test_decay_warns():
    with pytest.warns(UserWarning, match="`decay` is of Keras 2"):
        optimizers.SGD(0.1, decay=0.5)


def test_a_step_in_which_all_is_frozen_is_not_counted():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model.train_on_batch(x, y)
    model.trainable = False
    model.train_on_batch(x, y)
    assert int(model.optimizer.iterations) == 1  # as in Keras
