"""The callback TensorBoard: what it writes, and what TensorBoard reads of it."""

import copy
import importlib
import pickle
import warnings

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import callbacks, layers
from minikeras.callbacks import summary_writer, tensorboard
from minikeras.training.logs import LazyLogs
from tests.callbacks.event_reader import fields, read, scalars

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
Y = X[:, :1]
STEPS = 3  # of an epoch, in batches of 4


def make(optimizer="sgd", **settings):
    keras.utils.set_random_seed(0)
    stack = [keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(1, name="b")]
    model = keras.Sequential(stack, name="net")
    model.compile(optimizer, "mse", metrics=["mae"], **settings)
    return model


def fit(model, *used, epochs=2, validates=True, **settings):
    settings = {"batch_size": 4, "verbose": 0, **settings}
    if validates:
        settings["validation_data"] = (X, Y)
    return model.fit(X, Y, epochs=epochs, callbacks=list(used), **settings).history


def float32(values):
    return [float(np.float32(x)) for x in values]


def test_logs_of_epochs(tmp_path):
    history = fit(make(), callbacks.TensorBoard(tmp_path))
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    for name in ("loss", "mae"):
        steps = dict(enumerate(float32(history[name])))
        assert train[f"epoch_{name}"] == steps
        values = float32(history[f"val_{name}"])
        assert validation[f"epoch_{name}"] == dict(enumerate(values))
        iterations = dict(zip([3, 6], values, strict=True))
        assert validation[f"evaluation_{name}_vs_iterations"] == iterations
    assert train["epoch_learning_rate"] == {0: np.float32(0.01), 1: np.float32(0.01)}
    assert (len(train), len(validation)) == (3, 4)


