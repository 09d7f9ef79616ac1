import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import ModelCheckpoint
from tests.callbacks.stubs import Metric, Model, train

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def test_every_epoch(tmp_path):
    model = Model()
    name = "{epoch:02d}-{loss:.2f}.keras"
    train(ModelCheckpoint(tmp_path / "sub" / name), [1.0, 0.25], model=model)
    expected = ["01-1.00.keras", "02-0.25.keras"]
    assert model.saved == [str(tmp_path / "sub" / e) for e in expected]
    assert (tmp_path / "sub").is_dir()


def test_weights_only(tmp_path):
    model, path = Model(), str(tmp_path / "a.weights.h5")
    train(ModelCheckpoint(path, save_weights_only=True), [1.0], model=model)
    assert model.saved == [f"weights {path}"]


@pytest.mark.parametrize(
    ("mode", "threshold", "epochs"),
    [
        ("min", None, [1, 3]),
        ("max", None, [1, 2, 4]),
        ("auto", None, [1, 2, 4]),
        ("max", 3.5, [4]),
        ("min", 0.0, []),
    ],
)
def test_best_only(tmp_path, mode, threshold, epochs):
    model = Model([Metric("acc", "up")])
    checkpoint = ModelCheckpoint(
        str(tmp_path / "{epoch}.keras"),
        monitor="val_acc",
        save_best_only=True,
        mode=mode,
        initial_value_threshold=threshold,
    )
    train(checkpoint, [2.0, 3.0, 1.0, 4.0], "val_acc", model)
    assert model.saved == [str(tmp_path / f"{epoch}.keras") for epoch in epochs]


def batches(checkpoint, counts, stride=1):
    model = Model()
    checkpoint.set_model(model)
    checkpoint.on_train_begin({})
    for epoch, count in enumerate(counts):
        checkpoint.on_epoch_begin(epoch, {})
        for batch in range(stride - 1, count, stride):
            checkpoint.on_train_batch_end(batch, {"loss": 1.0})
        checkpoint.on_epoch_end(epoch, {"loss": 1.0})
    return [path.rpartition("/")[2] for path in model.saved]


def test_batches_count_across_epochs(tmp_path):
    path = str(tmp_path / "{epoch}-{batch}.keras")
    found = batches(ModelCheckpoint(path, save_freq=4), [3, 3, 3])
    assert found == ["2-1.keras", "3-2.keras"]


def test_hooks_that_come_once_for_several_batches(tmp_path):
    path = str(tmp_path / "{epoch}-{batch}.keras")
    found = batches(ModelCheckpoint(path, save_freq=4), [6, 6], stride=3)
    assert found == ["1-6.keras", "2-6.keras"]


def test_missing_value_saves_anyway(tmp_path):
    model = Model()
    path = str(tmp_path / "a.keras")
    checkpoint = ModelCheckpoint(path, save_best_only=True)
    with pytest.warns(UserWarning, match="'val_loss', which is not among"):
        train(checkpoint, [1.0], "loss", model)
    assert model.saved == [path]


def test_messages(tmp_path, capsys):
    path = str(tmp_path / "a.keras")
    checkpoint = ModelCheckpoint(path, "loss", verbose=1, save_best_only=True)
    train(checkpoint, [0.5, 0.75])
    assert capsys.readouterr().out.split("\n") == [
        "",
        f"Epoch 1: loss improved from None to 0.50000, saving model to {path}",
        "",
        f"Epoch 1: finished saving model to {path}",
        "",
        "Epoch 2: loss did not improve from 0.50000",
        "",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(filepath="a"), "must end in '.keras' or .*; got 'a'"),
        (dict(filepath="a.keras", save_weights_only=True), "end in '.weights.h5'"),
        (dict(filepath="a.keras", save_freq="often"), "save_freq: 'often'"),
        (dict(filepath="a.keras", save_freq=2.5), "save_freq: 2.5"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**arguments)


def test_unknown_name_in_the_path():
    with pytest.raises(KeyError, match="names 'nope'.*known are: loss, epoch"):
        train(ModelCheckpoint("{nope}.keras"), [1.0])


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(OSError, match="is a folder"):
        train(ModelCheckpoint(tmp_path / "a.keras"), [1.0])


def small_model():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m"
    )
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5", ".orbax"])
def test_formats_of_models(tmp_path, ending):
    if ending == ".orbax":
        pytest.importorskip("orbax.checkpoint")
    path, model = tmp_path / f"{{epoch}}{ending}", small_model()
    model.fit(X, X[:, :2], verbose=0, epochs=2, callbacks=[ModelCheckpoint(path)])
    loaded = keras.models.load_model(tmp_path / f"2{ending}")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.optimizer.iterations == model.optimizer.iterations
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"1{ending}", f"2{ending}"}


@pytest.mark.parametrize(
    "ending", [".weights.h5", ".weights.json", ".safetensors", ".orbax"]
)
def test_formats_of_weights(tmp_path, ending):
    if ending == ".orbax":
        pytest.importorskip("orbax.checkpoint")
    path, model = tmp_path / f"last{ending}", small_model()
    checkpoint = ModelCheckpoint(path, save_weights_only=True)
    for _ in range(2):  # over the file of the first
        model.fit(X, X[:, :2], verbose=0, callbacks=[checkpoint])
    loaded = small_model()
    loaded.load_weights(path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    if ending == ".orbax":
        assert [p.name for p in path.iterdir()] == ["1"]


def test_a_metric_of_unknown_direction_is_an_error(tmp_path):
    path = tmp_path / "a.keras"
    checkpoint = ModelCheckpoint(path, "nope", save_best_only=True)
    with pytest.raises(ValueError, match="monitor='nope' with mode='auto'"):
        train(checkpoint, [1.0])
    # Without `save_best_only` nobody asks for it.
    model = Model()
    train(ModelCheckpoint(path, "nope"), [1.0], model=model)
    assert model.saved == [str(path)]
