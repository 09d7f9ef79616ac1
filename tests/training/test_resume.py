"""A training that goes on ends with the bits of an undisturbed one."""

import collections
import json
import pathlib
import random
import threading

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import BackupAndRestore, Callback
from minikeras.core.plain_state import StateOf
from minikeras.training.run_folder import RunFolder

X = np.random.default_rng(0).normal(size=(26, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


class Crash(Exception):
    """What kills a training in these tests."""


class Watch(Callback):
    """Counts, draws from its own generator, and crashes when it is asked to."""

    def __init__(self, crash_at=None):
        super().__init__()
        self.losses, self.rng = [], np.random.default_rng(5)
        self.steps, self.limit = 0, crash_at

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.losses.append((batch, logs["loss"], self.rng.random()))
        if self.limit is not None and self.steps >= self.limit:
            raise Crash


class Batches(keras.utils.PyDataset):
    """Shuffles its rows itself, and has a generator of its own."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.rows, self.rng = np.arange(24), np.random.default_rng(3)

    def __len__(self):
        return 6

    def __getitem__(self, i):
        rows = self.rows[4 * i : 4 * i + 4]
        noise = 0 if self.workers > 1 else self.rng.random()
        return X[rows] + np.float32(noise), Y[rows]

    def on_epoch_end(self):
        np.random.shuffle(self.rows)


class Counting:
    """An iterator that tells its position."""

    def __init__(self):
        self.number, self.made = 0, 0

    def __iter__(self):
        return self

    def __next__(self):
        self.number, self.made = self.number + 1, self.made + 1
        rows = np.arange(4) + self.number % 20
        return X[rows], Y[rows]

    def get_state(self):
        return self.number

    def set_state(self, state):
        self.number = state


def generator():
    rng = np.random.default_rng(3)
    while True:
        rows = rng.integers(0, 26, 4)
        yield X[rows] * np.float32(np.random.rand()), Y[rows]


class Stream:
    """An iterable whose passes differ."""

    def __init__(self):
        self.rng = random.Random(2)

    def __iter__(self):
        for _ in range(6):
            rows = [self.rng.randrange(26) for _ in range(4)]
            yield X[rows], Y[rows]


def dataset():
    data = keras.data.Dataset.from_tensor_slices((X, Y))
    return data.shuffle(26).batch(4)


# {kind: function that gives the arguments of `fit`}
DATA = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 4},
    "block": lambda: {"x": X, "y": Y, "batch_size": 4, "shuffle": "batch"},
    "steps": lambda: {"x": X, "y": Y, "batch_size": 4, "steps_per_epoch": 5},
    "generator": lambda: {"x": generator(), "steps_per_epoch": 6},
    "counting": lambda: {"x": Counting(), "steps_per_epoch": 6},
    "stream": lambda: {"x": Stream()},
    "pydataset": lambda: {"x": Batches()},
    "workers": lambda: {"x": Batches(workers=2)},
    "dataset": lambda: {"x": dataset()},
    "dataset steps": lambda: {"x": dataset().repeat(), "steps_per_epoch": 5},
}


def small_model():
    layers = [
        keras.layers.Dense(4, "relu"),
        keras.layers.Dropout(0.5),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input((3,)), *layers])
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def train(
    folder, kind="arrays", crash_at=None, freq=2, epochs=4, others=(), **settings
):
    """(all state at the end, the `Watch`), as of a new process."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    model, watch = small_model(), Watch(crash_at)
    stop = keras.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    callbacks = [watch, stop, *others]
    if folder is not None:
        callbacks.append(BackupAndRestore(folder, freq, delete_checkpoint=False))
    options = {"epochs": epochs, "verbose": 0, "validation_data": (X[:5], Y[:5])}
    options |= DATA[kind]() | settings
    try:
        history = model.fit(callbacks=callbacks, **options)
    except Crash:
        return None, watch
    variables = [*model.variables, *model.optimizer.variables]
    state = {
        "variables": [v.numpy().tobytes() for v in variables],
        "history": (history.history, history.epoch),
        "watch": (watch.losses, watch.steps, watch.rng.random()),
        "stop": (stop.best, stop.best_epoch, stop.wait),
        "random": (np.random.rand(), random.random(), keras.random.uniform(()).item()),
    }
    return state, watch


@pytest.mark.parametrize("kind", DATA)
def test_it_ends_with_the_same_bits(kind, tmp_path):
    expected, watch = train(None, kind)
    steps = watch.steps
    for crash_at in sorted({1, 3, 6, 11, steps - 1}):
        folder = tmp_path / str(crash_at)
        assert train(folder, kind, crash_at)[0] is None
        again, watch = train(folder, kind)
        assert again == expected, crash_at
        # What was stored before the crash was not run again.
        assert watch.steps == steps


def test_a_training_may_crash_again_and_again(tmp_path):
    expected, watch = train(None)
    for crash_at in range(3, watch.steps, 4):
        assert train(tmp_path, crash_at=crash_at)[0] is None
    assert train(tmp_path)[0] == expected


def test_a_complete_training_is_not_run_again_and_a_longer_one_goes_on(tmp_path):
    expected, _ = train(None, epochs=4)
    train(tmp_path, epochs=2)
    assert train(tmp_path, epochs=4)[0] == expected
    model_ran = []
    again, _ = train(
        tmp_path,
        epochs=4,
        others=[keras.callbacks.LambdaCallback(on_epoch_begin=model_ran.append)],
    )
    assert again == expected and not model_ran


def test_fit_resume_needs_no_callback(tmp_path):
    def run(epochs):
        keras.utils.set_random_seed(3)
        model = small_model()
        history = model.fit(
            X, Y, batch_size=4, epochs=epochs, verbose=0, resume=tmp_path / "run"
        )
        return history, model

    run(2)
    history, model = run(5)
    keras.utils.set_random_seed(3)
    whole = small_model()
    expected = whole.fit(X, Y, batch_size=4, epochs=5, verbose=0)
    assert history.history == expected.history
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [p.name for p in (tmp_path / "run").iterdir()] != []


def test_steps_in_loops_on_the_device_go_on_within_an_epoch(tmp_path, monkeypatch):
    """No callback looks at batches, so a dispatch runs many of them."""
    x, y = np.tile(X, (40, 1)), np.tile(Y, (40, 1))  # 260 batches

    def run(folder, crash_at=None):
        keras.utils.set_random_seed(3)
        model = small_model()
        epochs = []

        def end(epoch, logs):
            epochs.append(epoch)
            if epoch == crash_at:
                raise Crash

        callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=end)]
        if folder:
            callbacks.append(BackupAndRestore(folder, 64, delete_checkpoint=False))
        try:
            model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=callbacks)
        except Crash:
            return json.loads(_metadata(folder))["batches"], epochs
        return [v.numpy().tobytes() for v in model.variables], epochs

    expected, _ = run(None)
    batches, _ = run(tmp_path, crash_at=1)
    assert 0 < batches <= 260  # the crash came before the epoch's own state
    again, epochs = run(tmp_path)
    assert again == expected and epochs == [1, 2]


