"""Weights that are drawn when they are read are those that are drawn at once."""

import copy
import pickle
import threading

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.core import bridge
from minikeras.core import variable as variable_module
from minikeras.core.deferral import Deferral


def build():
    x = keras.Input((4, 4, 2))
    y = keras.layers.Conv2D(3, 2, name="a")(x)
    y = keras.layers.BatchNormalization(name="b")(y)
    y = keras.layers.Flatten()(y)
    return keras.Model(x, keras.layers.Dense(2, name="c")(y))


def both():
    """The same model twice: drawn at once, and deferred."""
    keras.utils.set_random_seed(3)
    at_once = build()
    keras.utils.set_random_seed(3)
    with Deferral():
        deferred = build()
    return at_once, deferred


@pytest.fixture
def draws(monkeypatch):
    """The paths of the Variables that draw their values."""
    drawn = []
    original = variable_module.Variable._initial_value

    def counting(self):
        drawn.append(self.path)
        return original(self)

    monkeypatch.setattr(variable_module.Variable, "_initial_value", counting)
    return drawn


def assert_same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_values_are_those_of_a_model_that_is_drawn_at_once(draws):
    at_once, deferred = both()
    assert len(draws) == len(at_once.weights)
    assert_same(at_once, deferred)
    assert_same(at_once, deferred)
    assert len(draws) == 2 * len(at_once.weights)


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.predict(np.ones((1, 4, 4, 2)), verbose=0),
        lambda m: m(np.ones((1, 4, 4, 2))),
        lambda m: m.get_weights(),
        lambda m: np.asarray(copy.deepcopy(m).weights[0]),
        lambda m: np.asarray(keras.models.clone_model(m).weights[1]),
        lambda m: np.asarray(pickle.loads(pickle.dumps(m)).weights[0]),
        lambda m: repr(m.weights[0]),
        lambda m: m.weights[0][0],
    ],
)
def test_every_way_to_read(use):
    at_once, deferred = both()
    jax.tree.map(np.testing.assert_array_equal, use(at_once), use(deferred))
    assert_same(at_once, deferred)


def test_training():
    at_once, deferred = both()
    x = np.random.default_rng(0).normal(size=(8, 4, 4, 2)).astype("float32")
    y = np.ones((8, 2), "float32")
    for model in (at_once, deferred):
        model.compile("adam", "mse")
        keras.utils.set_random_seed(1)
        model.fit(x, y, batch_size=4, verbose=0)
    assert_same(at_once, deferred)


def test_assigned_weights_never_draw(draws, tmp_path):
    at_once, deferred = both()
    draws.clear()
    at_once.save_weights(tmp_path / "a.weights.h5")
    deferred.load_weights(tmp_path / "a.weights.h5")
    assert_same(at_once, deferred)
    assert draws == []


def test_traced_code_sees_values_not_tracers():
    _, deferred = both()
    kernel = deferred.get_layer("c").kernel
    total = jax.jit(lambda x: x + kernel.value.sum())(0.0)
    assert float(total) == pytest.approx(float(kernel.numpy().sum()), rel=1e-5)


def test_an_interrupted_scope_ends(monkeypatch):
    """Ctrl-C while a layer's own frame ends leaves that frame open."""
    real = bridge.Frame.__exit__

    def interrupted(self, *exc):
        if isinstance(self.outer.opener, Deferral):
            raise KeyboardInterrupt
        real(self, *exc)

    with pytest.raises(KeyboardInterrupt), Deferral():
        monkeypatch.setattr(bridge.Frame, "__exit__", interrupted)
        try:
            keras.layers.Dense(2).build((None, 3))
        finally:
            monkeypatch.undo()
    assert bridge.current().serialization.loading is None


def test_an_interrupted_draw_swallows_no_assignment(monkeypatch):
    _, deferred = both()
    real = bridge.Frame.__exit__

    def interrupted(self, *exc):
        if self.bindings is not None:
            raise KeyboardInterrupt
        real(self, *exc)

    monkeypatch.setattr(bridge.Frame, "__exit__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        deferred.get_weights()
    monkeypatch.undo()
    assert bridge.current().bindings is None
    ones = [np.ones(w.shape) for w in deferred.weights]
    deferred.set_weights(ones)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(deferred.get_weights()))
    reader.start()
    reader.join()
    assert len(seen) == len(ones) and all((w == 1).all() for w in seen)


def test_where_a_value_is_read_does_not_matter():
    device = jax.devices()[0]
    _, deferred = both()
    with jax.transfer_guard("disallow"), jax.default_device(device):
        value = deferred.get_layer("c").kernel.value
    assert not value.committed


def test_an_assignment_in_another_thread_wins():
    with Deferral():
        v = keras.Variable(lambda shape, dtype: slow(shape), shape=(2,))
    drawing, assigned = threading.Event(), threading.Event()

    def slow(shape):
        drawing.set()
        assert assigned.wait(10)
        return np.zeros(shape)

    reader = threading.Thread(target=lambda: v.value)
    reader.start()
    assert drawing.wait(10)
    v.assign([1.0, 2.0])
    assigned.set()
    reader.join()
    assert v.numpy().tolist() == [1.0, 2.0]


def test_many_threads_read_one_value():
    _, deferred = both()
    seen = []
    kernel = deferred.get_layer("c").kernel
    threads = [
        threading.Thread(target=lambda: seen.append(kernel.numpy())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((x == seen[0]).all() for x in seen) and len(seen) == 8


def test_a_chosen_device_draws_at_once(draws):
    with jax.default_device(jax.devices()[0]), Deferral():
        keras.layers.Dense(2).build((None, 3))
    assert len(draws) == 2


def test_after_the_scope_new_weights_are_drawn_at_once(draws):
    with Deferral():
        pass
    keras.layers.Dense(2).build((None, 3))
    assert len(draws) == 2