def test_no_file_without_something_to_write(tmp_path):
    fit(make(), callbacks.TensorBoard(tmp_path), validates=False)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    make().predict(X, verbose=0, callbacks=[callbacks.TensorBoard(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


class Losses(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


@pytest.mark.parametrize(
    ("freq", "steps"), [("batch", range(1, 7)), (1, range(1, 7)), (2, (2, 4, 6))]
)
def test_logs_of_batches(tmp_path, freq, steps):
    losses = Losses()
    board = callbacks.TensorBoard(
        tmp_path, update_freq=freq, write_steps_per_second=True
    )
    fit(make(), losses, board)
    found = scalars(tmp_path / "train")
    expected = {step: np.float32(losses.losses[step - 1]) for step in steps}
    assert found["batch_loss"] == expected
    assert [*found["batch_mae"]] == [*found["batch_steps_per_second"]] == [*steps]
    assert [*found["epoch_loss"]] == [0, 1]
    assert all(rate > 0 for rate in found["epoch_steps_per_second"].values())


def test_batches_of_an_execution_count(tmp_path):
    board = callbacks.TensorBoard(tmp_path, update_freq=2)
    fit(make(steps_per_execution=2), board, epochs=3)
    # Executions end after 2, 3, 5, 6, 8 and 9 batches; 2, 4, 6 and 8 have passed.
    assert [*scalars(tmp_path / "train")["batch_loss"]] == [2, 5, 6, 8]


def test_the_rate_of_an_epoch_is_that_of_its_training(tmp_path, monkeypatch):
    times = iter([0.0, 0.0, 10.0, 12.0, 14.0])
    monkeypatch.setattr(tensorboard.time, "perf_counter", lambda: next(times))
    board = callbacks.TensorBoard(tmp_path, write_steps_per_second=True)
    board.set_model(make())
    board.on_train_begin()
    board.on_epoch_begin(0)  # at 0
    board.on_train_batch_end(19)  # at 10
    board.on_test_begin()  # at 12
    board.on_test_end()
    monkeypatch.undo()
    board.on_epoch_end(0)
    board.on_train_end()
    found = scalars(tmp_path / "train")["epoch_steps_per_second"]
    assert found == {0: np.float32(20 / 12)}


def needs_batches(board):
    hooks = callbacks.CallbackList([board])
    used = hooks._mk_batch_hooks()
    ends = bool(used["on_train_batch_end"]), bool(used["on_train_batch_begin"])
    return hooks.needs_train_batch_hooks, *ends


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (False, False, False)),
        ({"write_steps_per_second": True}, (False, True, False)),
        ({"update_freq": 9}, (True, True, False)),
        ({"profile_batch": 2}, (True, True, True)),
    ],
)
def test_hooks_of_batches_cost_nothing_when_off(settings, expected):
    assert needs_batches(callbacks.TensorBoard(**settings)) == expected


def test_a_subclass_sees_every_batch():
    class Own(callbacks.TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)

    assert needs_batches(Own())[0]


def test_logs_of_batches_are_read_late(tmp_path, monkeypatch):
    """No step waits for the logs of the one before."""
    monkeypatch.setattr(tensorboard, "_WAITING", 5)
    board, read_at, now = callbacks.TensorBoard(tmp_path, update_freq=2), [], None
    board.set_params({"epochs": 1, "steps": 12, "verbose": 0})
    board.set_model(make())
    board.on_train_begin()
    board.on_epoch_begin(0)
    for now in range(12):
        logs = LazyLogs(lambda now=now: read_at.append(now) or {"loss": now})
        board.on_train_batch_end(now, logs)
        assert read_at == ([] if now < 9 else [1, 3, 5, 7, 9])
    board.on_epoch_end(0, {"loss": 0.5})
    assert read_at == [1, 3, 5, 7, 9, 11]
    board.on_train_end()
    assert scalars(tmp_path / "train")["batch_loss"] == {n + 1: n for n in read_at}


def test_a_loop_of_the_users_own_may_change_its_logs(tmp_path):
    board, logs = callbacks.TensorBoard(tmp_path, update_freq=1), {}
    board.set_model(make())
    board.on_train_begin()
    board.on_epoch_begin(0)
    for batch in range(3):
        logs["loss"] = float(batch)
        board.on_train_batch_end(batch, logs)
    board.on_train_end()
    assert scalars(tmp_path / "train")["batch_loss"] == {1: 0, 2: 1, 3: 2}


def test_weights(tmp_path):
    model = make()
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True)
    kernels = []
    note = callbacks.LambdaCallback(
        on_epoch_end=lambda *_: kernels.append(model.get_weights()[0])
    )
    fit(model, board, note, epochs=3)
    events = {(e.tag, e.step): e for e in read(tmp_path / "train")}
    histograms = {tag for tag, _ in events if tag.endswith("/histogram")}
    names = ("a/kernel", "a/bias", "b/kernel", "b/bias")
    assert histograms == {f"net/{name}/histogram" for name in names}
    for epoch in (0, 2):
        table = events["net/a/kernel/histogram", epoch].value
        assert table[0, 0] == kernels[epoch].min() and table[:, 2].sum() == 12
        assert ("net/b/kernel/image", epoch) in events
    assert ("net/a/kernel/histogram", 1) not in events
    assert ("net/b/bias/image", 0) not in events  # a number makes no image


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1,), None),
        ((5,), (1, 5, 1, 1)),
        ((4, 3), (1, 3, 4, 1)),
        ((3, 4), (1, 3, 4, 1)),
        ((5, 1), (1, 5, 1, 1)),
        ((2, 3, 4), (4, 2, 3, 1)),
        ((3, 2, 1), (1, 2, 3, 1)),
        ((3, 3, 1, 8), (8, 3, 3, 1)),
        ((3, 3, 2, 8), None),
    ],
)
def test_shapes_of_weight_images(shape, expected):
    images = tensorboard.weight_images(np.zeros(shape))
    assert (None if images is None else images.shape) == expected


def nodes(folder):
    """{name: (class, inputs)} of the graph in a folder."""
    (graph,) = [e.value for e in read(folder) if e.tag == "graph"]
    found = {}
    for node in map(fields, fields(graph)[1]):
        name, kind = node[1][0].decode(), node[2][0].decode()
        found[name] = kind, [x.decode() for x in node.get(3, [])]
    return found