def _metadata(folder):
    raw = (pathlib.Path(folder) / "latest.safetensors").read_bytes()
    header = raw[8 : 8 + int.from_bytes(raw[:8], "little")]
    return json.loads(header)["__metadata__"]["run"]


def test_the_csv_file_has_each_epoch_once(tmp_path):
    def run(name, crash_at):
        log = keras.callbacks.CSVLogger(tmp_path / f"{name}.csv")
        train(tmp_path / name, crash_at=crash_at, freq=5, others=[log])

    run("whole", None)
    for crash_at in (10, 18, None):
        run("parts", crash_at)
    whole, parts = ((tmp_path / f"{n}.csv").read_text() for n in ("whole", "parts"))
    assert parts == whole


def test_frozen_layers_stay_frozen(tmp_path):
    class Freeze(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[0].trainable = epoch < 1

    expected, _ = train(None, others=[Freeze()])
    train(tmp_path, crash_at=17, others=[Freeze()])
    assert train(tmp_path, others=[Freeze()])[0] == expected


def test_a_generator_that_gives_other_batches_is_noticed(tmp_path):
    def unseeded():
        while True:
            rows = np.random.default_rng().integers(0, 26, 4)
            yield X[rows], Y[rows]

    train(tmp_path, "generator", 8, x=unseeded())
    with pytest.warns(UserWarning, match="give another batch"):
        train(tmp_path, "generator", x=unseeded())


def test_an_iterator_that_tells_its_position_makes_nothing_again(tmp_path):
    train(tmp_path, "counting", 20)
    source = Counting()
    train(tmp_path, "counting", x=source)
    assert source.made <= 24 - 18 + 1  # one more shows the shapes


def test_what_cannot_be_stored_is_named(tmp_path):
    class Odd(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.thing = object()

    with pytest.warns(UserWarning, match="Odd.thing is no plain data"):
        train(tmp_path, others=[Odd()])


def test_another_model_and_other_data_are_refused(tmp_path):
    train(tmp_path, crash_at=4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="new")])
    model.compile("sgd", "mse")
    backup = BackupAndRestore(tmp_path)
    with pytest.raises(ValueError, match="of another model: .*new/kernel"):
        model.fit(X, np.zeros((26, 2)), verbose=0, callbacks=[backup])
    with pytest.raises(ValueError, match="with batch_size=4, not 2. Pass the same"):
        train(tmp_path, batch_size=2)
    with pytest.raises(ValueError, match="batch 2 of 7 of an epoch; the data have 5"):
        train(tmp_path, x=X[:20], y=Y[:20])


