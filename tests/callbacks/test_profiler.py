"""`Profiler`: the rows add up, name layers, and change nothing."""

import html.parser

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.training import trace_profile
from minikeras.training.trace_profile import Operation, Trace

X = np.linspace(0, 1, 640 * 8, dtype="float32").reshape(640, 8)
Y = X[:, :1]


def small_model():
    keras.utils.set_random_seed(1)
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(64, "relu", name="wide")])
    inner.name = "inner"
    parts = [inner, layers.Dropout(0.1, name="drop"), layers.Dense(1, name="<last>")]
    model = keras.Sequential([keras.Input((8,)), *parts])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_a_fit_with_a_profile_is_the_same_fit(tmp_path, capsys):
    page = tmp_path / "profile.html"
    model = small_model()
    history = model.fit(X, Y, epochs=2, verbose=0, profile=str(page))
    plain = small_model()
    assert plain.fit(X, Y, epochs=2, verbose=0).history == history.history
    for a, b in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    text = capsys.readouterr().out
    assert "inner/wide" in text and "optimizer" in text and "A step takes" in text
    # One file, well formed, names escaped.
    html.parser.HTMLParser().feed(page.read_text())
    assert "&lt;last&gt;" in page.read_text() and "<last>" not in page.read_text()
    assert "http" not in page.read_text()


@pytest.mark.parametrize("verb", ["fit", "evaluate", "predict"])
def test_the_rows_add_up_to_the_measured_time(verb, capsys):
    profiler, model = keras.callbacks.Profiler(steps=12), small_model()
    data = (X,) if verb == "predict" else (X, Y)
    getattr(model, verb)(*data, verbose=0, callbacks=[profiler])
    assert profiler.measured_steps == 12
    whole = sum(row.total for row in profiler.rows)
    assert whole == pytest.approx(profiler.step_seconds, rel=1e-6)
    by_name = {row.name: row for row in profiler.rows}
    wide = by_name["inner/wide"]
    assert wide.forward > 0 and (wide.backward > 0) == (verb == "fit")
    rest = by_name.get("unattributed")
    assert rest is None or rest.total < 0.5 * whole
    assert capsys.readouterr().out.count("A step takes") == 1


def test_waiting_for_data_and_callbacks_are_found(capsys):
    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            jax.block_until_ready(jax.numpy.ones(300_000).sort())

    def batches():
        for _ in range(12):
            jax.block_until_ready(jax.numpy.ones(300_000).sort())
            yield X[:32], Y[:32]

    profiler = keras.callbacks.Profiler(first=3, steps=5)
    model = small_model()
    model.fit(batches(), steps_per_epoch=12, verbose=0, callbacks=[Slow(), profiler])
    assert profiler.measured_steps == 5
    names = {row.name for row in profiler.rows if row.kind == "host"}
    assert {"data", "callbacks", "dispatch"} <= names


def test_nothing_to_measure_and_traces_of_others(tmp_path, capsys):
    profiler = keras.callbacks.Profiler()
    small_model().fit(X[:32], Y[:32], verbose=0, callbacks=[profiler])
    assert profiler.rows == [] and "no step was measured" in capsys.readouterr().out
    jax.profiler.start_trace(str(tmp_path))
    try:
        with pytest.warns(UserWarning, match="nothing is measured"):
            small_model().fit(X, Y, verbose=0, callbacks=[profiler])
    finally:
        jax.profiler.stop_trace()
    with pytest.raises(ValueError, match="CallbackList"):
        small_model().fit(X, Y, callbacks=keras.callbacks.CallbackList(), profile=True)
    with pytest.raises(ValueError, match="steps"):
        keras.callbacks.Profiler(steps=0)


def test_an_interrupt_ends_the_trace():
    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 5:
                raise KeyboardInterrupt

    model = small_model()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[Stops(), keras.callbacks.Profiler()])
    profiler = keras.callbacks.Profiler(steps=4)  # a second one can start
    model.fit(X, Y, verbose=0, callbacks=[profiler])
    assert profiler.measured_steps == 4


TEXT = """HloModule jit_step, is_scheduled=true
%fused (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  %dot.1 = f32[4]{0} dot(%p, %p), metadata={op_name="jit(step)/transpose(jvp(a))/dot"}
  ROOT %add.1 = f32[4]{0} add(%dot.1, %p), metadata={op_name="jit(step)/optimizer/add"}
}

ENTRY %main (x: f32[4]) -> f32[4] {
  %x = f32[4]{0} parameter(0)
  %copy.1 = f32[4]{0} copy(%x)
  %tanh.1 = f32[4]{0} tanh(%copy.1), metadata={op_name="jit(step)/jvp(a)/inner/tanh"}
  %add_fusion = f32[4]{0} fusion(%tanh.1), kind=kLoop, calls=%fused
  %mul.1 = f32[4]{0} multiply(%x, %x), metadata={op_name="jit(step)/optimizer/mul"}
}
"""


def test_instructions_are_traced_back_to_their_code():
    names = trace_profile.sources(TEXT)
    assert names["add_fusion"] == "jit(step)/transpose(jvp(a))/dot"
    assert names["copy.1"] == "jit(step)/jvp(a)/inner/tanh"
    assert trace_profile.scope_of(names["tanh.1"]) == (["a", "inner"], False)
    assert trace_profile.scope_of(names["add_fusion"]) == (["a"], True)


def test_names_in_any_script_are_read():
    name = r"jit(f)/jvp(gr\303\266\303\237e)/add"
    line = f'  %a.1 = f32[] add(%x, %x), metadata={{op_name="{name}"}}'
    names = trace_profile.sources("ENTRY %main {\n" + line)
    assert names["a.1"] == "jit(f)/jvp(größe)/add"


def test_the_time_of_each_moment_is_divided_once():
    program = ("jit_step", 1)
    operations = [
        Operation(0, 40, program, "tanh.1"),  # alone for 20, then with the next
        Operation(20, 60, program, "add_fusion"),
        Operation(70, 80, program, "mul.1"),
    ]
    spans = [(0, 100, "python"), (50, 90, "data")]
    trace = Trace(operations, [(60, 70)], spans, (0, 120))
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, name="a")])
    rows = trace_profile.rows(trace, [("jit_step", TEXT)], model, steps=2)
    times = {row.name: (row.forward * 2e9, row.backward * 2e9) for row in rows}
    assert times == {
        "a": pytest.approx((30, 30)),
        "optimizer": pytest.approx((10, 0)),
        "between operations": pytest.approx((10, 0)),
        "data": pytest.approx((10, 0)),
        "python": pytest.approx((10, 0)),
        "unattributed": pytest.approx((20, 0)),
    }