def written_graph(model, folder):
    writer = summary_writer.SummaryWriter(folder)
    writer.graph(model)
    writer.close()
    return nodes(folder), [e.value.item() for e in read(folder) if e.tag == "keras"]


def test_graph_of_a_sequential_model(tmp_path):
    board = callbacks.TensorBoard(tmp_path)
    model = make()
    fit(model, board, epochs=1)
    name = model.get_config()["layers"][0]["config"]["name"]
    assert nodes(tmp_path / "train") == {
        name: ("InputLayer", []),
        "a": ("Dense", [name]),
        "b": ("Dense", ["a"]),
    }
    (text,) = [e.value.item() for e in read(tmp_path / "train") if e.tag == "keras"]
    assert text.decode() == model.to_json()


def test_graph_of_nested_models(tmp_path):
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    inner_x = keras.Input((4,), name="i")
    first = layers.Dense(2, name="first")(inner_x)
    second = layers.Dense(2, name="second")(first)
    inner = keras.Model(inner_x, [first, second], name="inner")
    stack = keras.Sequential([layers.Dense(2, name="s")], name="stack")
    p, q = inner(x)
    total = layers.Add(name="total")([q, stack(y), keras.ops.abs(p)])
    found, texts = written_graph(keras.Model([x, y], total, name="m"), tmp_path)
    operation = next(name for name, (kind, _) in found.items() if kind == "Absolute")
    assert found["inner/i"] == ("InputLayer", ["x"])
    assert found["inner/second"] == ("Dense", ["inner/first"])
    assert found["stack/s"][0] == "Dense"
    assert found[operation][1] == ["inner/first"]
    assert found["total"] == ("Add", ["inner/second", "stack/s", operation])
    assert len(texts) == 1


def test_graph_of_a_model_without_a_config(tmp_path):
    class Own(keras.Model):
        def __init__(self, units):
            super().__init__(name="own")
            self.inner = layers.Dense(units, name="inner")

        def call(self, x):
            return self.inner(x)

    model = Own(2)
    model(X)
    assert written_graph(model, tmp_path) == ({"inner": ("Dense", [])}, [])


@pytest.mark.parametrize("batches", [2, "2", (2, 4), "2,4"])
def test_profile(tmp_path, batches, monkeypatch):
    calls = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda f: calls.append(f))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: calls.append("stop"))
    board = callbacks.TensorBoard(tmp_path, profile_batch=batches)
    note = callbacks.LambdaCallback(
        on_train_batch_begin=lambda *_: calls.append("begin"),
        on_train_batch_end=lambda *_: calls.append("end"),
    )
    fit(make(), board, note)
    train, last = str(tmp_path / "train"), 2 if str(batches) == "2" else 4
    first, inside = calls.index(train), calls[calls.index(train) : calls.index("stop")]
    assert calls[:first] == ["begin", "end"]
    assert inside.count("begin") == last - 1 and calls.count("stop") == 1
    calls.clear()
    fit(make(), board)
    assert calls == [train, "stop"]  # once in each fit


def test_a_real_profile(tmp_path):
    fit(make(), callbacks.TensorBoard(tmp_path, profile_batch=2), epochs=1)
    profile = tmp_path / "train" / "plugins" / "profile"
    assert len([*profile.glob("*/*.xplane.pb")]) == 1


def test_a_profile_while_another_runs(tmp_path):
    board = callbacks.TensorBoard(tmp_path, profile_batch=1)
    with jax.profiler.trace(str(tmp_path / "other")):
        with pytest.warns(UserWarning, match="no trace"):
            fit(make(), board, epochs=1)
    assert not (tmp_path / "train" / "plugins").exists()


