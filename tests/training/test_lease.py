"""While `fit` owns the arrays nobody can tell: reading, assigning, interrupting."""

import copy
import gc
import types
import weakref

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.training import lease, loop

rng = np.random.default_rng(5)
X = rng.normal(size=(12, 3)).astype("float32")
Y = rng.normal(size=(12, 2)).astype("float32")
FIT = {"batch_size": 4, "shuffle": False, "verbose": 0}


def make(optimizer="sgd"):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(optimizer, "mse")
    return model


class Hooks(keras.callbacks.Callback):
    """Calls `function(model, number, logs)` in the hook of a name."""

    def __init__(self, **functions):
        super().__init__()
        for name, function in functions.items():
            setattr(self, name, lambda i, logs=None, f=function: f(self.model, i, logs))


def gradient_step(kernel, bias, x, y, rate=0.01):
    """One step of SGD on the mean squared error, in numpy."""
    error = 2 * (x @ kernel + bias - y) / y.size
    return kernel - rate * x.T @ error, bias - rate * error.sum(0)


def test_weights_read_in_a_batch_hook_are_those_of_that_batch():
    model, seen = make(), []
    kernel, bias = model.get_weights()
    hooks = Hooks(on_train_batch_end=lambda m, i, logs: seen.append(m.get_weights()))
    model.fit(X, Y, callbacks=[hooks], **FIT)
    for i in range(3):
        rows = slice(4 * i, 4 * i + 4)
        kernel, bias = gradient_step(kernel, bias, X[rows], Y[rows])
        np.testing.assert_allclose(seen[i][0], kernel, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(seen[i][1], bias, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
def test_weights_assigned_in_a_hook_are_kept(hook):  # K19054
    model = make()
    last = {"on_train_batch_end": 2, "on_epoch_end": 0}[hook]

    def assign(model, i, logs):
        if i == last:
            model.layers[0].kernel.assign(np.full((3, 2), 5.0))

    model.fit(X, Y, callbacks=[Hooks(**{hook: assign})], **FIT)
    np.testing.assert_array_equal(model.get_weights()[0], np.full((3, 2), 5.0))


def test_an_assigned_weight_is_what_the_next_step_starts_from():
    model = make()
    start = [np.full((3, 2), 0.5, "float32"), np.array([1.0, -1.0], "float32")]

    def assign(model, i, logs):
        if i == 2:
            model.set_weights(start)

    model.fit(X, Y, callbacks=[Hooks(on_train_batch_begin=assign)], **FIT)
    kernel, _ = gradient_step(*start, X[8:], Y[8:])
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-5)


def test_the_learning_rate_set_in_a_hook_counts_at_once():
    model = make()

    def stop(model, i, logs):
        model.optimizer.learning_rate = 0.0

    model.fit(X[:4], Y[:4], **FIT)
    before = model.get_weights()
    model.fit(X, Y, callbacks=[Hooks(on_train_batch_begin=stop)], **FIT)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_leaves_the_last_finished_step(error):  # K21019
    model = make("adam")
    twin = make("adam")
    twin.set_weights(model.get_weights())

    def fail(model, i, logs):
        if i == 1:
            raise error

    with pytest.raises(error):
        model.fit(X, Y, callbacks=[Hooks(on_train_batch_end=fail)], **FIT)
    twin.fit(X[:8], Y[:8], **FIT)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations.value) == 2
    model.fit(X, Y, **FIT)
    assert int(model.optimizer.iterations.value) == 5
    model.evaluate(X, Y, verbose=0)


def test_an_exception_between_batches_of_a_generator():
    model = make()

    def batches():
        yield X[:4], Y[:4]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        model.fit(batches(), verbose=0)
    assert int(model.optimizer.iterations.value) == 1
    model.fit(X, Y, **FIT)


def test_logs_may_be_kept():
    model, batches, epochs = make(), [], []
    hooks = Hooks(
        on_train_batch_end=lambda m, i, logs: batches.append(logs),
        on_epoch_end=lambda m, i, logs: epochs.append(logs),
    )
    history = model.fit(X, Y, epochs=2, callbacks=[hooks], **FIT)
    values = [logs["loss"] for logs in batches]
    assert len(values) == 6 and all(isinstance(v, float) for v in values)
    assert [logs["loss"] for logs in epochs] == history.history["loss"]
    # The loss in the logs is the mean so far, so the epoch's is its last batch's.
    assert values[2::3] == history.history["loss"]
    assert values[0] != values[1]