def test_a_damaged_file_is_an_error_or_the_one_before_is_used(tmp_path):
    expected, _ = train(None)
    train(tmp_path, crash_at=9)
    file = tmp_path / "latest.safetensors"
    good = file.read_bytes()
    for damaged in (b"0", b"", good[: len(good) // 2], good + b"x"):
        file.write_bytes(damaged)
        with pytest.raises(keras.saving.FileError, match="Delete the folder"):
            train(tmp_path)
    (tmp_path / "previous.safetensors").write_bytes(good)
    assert train(tmp_path)[0] == expected


def test_a_folder_serves_one_training_at_a_time(tmp_path):
    with RunFolder(tmp_path):
        with pytest.raises(RuntimeError, match="in use"):
            train(tmp_path)
    train(tmp_path)


def test_a_full_disk_does_not_end_the_training(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minikeras.training.run_folder.write_arrays", fail)
    with pytest.warns(UserWarning, match="No space left"):
        state, _ = train(tmp_path)
    assert state == train(None)[0]


def test_the_folder_is_deleted_at_the_end(tmp_path):
    folder = tmp_path / "backup"
    model = small_model()
    model.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(folder)])
    assert not folder.exists()
    assert not [t for t in threading.enumerate() if "run folder" in t.name]


@pytest.mark.parametrize("freq", ["batch", 0.15, 0, -1, True, None])
def test_save_freq_is_checked(freq):
    with pytest.raises(ValueError, match="Invalid value for `save_freq`"):
        BackupAndRestore("backup", freq)


@pytest.mark.parametrize("folder", ["", None])
def test_the_folder_is_checked(folder):
    with pytest.raises(ValueError, match="Empty `backup_dir`"):
        BackupAndRestore(folder)


def test_the_folder_is_a_path():
    with pytest.raises(TypeError, match="expected the path of a folder, got True"):
        small_model().fit(X, Y, verbose=0, resume=True)


def test_resume_and_a_backup_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match="expected no other one"):
        small_model().fit(
            X, Y, verbose=0, resume=tmp_path, callbacks=[BackupAndRestore(tmp_path)]
        )


def test_the_end_of_a_pass_within_an_epoch(tmp_path):
    settings = {"batch_size": 8, "steps_per_epoch": 3, "epochs": 3}
    expected, watch = train(None, **settings)
    for crash_at in range(1, watch.steps):
        folder = tmp_path / str(crash_at)
        train(folder, crash_at=crash_at, freq=1, **settings)
        assert train(folder, **settings)[0] == expected, crash_at


def test_what_a_callback_makes_while_it_runs_is_named_and_begins_anew(tmp_path):
    class Lazy(Callback):
        mean = None

        def on_epoch_begin(self, epoch, logs=None):
            if self.mean is None:
                self.mean = keras.metrics.Mean()
            self.counts = getattr(self, "counts", collections.Counter())
            self.counts["epochs"] += 1

    with pytest.warns(UserWarning, match="Lazy.mean is no plain data"):
        train(tmp_path, epochs=2, others=[Lazy()])
    lazy = Lazy()
    train(tmp_path, epochs=3, others=[lazy])
    assert lazy.counts == {"epochs": 3}


def test_odd_attributes_of_callbacks(tmp_path):
    class Odd(keras.callbacks.EarlyStopping):
        def __init__(self):
            super().__init__("loss")
            self.number = 0

        def get_state(self, key):
            """Means something else."""

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            self.number += 1
            self.wide = np.clongdouble(1)

    class Log(keras.callbacks.CSVLogger):
        lines = 0

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            self.lines += 1

    with pytest.warns(UserWarning, match="Odd.wide is no plain data"):
        train(tmp_path / "run", epochs=1, others=[Odd(), Log(tmp_path / "a.csv")])
    odd, log = Odd(), Log(tmp_path / "a.csv")
    train(tmp_path / "run", epochs=2, others=[odd, log], validation_data=None)
    assert (odd.number, log.lines) == (2, 2)


def test_a_file_replaces_no_method_and_no_path(tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "a.keras")
    state = StateOf(checkpoint)
    for name in ("filepath", "on_epoch_end"):
        with pytest.raises(ValueError, match=f"would replace ModelCheckpoint.{name}"):
            state.set({"changed": {name: "/elsewhere"}})


def test_layers_that_have_changed_names_go_by_names(tmp_path):
    def model(*names):
        keras.utils.set_random_seed(0)
        parts = [keras.layers.Dense(3, name=name) for name in names]
        made = keras.Sequential([keras.Input((3,)), *parts], name="net")
        made.compile(keras.optimizers.SGD(0.0, name="sgd"), "mse")
        return made

    first, second = model("enc_1", "enc_2"), model("enc_2", "enc_1")
    first.fit(X, X, verbose=0, resume=tmp_path)
    second.fit(X, X, verbose=0, resume=tmp_path)
    for name in ("enc_1", "enc_2"):
        a, b = (m.get_layer(name).get_weights()[0] for m in (first, second))
        np.testing.assert_array_equal(a, b)