def resume(model, folder, **settings):
    """Two epochs, the second again, and a third, as after a crash."""
    fit(model, callbacks.TensorBoard(folder, **settings), epochs=2)
    board = callbacks.TensorBoard(folder, **settings)
    state = model.optimizer.variables[0]
    state.assign(STEPS)  # the backup was made after the first epoch
    return fit(model, board, initial_epoch=1, epochs=3)


def test_a_training_that_goes_on(tmp_path):
    resume(make(), tmp_path, update_freq=1)
    train = read(tmp_path / "train")
    assert [e.step for e in train if e.tag == "session"] == [STEPS + 1] * 2
    steps = [e.step for e in train if e.tag == "batch_loss"]
    assert steps == [*range(1, 7), *range(4, 10)]
    assert [e.step for e in train if e.tag == "epoch_loss"] == [0, 1, 1, 2]


def test_a_training_that_goes_on_in_epochs(tmp_path):
    resume(make(), tmp_path)
    train = read(tmp_path / "train")
    assert [e.step for e in train if e.tag == "session"] == [1, 1]
    validation = read(tmp_path / "validation")
    assert [e.step for e in validation if e.tag == "session"] == [STEPS + 1] * 2


def test_an_interrupted_training_leaves_what_it_has_done(tmp_path):
    def stop(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    board = callbacks.TensorBoard(tmp_path, update_freq=1)
    with pytest.raises(KeyboardInterrupt):
        fit(make(), board, callbacks.LambdaCallback(on_epoch_end=stop), epochs=3)
    found = scalars(tmp_path / "train")
    assert [*found["batch_loss"]] == [*range(1, 7)] and [*found["epoch_loss"]] == [0, 1]
    fit(make(), board)  # and the callback works on
    assert len([*(tmp_path / "train").glob("events*")]) == 2


def test_evaluate_alone(tmp_path):
    model, board = make(), callbacks.TensorBoard(tmp_path)
    fit(model, validates=False)
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[board])
    found = scalars(tmp_path / "validation")
    assert found["evaluation_loss_vs_iterations"] == {6: np.float32(loss)}
    assert not (tmp_path / "train").exists()