def test_arrays_read_before_and_during_fit_stay_alive():
    model = make()
    kept = [v.value for v in model.variables]
    hooks = Hooks(
        on_train_batch_end=lambda m, i, logs: kept.extend(v.value for v in m.variables)
    )
    before = [np.array(a) for a in kept]
    model.fit(X, Y, epochs=2, callbacks=[hooks], **FIT)
    kept += [v.value for v in model.variables]
    model.fit(X, Y, **FIT)
    model.predict(X, verbose=0)
    assert not any(a.is_deleted() for a in kept)
    np.testing.assert_array_equal(kept[0], before[0])


def test_a_leased_model_can_be_copied_called_and_differentiated():
    model, seen = make(), {}

    def use(model, i, logs):
        twin = copy.deepcopy(model.layers[0].kernel)
        seen["same"] = bool((twin.value == model.layers[0].kernel.value).all())
        seen["out"] = model(X)
        seen["predict"] = model.predict(X, verbose=0)

    model.fit(X, Y, callbacks=[Hooks(on_epoch_end=use)], **FIT)
    assert seen["same"]
    np.testing.assert_allclose(seen["out"], seen["predict"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen["out"], model(X), rtol=1e-5, atol=1e-6)


def test_predict_inside_a_hook_leaves_the_lease_to_fit():
    model, kernels = make(), []

    def use(model, i, logs):
        model.predict(X, verbose=0)
        kernels.append(model.layers[0].kernel.numpy())
        if i == 1:
            model.layers[0].kernel.assign(np.zeros((3, 2)))

    model.fit(X, Y, callbacks=[Hooks(on_train_batch_end=use)], **FIT)
    assert not np.array_equal(kernels[0], kernels[1])
    assert np.abs(model.layers[0].kernel.numpy()).max() < 0.1
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernels[2])


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_arrays_are_let_go(call, monkeypatch):
    """The next step would copy what somebody else still holds."""
    model, leases = make("adam"), []
    module, name = (lease, "ReadLease") if call == "evaluate" else (loop, "StateLease")
    real = getattr(module, name)

    def made(*arguments):
        leases.append(weakref.ref(found := real(*arguments)))
        return found

    monkeypatch.setattr(module, name, made)
    gc.collect()
    gc.disable()
    try:
        arguments = {} if call == "train_on_batch" else {"verbose": 0}
        for _ in range(2):
            getattr(model, call)(X, Y, **arguments)
            assert leases and leases.pop()() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_weights_assigned_as_it_begins_are_used(call):
    """As a callback does that puts averages in the place of the weights."""
    model, data = make(), (X, Y) if call == "evaluate" else (X,)

    def swap(logs=None):
        model.set_weights([np.full((3, 2), 0.5), np.zeros(2)])

    name = "on_test_begin" if call == "evaluate" else "on_predict_begin"
    hook = keras.callbacks.LambdaCallback(**{name: swap})
    first = getattr(model, call)(*data, verbose=0, callbacks=[hook])
    np.testing.assert_array_equal(first, getattr(model, call)(*data, verbose=0))


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_weights_assigned_between_its_batches_are_used(call):
    model, data = make(), (X, Y) if call == "evaluate" else (X,)
    model.compile("sgd", "mse", run_eagerly=True)
    seen = []
    keep = model.layers[0].call
    model.layers[0].call = lambda x: (
        seen.append(model.get_weights()[0][0, 0]) or keep(x)
    )

    def assign(model, i, logs):
        model.set_weights([np.full((3, 2), i), np.zeros(2)])

    name = "on_test_batch_end" if call == "evaluate" else "on_predict_batch_end"
    getattr(model, call)(*data, 4, verbose=0, callbacks=[Hooks(**{name: assign})])
    assert seen[-2:] == [0.0, 1.0]
    assert model.get_weights()[0][0, 0] == 2.0


def test_metrics_read_while_they_are_evaluated():
    model, seen, told = make(), [], []

    def look(model, i, logs):
        seen.append(float(model.metrics[0].result()))
        told.append(logs["loss"])

    model.evaluate(X, Y, 4, 0, callbacks=[Hooks(on_test_batch_end=look)])
    assert seen == told and len(set(seen)) == 3


