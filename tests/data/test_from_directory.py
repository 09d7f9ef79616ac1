"""Data sets from folders: batches, labels, order, damaged files, formats."""

import struct
import wave

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import Dataset, file_datasets

pytest.importorskip("grain")
PIL = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch):
    known = file_datasets.installed
    monkeypatch.setattr(
        file_datasets, "installed", lambda n: n != "tensorflow" and known(n)
    )


@pytest.fixture
def folder(tmp_path):
    for c, name in enumerate(("cats", "dogs", "owls")):
        (tmp_path / name).mkdir()
        for i in range(4):
            grey = np.full((5 + i, 6), 50 * c + i, "uint8")
            PIL.fromarray(grey).save(tmp_path / name / f"{i}.png")
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}")
            with wave.open(str(tmp_path / name / f"{i}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(struct.pack("<h", 256 * c + i) * (i + 3))
    return tmp_path


def images(folder, **options):
    options = {"image_size": (4, 3), "batch_size": 5, "verbose": False, **options}
    return keras.utils.image_dataset_from_directory(folder, **options)


def test_images(folder):
    data = images(folder, shuffle=False)
    assert isinstance(data, Dataset) and len(data) == 3
    assert data.class_names == ["cats", "dogs", "owls"] and len(data.file_paths) == 12
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(5, 4, 3, 3), (5, 4, 3, 3), (2, 4, 3, 3)]
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert x.dtype == "float32" and y.dtype == "int32"
    assert x[:, 0, 0, 0].tolist() == [50 * c + i for c in range(3) for i in range(4)]
    assert y.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_each_epoch_has_another_order_and_a_seed_repeats_all(folder):
    data = images(folder, seed=4, labels=None, batch_size=12)
    epochs = [next(iter(data))[:, 0, 0, 0].tolist() for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert sorted(epochs[0]) == sorted(epochs[1])
    again = images(folder, seed=4, labels=None, batch_size=12)
    assert next(iter(again))[:, 0, 0, 0].tolist() == epochs[0]


def test_two_parts(folder, capsys):
    options = {"seed": 1, "validation_split": 0.25, "verbose": True}
    train, test = images(folder, subset="both", **options)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "Found 12 files belonging to 3 classes.",
        "Using 9 files for training.",
        "Using 3 files for validation.",
    ]
    assert not {*train.file_paths} & {*test.file_paths}
    assert len(train.file_paths) == 9 and len(test.file_paths) == 3
    alone = images(folder, subset="validation", **options)
    assert alone.file_paths == test.file_paths
    with pytest.raises(ValueError, match="No validation images found"):
        images(folder, subset="both", seed=1, validation_split=0.01)
    whole = images(folder, subset="training", seed=1, validation_split=0.01)
    assert len(whole.file_paths) == 12


def test_training(folder):
    train, test = images(folder, seed=1, validation_split=0.25, subset="both")
    scale, flat = keras.layers.Rescaling(1 / 255), keras.layers.Flatten()
    model = keras.Sequential([scale, flat, keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(train, validation_data=test, epochs=2, verbose=0)
    assert history.params["steps"] == 2
    assert np.isfinite(history.history["val_loss"]).all()


def test_texts(folder):
    data = keras.utils.text_dataset_from_directory(
        folder, shuffle=False, batch_size=4, label_mode="categorical", max_length=4
    )
    (x, y), *_ = data
    assert x.dtype == object and x.tolist() == ["cats"] * 4
    assert y.tolist() == [[1.0, 0.0, 0.0]] * 4
    single = keras.utils.text_dataset_from_directory(
        folder, labels=None, batch_size=None, shuffle=False
    )
    assert [str(x) for x in single.take(2)] == ["cats 0", "cats 1"]


def test_audio(folder):
    load = keras.utils.audio_dataset_from_directory
    options = {"shuffle": False, "batch_size": 4, "verbose": False}
    (x, y), *_ = load(folder, **options)
    assert x.shape == (4, 6, 1) and x.dtype == "float32" and y.tolist() == [0] * 4
    assert (x[1] * 32768).ravel().tolist() == [1, 1, 1, 1, 0, 0]
    (x, _), *_ = load(folder, output_sequence_length=2, **options)
    assert x.shape == (4, 2, 1)
    (x, _), *_ = load(folder, ragged=True, **options)
    assert [len(row) for row in x] == [3, 4, 5, 6]
    assert isinstance(load(folder, seed=1, validation_split=0.5, subset="both"), tuple)
    for changed in ({"sampling_rate": 1.5}, {"sampling_rate": 0}):
        with pytest.raises(ValueError, match="`sampling_rate` should"):
            load(folder, **changed)
    with pytest.raises(ValueError, match="Cannot set both"):
        load(folder, ragged=True, output_sequence_length=3)


@pytest.mark.parametrize("format", ["minikeras", "grain"])
def test_damaged_files_are_named_or_skipped(folder, format):
    (folder / "dogs" / "1.png").write_bytes(b"no image")
    data = images(folder, shuffle=False, format=format)
    with pytest.raises(ValueError, match=r"dogs/1\.png' is not an image, or damaged"):
        list(data)
    data = images(folder, shuffle=False, on_error="skip", format=format)
    with pytest.warns(UserWarning, match=r"skipped: .*1\.png"):
        y = np.concatenate([y for _, y in data])
    assert y.tolist() == [0] * 4 + [1] * 3 + [2] * 4
    alone = images(folder, labels=None, shuffle=False, on_error="skip", format=format)
    with pytest.warns(UserWarning, match="skipped"):
        assert sum(len(x) for x in alone) == 11


def test_an_empty_class_is_named(folder):
    (folder / "bats").mkdir()
    with pytest.warns(UserWarning, match=r"hold no files: \['bats'\]"):
        data = images(folder)
    assert data.class_names[0] == "bats"


def test_grain(folder):
    grain = pytest.importorskip("grain")
    data = images(folder, shuffle=False, format="grain")
    assert isinstance(data, grain.IterDataset)
    mine = images(folder, shuffle=False)
    for (a, b), (c, d) in zip(data, mine, strict=True):
        assert (a == c).all() and (b == d).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"labels": "x"}, "`labels` argument should be"),
        ({"labels": [0] * 12, "class_names": ["a"]}, "only pass `class_names`"),
        ({"label_mode": "x"}, "`label_mode` argument must be"),
        ({"label_mode": "binary"}, "exactly 2 class_names"),
        ({"color_mode": "x"}, "`color_mode` must be one of"),
        ({"image_size": (1, 2, 3)}, "Invalid `image_size`"),
        ({"interpolation": "x"}, "`interpolation` must be one of"),
        ({"validation_split": 2.0}, "must be between 0 and 1"),
        ({"validation_split": 0.5}, "If `subset` is set"),
        (
            {"validation_split": 0.5, "subset": "x"},
            '`subset` must be either "training"',
        ),
        ({"validation_split": 0.5, "subset": "training"}, "provide a `seed`"),
        ({"format": "x"}, '`format` should be either "tf" or "grain"'),
        ({"on_error": "x"}, "on_error: expected"),
        ({"decoder": "x"}, "`decoder` must be one of"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
        ({"class_names": ["lions"]}, "did not match the names"),
    ],
)
def test_bad_arguments(folder, options, message):
    with pytest.raises(ValueError, match=message):
        images(folder, **options)


def test_missing_things(folder, tmp_path):
    with pytest.raises(ImportError, match="format='tf' needs tensorflow"):
        images(folder, format="tf")
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="No images found in directory"):
        images(tmp_path / "none")


def test_time_series():
    load = keras.utils.timeseries_dataset_from_array
    x, y = np.arange(20.0)[:, None], np.arange(20)
    (a, b), *_ = load(x, y, 3, sampling_rate=2, sequence_stride=4, start_index=1)
    assert a.shape == (4, 3, 1) and a[1, :, 0].tolist() == [5, 7, 9]
    assert b.tolist() == [1, 5, 9, 13]
    alone = load(x, None, 4, batch_size=None, shuffle=True, seed=2)
    assert sorted(int(w[0, 0]) for w in alone) == list(range(17))
    with pytest.raises(ValueError, match="sampling_rate"):
        load(x, y, 3, sampling_rate=0)