def test_summaries_of_the_users_own(tmp_path):
    board = callbacks.TensorBoard(tmp_path, update_freq=1)

    class Own(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            board.summary.scalar("twice", 2 * batch)

        def on_test_begin(self, logs=None):
            board.summary.text("note", "*begins*")

        def on_epoch_end(self, epoch, logs=None):
            board.summary.image("x", X.reshape(1, 10, 4, 1), step=epoch)
            board.summary.histogram("h", X, step=epoch, buckets=5)

    fit(make(), board, Own())
    train = read(tmp_path / "train")
    steps = [(e.step, float(e.value)) for e in train if e.tag == "twice"]
    assert steps == [(n + 1, 2 * (n % 3)) for n in range(6)]
    plugins = {e.tag: e.plugin for e in [*train, *read(tmp_path / "validation")]}
    assert (plugins["x"], plugins["h"]) == ("images", "histograms")
    assert plugins["note"] == "text"
    assert not [e for e in train if e.tag == "note"]


def test_summaries_from_a_compiled_step(tmp_path):
    board = callbacks.TensorBoard(tmp_path, update_freq=1)

    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kw):
            loss = super().compute_loss(x, y, y_pred, sample_weight)
            jax.debug.callback(lambda v: board.summary.scalar("raw", v), loss)
            return loss

    model = Own([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    fit(model, board, validates=False)
    jax.effects_barrier()
    board.summary.close()
    events = [e for e in read(tmp_path / "train") if e.tag == "raw"]
    assert len(events) == 2 * STEPS


@pytest.mark.parametrize(
    ("write", "match"),
    [
        (lambda w: w.scalar("a", [1, 2]), r"'a': expected one number.*\(2,\)"),
        (lambda w: w.image("a", X), r"'a': expected \(n, height.*\(10, 4\)"),
        (lambda w: w.image("a", np.zeros((2, 2, 5))), "1 to 4"),
    ],
)
def test_summaries_that_are_none(tmp_path, write, match):
    with pytest.raises(ValueError, match=match):
        write(callbacks.TensorBoard(tmp_path).summary)
    assert not [*tmp_path.iterdir()]


def test_embeddings(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Embedding(5, 2, name="words"),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="net",
    )
    model.compile("sgd", "mse")
    metadata = {"words": "words.tsv"}
    board = callbacks.TensorBoard(
        tmp_path, embeddings_freq=2, embeddings_metadata=metadata
    )
    tables = []
    note = callbacks.LambdaCallback(
        on_epoch_end=lambda *_: tables.append(
            np.loadtxt(tmp_path / "embeddings" / "words.tsv")
        )
    )
    model.fit(abs(X).round(), Y, verbose=0, epochs=2, callbacks=[board, note])
    assert (tmp_path / "projector_config.pbtxt").read_text().split() == [
        *("embeddings", "{", "tensor_name:", '"net/words/embeddings"'),
        *("metadata_path:", '"words.tsv"'),
        *("tensor_path:", '"embeddings/words.tsv"', "}"),
    ]
    np.testing.assert_array_equal(tables[0], tables[1])  # every second epoch
    assert tables[0].shape == (5, 2)
    board.embeddings_metadata = {"nope": "a"}
    with pytest.raises(ValueError, match=r"\['nope'\]; it has \['words'\]"):
        model.fit(abs(X).round(), Y, verbose=0, callbacks=[board])


def test_logs_that_are_no_numbers(tmp_path):
    def add(epoch, logs):
        logs |= {"name": "run", "each": np.ones(3), "one": np.ones((1, 1))}

    note = callbacks.LambdaCallback(on_epoch_end=add)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        fit(make(), note, callbacks.TensorBoard(tmp_path), epochs=3)
    texts = [str(w.message) for w in found]
    assert [text.split("'")[1] for text in texts] == ["name", "each"]  # once
    assert scalars(tmp_path / "train")["epoch_one"] == {0: 1.0, 1: 1.0, 2: 1.0}


def test_rates_of_several_optimizers(tmp_path):
    sgd, adam = keras.optimizers.SGD(0.5, name="s"), keras.optimizers.Adam(0.25)
    rules = keras.optimizers.OptimizerMap(sgd, {".*bias": adam})
    fit(
        make(keras.optimizers.MultiOptimizer(rules)),
        callbacks.TensorBoard(tmp_path),
        epochs=1,
    )
    assert scalars(tmp_path / "train")["epoch_learning_rate_s"] == {0: 0.5}


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"update_freq": "often"}, "update_freq to be an int >= 1 or 'batch'"),
        ({"update_freq": 0}, "update_freq"),
        ({"update_freq": 1.5}, "got 1.5"),
        ({"histogram_freq": -1}, "histogram_freq to be an int >= 0"),
        ({"histogram_freq": True}, "histogram_freq"),
        ({"embeddings_freq": "1"}, "embeddings_freq"),
        ({"profile_batch": (3, 2)}, r"got \(3, 2\)"),
        ({"profile_batch": "1,2,3"}, "'a,b'"),
        ({"profile_batch": -1}, "profile_batch"),
        ({"profile_batch": 1.5}, "profile_batch"),
        ({"log_dir": "gs://bucket"}, "folder of this computer"),
    ],
)
def test_arguments(settings, match):
    with pytest.raises(ValueError, match=match):
        callbacks.TensorBoard(**settings)


def test_copies_have_no_open_files(tmp_path):
    board = callbacks.TensorBoard(tmp_path)
    board.summary.scalar("a", 1, step=0)
    for again in (copy.deepcopy(board), pickle.loads(pickle.dumps(board))):
        again.summary.scalar("a", 2, step=1)
        again.summary.close()
    board.summary.close()
    assert len([*(tmp_path / "train").iterdir()]) == 3


# -- TensorBoard itself reads ---------------------------------------------------------