@pytest.mark.parametrize("act", ["nothing", "reset_metrics", "evaluate"])
def test_logs_are_those_of_the_last_batch(act):
    model, last = make(), []

    def touch(model, i, logs):
        last.append(logs["loss"])
        if act == "reset_metrics" and i == 2:
            model.reset_metrics()
        if act == "evaluate" and i == 2:
            model.evaluate(X + 1, Y, verbose=0)

    history = model.fit(X, Y, callbacks=[Hooks(on_train_batch_end=touch)], **FIT)
    assert history.history["loss"] == last[2:]


def test_what_is_assigned_and_never_changed_is_an_array_of_jax():
    model = make()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")

    def assign(model, i, logs):
        model.set_weights([np.full((3, 2), 5.0), np.ones(2)])

    model.fit(X, Y, callbacks=[Hooks(on_train_batch_begin=assign)], **FIT)
    assert all(isinstance(v._value, jax.Array) for v in model.variables)
    model.fit(X, Y, **FIT)


def leased(model):
    variables = model.variables + model.optimizer.variables + model.metrics_variables
    return [v.path for v in variables if v._lease is not None]


def test_no_room_for_what_was_assigned_last(monkeypatch):
    """The error comes out, and all is given back."""
    model = make()
    model.fit(X, Y, **FIT)

    def fail(array):
        raise MemoryError

    def assign(model, i, logs):
        model.set_weights([np.full((3, 2), 5.0), np.ones(2)])
        pretended = types.SimpleNamespace(copy=jax.numpy.copy, asarray=fail)
        monkeypatch.setattr(lease, "jnp", pretended)

    with pytest.raises(MemoryError):
        model.fit(X, Y, callbacks=[Hooks(on_epoch_end=assign)], **FIT)
    monkeypatch.undo()
    assert not leased(model)
    model.fit(X, Y, **FIT)
    assert int(model.optimizer.iterations.value) == 9


def test_a_variable_of_two_kinds_is_refused():
    class Looks(keras.metrics.Mean):
        def __init__(self, variable):
            super().__init__()
            self.looks_at = variable

    model = make()
    kernel = model.layers[0].kernel
    before = kernel.numpy()
    model.compile("sgd", "mse", metrics=[Looks(kernel)])
    with pytest.raises(ValueError, match="kernel stands in params and in metrics"):
        model.fit(X, Y, **FIT)
    assert not leased(model)
    np.testing.assert_array_equal(kernel.numpy(), before)


class Traced(layers.Layer):
    """Counts how often its computation is traced."""

    traces = 0

    def call(self, x):
        type(self).traces += 1
        assert isinstance(x, jax.core.Tracer)
        return x


def test_no_retrace_in_the_second_epoch_and_the_second_fit():
    Traced.traces = 0
    model = keras.Sequential([layers.Input((3,)), Traced(), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, **FIT)
    first = Traced.traces
    model.fit(X, Y, epochs=3, **FIT)
    model.fit(X + 1, Y, **FIT)
    assert Traced.traces == first
    model.evaluate(X, Y, batch_size=4, verbose=0)
    second = Traced.traces
    assert second > first
    model.evaluate(X, Y, batch_size=4, verbose=0)
    assert Traced.traces == second


def test_layers_frozen_by_a_callback_stand_still_from_the_next_epoch_on():  # K22104
    model = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.compile("sgd", "mse")
    kernels = []

    def freeze(model, epoch, logs):
        model.layers[0].trainable = epoch != 0
        kernels.append([layer.kernel.numpy() for layer in model.layers])

    model.fit(X, Y, epochs=3, callbacks=[Hooks(on_epoch_end=freeze)], **FIT)
    np.testing.assert_array_equal(kernels[0][0], kernels[1][0])
    assert not np.array_equal(kernels[0][1], kernels[1][1])
    assert not np.array_equal(kernels[1][0], kernels[2][0])


def test_trainable_changed_after_compile_counts():
    model = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, Y, **FIT)
    model.layers[0].trainable = False
    before = [w.copy() for w in model.get_weights()]
    model.fit(X, Y, **FIT)
    order = {v.path: v.numpy() for v in model.weights}
    assert np.array_equal(order[model.layers[0].kernel.path], before[0])
    assert not np.array_equal(model.layers[1].kernel.numpy(), before[2])
