"""How steps are dispatched: one by one, in loops, in chunks; never another result."""

import threading
import time

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.core import platform
from minikeras.training import cost, feed, program
from minikeras.training.feed import chunks, prefetch

rng = np.random.default_rng(5)
X = rng.normal(size=(50, 4)).astype("float32")
Y = rng.normal(size=(50, 2)).astype("float32")


def small_model(**compile_arguments):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="tanh"),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"], **compile_arguments)
    return model


WAYS = [
    "loops",
    "single steps",
    "loops over data that stay on an accelerator",
    "single steps over data that stay on an accelerator",
    "single steps over chunks that go to an accelerator",
]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Each test in loops on the device and step by step."""
    choose(monkeypatch, request.param)
    return request.param


def choose(monkeypatch, way):
    loops = way.startswith("loops")
    monkeypatch.setattr(program, "loop_steps", lambda jaxpr, most, keeps: most * loops)
    monkeypatch.setattr(platform, "is_cpu", lambda: "accelerator" not in way)
    monkeypatch.setattr(feed, "_fits", lambda arrays: "stay" in way)


class Counting(keras.Model):
    """Counts how often its step is traced, by batch size."""

    def __init__(self):
        super().__init__()
        self.dense, self.traced = layers.Dense(2), []

    def call(self, x, training=None):
        if isinstance(x, jax.core.Tracer) and training:
            self.traced.append(x.shape[0])
        return self.dense(x)


@pytest.mark.parametrize("steps", [1, 3, 7])
def test_a_step_is_traced_once_for_each_batch_size(way, steps):
    model = Counting()
    model.compile("sgd", "mse", steps_per_execution=steps)
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    assert model.traced == [8, 2]
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert model.traced == [8, 2]


def test_all_ways_agree(monkeypatch):
    results = []
    for way in WAYS:
        choose(monkeypatch, way)
        model = small_model()
        history = model.fit(
            *(X, Y), batch_size=8, epochs=3, validation_data=(X[:21], Y[:21]), verbose=0
        ).history
        state = np.random.get_state()[1]
        scores = model.evaluate(X, Y, batch_size=3, verbose=0)
        outputs = model.predict(X, batch_size=3, verbose=0)
        results.append((history, model.get_weights(), scores, outputs, state))
    for found in zip(*map(jax.tree_util.tree_leaves, results), strict=True):
        for other in found[1:]:
            np.testing.assert_allclose(other, found[0], rtol=2e-5, atol=1e-6)


@pytest.fixture(scope="module")
def shared():
    return small_model()


@pytest.mark.parametrize("samples", [1, 7, 16, 65, 200])
def test_predictions_in_chunks_of_any_number(way, samples, shared):
    model, shared._mk_programs = shared, {}
    x = rng.normal(size=(samples, 4)).astype("float32")
    expected = model.predict_on_batch(x)
    found = model.predict(x, batch_size=2, verbose=0)
    assert found.shape == expected.shape and found.flags.writeable
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    scores = model.evaluate(x, expected, batch_size=2, verbose=0)
    np.testing.assert_allclose(scores, 0.0, atol=1e-6)


def test_one_chunk_program_serves_data_of_any_length(monkeypatch):
    choose(monkeypatch, "loops")
    model = small_model()
    for samples in (40, 44, 52, 60):
        model.predict(rng.normal(size=(samples, 4)), batch_size=4, verbose=0)
    (program,) = model._mk_programs.values()
    assert program._compiled_loop._cache_size() == 1


def test_callbacks_see_every_execution(way):
    seen = []

    class See(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(("end", batch, sorted(logs)))

    model = small_model(steps_per_execution=3)
    model.fit(X, Y, batch_size=8, callbacks=[See()], verbose=0)
    logs = ["loss", "mae"]
    expected = [("begin", 0), ("end", 2, logs), ("begin", 3), ("end", 5, logs)]
    assert seen == [*expected, ("begin", 6), ("end", 8, logs)]


def test_steps_of_an_execution_are_checked():
    assert small_model(steps_per_execution="auto").steps_per_execution == 1
    for steps in (0, -1, 1.5, "2", None):
        with pytest.raises((TypeError, ValueError), match="steps_per_execution"):
            small_model(steps_per_execution=steps)


@pytest.mark.parametrize("steps", [3, 10])
def test_executions_cross_no_chunks(steps, way):
    ends = []

    class See(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.append(batch)

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    model = small_model(steps_per_execution=steps)
    for run in (model.fit, model.evaluate, lambda *a, **k: model.predict(a[0], **k)):
        ends.clear()
        run(X, Y, batch_size=2, callbacks=[See()], verbose=0)
        assert ends == list(range(steps - 1, 24 + steps, steps))


def test_state_that_prediction_changes_is_kept(way):
    class Counter(layers.Layer):
        def build(self, shape):
            self.calls = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            self.calls.assign_add(1.0)
            return x + self.calls.value

    model = keras.Sequential([keras.Input((1,)), Counter()])
    zeros = np.zeros((21, 1), "float32")
    found = model.predict(zeros, batch_size=2, verbose=0)[:, 0]
    np.testing.assert_array_equal(found, 1 + np.arange(21) // 2)
    assert float(model.layers[0].calls) == 11


def test_predict_within_fit_sees_the_newest_weights(way):
    model = small_model()
    found = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            found.append((model.predict(X, verbose=0), model(X).__array__()))

    model.fit(X, Y, epochs=2, callbacks=[Look()], verbose=0)
    for predicted, called in found:
        np.testing.assert_allclose(predicted, called, rtol=1e-5, atol=1e-6)
    assert not np.allclose(found[0][0], found[1][0])


def test_callbacks_may_change_the_data(way):
    if "accelerator" in way:
        pytest.skip("An accelerator takes a copy.")
    x, y = X.repeat(400, 0), Y.repeat(400, 0)  # more than goes at once

    class Change(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            x[:] = y[:] = 0.0

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, use_bias=False)])
    model.compile("sgd", "mse")
    for data in ((x, y), (x[:40], y[:40])):
        x[:], y[:] = X.repeat(400, 0), Y.repeat(400, 0)
        history = model.fit(*data, epochs=2, callbacks=[Change()], verbose=0).history
        assert history["loss"][0] > 0 and history["loss"][1] == 0


def test_data_too_large_for_the_device_is_fed_from_the_host(way, monkeypatch):
    expected = small_model().fit(X, Y, batch_size=8, epochs=2, verbose=0).history
    monkeypatch.setattr(feed, "_fits", lambda arrays: False)
    found = small_model().fit(X, Y, batch_size=8, epochs=2, verbose=0).history
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_chunks_end_anywhere(shuffle, monkeypatch):
    histories = []
    for sizes in ((256, 64, 8), (4,), (2, 1)):  # of the 6 whole batches and a part
        choose(monkeypatch, "loops")
        monkeypatch.setattr(chunks, "_CHUNK_BATCHES", sizes)
        model = small_model()
        history = model.fit(X, Y, 8, 2, shuffle=shuffle, verbose=0).history
        histories.append(history["loss"])
    np.testing.assert_allclose(histories[1:], histories[:1] * 2, rtol=1e-5)


def test_data_in_a_file_are_read_chunk_by_chunk(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float32", X.shape)
    x[:] = X
    losses = [
        small_model().fit(data, Y, 8, 2, verbose=0).history["loss"] for data in (X, x)
    ]
    assert losses[0] == losses[1]


def test_parts_of_arrays_lie_where_xla_reads_them():
    x = np.arange(35 << 12, dtype="float32").reshape(35, -1)[1:]
    for order in (None, rng.permutation(34).astype("int32")):
        part = chunks._gather({"x": x}, order, 3, 7, 6)["x"]
        rows = slice(3, 7) if order is None else order[3:7]
        np.testing.assert_array_equal(part[:4], x[rows])
        assert part.shape == (6, 1 << 12) and part.ctypes.data % 64 == 0
    whole = chunks._gather(part, None, 0, 6, 6)
    assert whole.ctypes.data == part.ctypes.data  # nothing is copied in vain


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_eager_means_eager(method):
    seen = []

    class Look(layers.Layer):
        def call(self, x):
            seen.append(isinstance(x, jax.core.Tracer))
            return x

    model = keras.Sequential([keras.Input((4,)), Look(), layers.Dense(2)])
    model.compile("sgd", "mse", run_eagerly=True)
    seen.clear()
    data = (X,) if method == "predict" else (X, Y)
    getattr(model, method)(*data, batch_size=8, verbose=0)
    assert seen.count(False) == 7  # once for each batch


def test_how_many_steps_go_in_a_loop():
    def at_once(function, *arguments):
        return cost.loop_steps(jax.jit(function).trace(*arguments).jaxpr, 200)

    if jax.default_backend() != "cpu":
        pytest.skip("of CPUs")
    x, w = np.ones((32, 64), "float32"), np.ones((64, 64), "float32")
    assert at_once(ops.matmul, x, w) == 200

    def scanned(x, w):  # 2.6e9 operations
        return jax.lax.scan(lambda c, _: (c @ w, None), x, None, length=10_000)[0]

    assert at_once(scanned, x, w) == 11

    def searched(x):
        return jax.lax.while_loop(lambda y: y.all(), lambda y: y - 1, x)

    def convolved(x, w):
        return ops.conv(x[None, :, :, None], w[:3, :3, None, None])

    assert at_once(searched, x) == at_once(convolved, x, w) == 0


def test_loops_keep_few_outputs():
    def at_once(units):
        x = jax.ShapeDtypeStruct((64, 4), "float32")
        jaxpr = jax.jit(lambda x: x @ np.ones((4, units), "float32")).trace(x).jaxpr
        return cost.loop_steps(jaxpr, 200, keeps_outputs=True)

    if jax.default_backend() != "cpu":
        pytest.skip("of CPUs")
    assert at_once(10) == 200 and at_once(1 << 14) == 8 and at_once(1 << 17) == 0


class TestPrefetching:
    """Sources are read ahead in a thread when they are slow."""

    @staticmethod
    def source(count, seconds=0.002, error=None, closed=None):
        try:
            for i in range(count):
                time.sleep(seconds)
                yield i, threading.current_thread()
            if error:
                raise error
        finally:
            if closed is not None:
                closed.append(threading.current_thread())

    @pytest.mark.parametrize("seconds", [0.0, 0.002])
    def test_order_and_end(self, seconds):
        items = list(prefetch.prefetched(self.source(30, seconds)))
        assert [i for i, _ in items] == list(range(30))
        elsewhere = {t for _, t in items} - {threading.current_thread()}
        assert elsewhere or not seconds
        assert not any(t.is_alive() for t in elsewhere)

    @pytest.mark.parametrize("seconds", [0.0, 0.002])
    def test_an_error_comes_where_its_item_would(self, seconds):
        found = []
        with pytest.raises(OSError, match="torn"):
            for i, _ in prefetch.prefetched(self.source(5, seconds, OSError("torn"))):
                found.append(i)
        assert found == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("seconds", [0.0, 0.002])
    def test_stopping_early_closes_the_source(self, seconds):
        before, closed = threading.active_count(), []
        items = prefetch.prefetched(self.source(50, seconds, closed=closed))
        for _ in range(6):
            last = next(items)[0]
        items.close()
        assert last == 5 and len(closed) == 1
        assert threading.active_count() == before

    def test_no_more_is_read_than_an_epoch_needs(self):
        model, read = small_model(), []

        def batches():
            while True:
                read.append(time.sleep(0.002))
                yield X[:8], Y[:8]

        model.fit(batches(), steps_per_epoch=5, epochs=2, verbose=0)
        assert len(read) == 10


def test_a_generator_may_fill_one_buffer_again_and_again():
    model = small_model()
    buffer = np.empty((8, 4), "float32")

    def batches():
        for i in range(6):
            time.sleep(0.002)
            buffer[:] = i
            yield (buffer,)

    found = model.predict(batches(), verbose=0)[::8]
    expected = model.predict_on_batch(np.repeat(np.arange(6.0), 4).reshape(6, 4))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "batches, execution, expected",
    [(3, 5, [3]), (10, 4, [10]), (7, 3, [7]), (300, 7, [252, 48])],
)
def test_loops_over_resident_data_hold_whole_executions(
    batches, execution, expected, monkeypatch
):
    choose(monkeypatch, "loops over data that stay on an accelerator")
    model = small_model(steps_per_execution=execution)
    x = rng.normal(size=(batches * 4, 4)).astype("float32")
    seen, run = [], program.Program.call_for

    def call_for(self, dispatch):
        seen.append(dispatch.steps)
        return run(self, dispatch)

    monkeypatch.setattr(program.Program, "call_for", call_for)
    model.fit(x, np.zeros((len(x), 2)), batch_size=4, epochs=2, verbose=0)
    assert seen == expected * 2