def reload(folder, module="event_accumulator"):
    """What TensorBoard reads: (its accumulator, {tag: {step: array}})."""
    pytest.importorskip("tensorboard")
    base = "tensorboard.backend.event_processing"
    module = importlib.import_module(f"{base}.{module}")
    found = module.EventAccumulator(str(folder), {"tensors": 0})
    found.Reload()
    make_array = importlib.import_module("tensorboard.util.tensor_util").make_ndarray
    return found, {
        tag: {e.step: make_array(e.tensor_proto) for e in found.Tensors(tag)}
        for tag in found.Tags()["tensors"]
        if "graph" not in tag
    }


def test_tensorboard_reads_every_tag(tmp_path):
    model = make()
    board = callbacks.TensorBoard(
        tmp_path,
        histogram_freq=1,
        write_images=True,
        write_steps_per_second=True,
        update_freq=1,
    )
    history = fit(model, board)
    found, train = reload(tmp_path / "train")
    _, validation = reload(tmp_path / "validation")
    weights = [w.path for w in model.weights]
    assert {*train} == {
        "keras",
        *(f"epoch_{n}" for n in ("loss", "mae", "learning_rate", "steps_per_second")),
        *(f"batch_{n}" for n in ("loss", "mae", "steps_per_second")),
        *(f"{path}/histogram" for path in weights),
        *(f"{path}/image" for path in weights if path != "net/b/bias"),
    }
    assert {*validation} == {
        *("epoch_loss", "epoch_mae"),
        *(f"evaluation_{n}_vs_iterations" for n in ("loss", "mae")),
    }
    for name in ("loss", "mae"):
        assert train[f"epoch_{name}"] == dict(enumerate(np.float32(history[name])))
        values = np.float32(history[f"val_{name}"])
        assert validation[f"epoch_{name}"] == dict(enumerate(values))
        tag = f"evaluation_{name}_vs_iterations"
        assert validation[tag] == dict(zip([3, 6], values, strict=True))
        assert [*train[f"batch_{name}"]] == [*range(1, 7)]
        assert train[f"batch_{name}"][6] == np.float32(history[name][1])
    table = train["net/a/kernel/histogram"][1]
    assert (table[0, 0], table[-1, 1]) == (
        model.get_weights()[0].min(),
        model.get_weights()[0].max(),
    )
    assert train["net/a/kernel/image"][1][:2].tolist() == [b"4", b"3"]
    assert [node.name for node in found.Graph().node][1:] == ["a", "b"]
    plugin = found.SummaryMetadata("keras").plugin_data
    assert (plugin.plugin_name, plugin.content) == ("graph_keras_model", b"1")


def test_tensorboard_shows_the_model_of_the_keras_tag(tmp_path):
    written_graph(make(), tmp_path)
    _, tags = reload(tmp_path)
    keras_util = importlib.import_module("tensorboard.plugins.graph.keras_util")
    json = importlib.import_module("json")
    graph = keras_util.keras_model_to_graph_def(json.loads(tags["keras"][0].item()))
    assert {n.name: [*n.input] for n in graph.node}["net/b"] == ["net/a"]


@pytest.mark.parametrize("freq", ["epoch", 1])
def test_tensorboard_reads_a_training_that_goes_on(tmp_path, freq):
    history = resume(make(), tmp_path, update_freq=freq)
    read_by_its_server = "plugin_event_accumulator"
    found, train = reload(tmp_path / "train", read_by_its_server)
    assert [*train["epoch_loss"]] == [0, 1, 2]
    assert train["epoch_loss"][2] == np.float32(history["loss"][1])
    if freq == 1:
        assert [e.step for e in found.Tensors("batch_loss")] == [*range(1, 10)]
    else:
        assert [e.step for e in found.Tensors("epoch_loss")] == [0, 1, 2]
    found, _ = reload(tmp_path / "validation", read_by_its_server)
    iterations = found.Tensors("evaluation_loss_vs_iterations")
    assert [e.step for e in iterations] == [3, 6, 9]
