"""Images, sequences and folders against real Keras, data sets on its Grain path."""

import inspect
import io
import os
import random

import keras
import numpy as np
import pytest
from keras.src.utils import dataset_utils

import minikeras
from minikeras.data import directory
from minikeras.data.splitting import split_sizes

PIL = pytest.importorskip("PIL.Image")


def both(function):
    return function(keras), function(minikeras)


def assert_equal(found):
    theirs, ours = map(np.asarray, found)
    assert theirs.dtype == ours.dtype and theirs.shape == ours.shape
    np.testing.assert_array_equal(ours, theirs)


# -- images -------------------------------------------------------------------------


def picture(mode, size, seed=0):
    rng = np.random.RandomState(seed)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "LA": (2,), "I;16": ()}[mode]
    top, kind = (60_000, "uint16") if mode == "I;16" else (256, "uint8")
    return PIL.fromarray(rng.randint(0, top, (*size, *channels)).astype(kind))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("keep", [False, True])
def test_load_img(tmp_path, mode, color_mode, keep):
    picture(mode, (13, 17)).save(tmp_path / "a.png")
    names = ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"]
    if mode == "I;16" and color_mode == "grayscale":
        names = ["nearest"]
    for interpolation in names:
        for size in (None, (5, 9), (30, 20), (13, 17)):

            def load(package, size=size, interpolation=interpolation):
                return package.utils.img_to_array(
                    package.utils.load_img(
                        tmp_path / "a.png", color_mode, size, interpolation, keep
                    )
                )

            assert_equal(both(load))


def mode_of(x, data_format, scale):
    return minikeras.utils.array_to_img(x, data_format, scale).mode


@pytest.mark.parametrize("data_format", [None, "channels_first"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_arrays_and_images(tmp_path, channels, data_format):
    rng = np.random.RandomState(1)
    for x in (rng.rand(5, 7, channels), rng.randint(-9, 400, (6, 4, channels))):
        x = x.transpose(2, 0, 1) if data_format else x
        for scale, dtype in ((True, None), (True, "float64"), (False, "float32")):

            def there_and_back(package, x=x, scale=scale, dtype=dtype):
                image = package.utils.array_to_img(x, data_format, scale, dtype)
                assert image.mode in ("L", "I", "RGB", "RGBA")
                return package.utils.img_to_array(image, data_format, dtype)

            assert_equal(both(there_and_back))
            if mode_of(x, data_format, scale) == "I":
                continue  # which Pillow writes to no PNG

            def saved(package, x=x, scale=scale):
                path = tmp_path / f"{package.__name__}.png"
                package.utils.save_img(path, x, data_format, scale=scale)
                return np.asarray(PIL.open(path))

            assert_equal(both(saved))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic"])
def test_smart_resize(data_format, interpolation):
    for shape in ((9, 14, 3), (2, 15, 6, 1)):
        x = np.random.RandomState(2).rand(*shape).astype("float32")
        x = np.moveaxis(x, -1, -3) if data_format == "channels_first" else x
        for size in ((4, 7), (20, 5)):

            def resized(package, x=x, size=size):
                return package.preprocessing.image.smart_resize(
                    x, size, interpolation, data_format
                )

            theirs, ours = both(resized)
            assert type(ours) is np.ndarray and ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


# -- sequences ----------------------------------------------------------------------


def test_pad_sequences():
    rng = random.Random(0)
    for _ in range(60):
        tail = rng.choice([(), (2,)])
        x = [np.array(np.random.rand(rng.randint(0, 6), *tail) * 9).tolist()
             for _ in range(rng.randint(1, 5))]  # fmt: skip
        options = {
            "maxlen": rng.choice([None, 1, 3, 8]),
            "dtype": rng.choice(["int32", "float32", "float64"]),
            "padding": rng.choice(["pre", "post"]),
            "truncating": rng.choice(["pre", "post"]),
            "value": rng.choice([0.0, -1, 2.5]),
        }
        assert_equal(both(lambda p, x=x, o=options: p.utils.pad_sequences(x, **o)))


def test_split_sizes():
    sizes = [None, 0.2, 0.5, 0.8, 0.999, 1.0, 0.0, 3, 7, 10, 0, -1, "a"]
    for left in sizes:
        for right in sizes:
            if left is right is None:
                continue
            try:
                expected = dataset_utils._rescale_dataset_split_sizes(left, right, 10)
            except (ValueError, TypeError) as error:
                with pytest.raises(type(error)):
                    split_sizes(left, right, 10)
            else:
                assert split_sizes(left, right, 10) == expected


# -- folders ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("classes")
    rng = random.Random(4)
    for name in ("one", "Two", "three", ".hidden"):
        for i in range(7):
            place = root / name / rng.choice(["", "inner", "inner/deep"])
            place.mkdir(parents=True, exist_ok=True)
            size = rng.randint(5, 20), rng.randint(5, 20)
            mode = rng.choice(["L", "RGB", "RGBA", "LA"])
            picture(mode, size, i).save(place / f"{i}.png")
            text = "é".join(str(n) for n in range(rng.randint(0, 20)))
            (place / f"{i}.txt").write_text(text, encoding="utf-8")
    (root / "top.txt").write_text("at the top")
    return root


@pytest.mark.parametrize("labels", ["inferred", None, "list"])
@pytest.mark.parametrize("class_names", [None, ["three", "one"]])
@pytest.mark.parametrize("seed", [False, 5])
def test_index_directory(folder, capsys, labels, class_names, seed):
    if labels != "inferred" and class_names:
        return
    labels = list(range(28, 57)) if labels == "list" else labels
    results, printed = [], []
    for place in (str(folder), f"{folder}/", os.path.relpath(folder)):
        for index in (dataset_utils.index_directory, directory.index_directory):
            own = labels[:] if isinstance(labels, list) else labels  # Keras mixes it
            found = index(place, own, (".txt",), class_names, bool(seed), seed)
            paths, numbers, names = found
            results.append((paths, None if numbers is None else list(numbers), names))
            printed.append(capsys.readouterr().out)
        assert results[-1] == results[-2] and printed[-1] == printed[-2]


DATASET_CASES = [
    {},
    {"shuffle": False, "label_mode": "categorical"},
    {"label_mode": None, "batch_size": 4, "seed": 1},
    {"labels": None, "batch_size": None, "seed": 2},
    {"class_names": ["Two", "one"], "label_mode": "binary", "seed": 3},
    {"validation_split": 0.3, "subset": "training", "seed": 4},
    {"validation_split": 0.3, "subset": "validation", "seed": 4, "batch_size": 2},
    {"validation_split": 0.4, "subset": "both", "seed": 5, "batch_size": 3},
]
IMAGE_CASES = [
    *({"image_size": (9, 6), **case} for case in DATASET_CASES),
    {"image_size": 8, "seed": 1, "color_mode": "grayscale"},
    {"image_size": (8, 5), "seed": 1, "color_mode": "rgba", "interpolation": "nearest"},
    {"image_size": (7, 5), "seed": 1, "crop_to_aspect_ratio": True},
    {"image_size": (7, 5), "seed": 1, "pad_to_aspect_ratio": True},
    {"image_size": (7, 5), "seed": 1, "interpolation": "bicubic"},
    {"image_size": (7, 5), "seed": 1, "interpolation": "lanczos3"},
    {"image_size": (7, 5), "seed": 1, "data_format": "channels_first"},
]


def assert_batches(theirs, ours):
    theirs, ours = list(theirs), list(ours)
    assert len(theirs) == len(ours)
    for their, mine in zip(theirs, ours, strict=True):
        pairs = [(their, mine)]
        if isinstance(their, tuple) and isinstance(mine, tuple) and len(their) == 2:
            pairs = zip(their, mine, strict=True)
        for a, b in pairs:
            a, b = np.asarray(a), np.asarray(b)
            assert a.shape == b.shape
            if a.dtype.kind in "US":
                assert a.tolist() == b.tolist()
            else:
                assert a.dtype == b.dtype
                np.testing.assert_allclose(b, a, atol=1e-3)


FORMATS = [pytest.param("grain", marks=pytest.mark.slow), "minikeras"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", range(len(IMAGE_CASES) + len(DATASET_CASES)))
def test_data_sets_from_folders(folder, capsys, case, format):
    pytest.importorskip("grain")
    name, cases = "image", IMAGE_CASES
    if case >= len(IMAGE_CASES):
        name, cases = "text", DATASET_CASES
    options = {**cases[case % len(IMAGE_CASES)], "follow_links": True}
    if name == "text":
        options["max_length"] = 11
    name = f"{name}_dataset_from_directory"
    made, printed = [], []
    for package in (keras, minikeras):
        np.random.seed(9)
        own = format if package is minikeras else "grain"
        function = getattr(package.utils, name)
        made.append(function(str(folder), format=own, **options))
        printed.append((capsys.readouterr().out, np.random.rand()))
    assert printed[0] == printed[1]
    theirs, ours = (x if isinstance(x, list) else [x] for x in made)
    for their, mine in zip(theirs, ours, strict=True):
        assert their.class_names == mine.class_names
        if "image" in name:
            assert their.file_paths == mine.file_paths
        assert_batches(their, mine)


@pytest.mark.parametrize("format", ["grain", "minikeras"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sequence_stride": 3, "sampling_rate": 2, "batch_size": 4},
        {"shuffle": True, "seed": 3, "batch_size": 5, "start_index": 4},
        {"shuffle": True, "batch_size": None, "end_index": 30},
        {"targets": None, "shuffle": True, "seed": 1},
        {"start_index": 3, "end_index": 33, "batch_size": None},
    ],
)
def test_time_series(options, format):
    pytest.importorskip("grain")
    for tail in ((), (2,)):
        data = np.random.RandomState(0).rand(40, *tail)
        options = {"targets": np.arange(36), **options}
        made = []
        for package in (keras, minikeras):
            np.random.seed(9)
            make = package.utils.timeseries_dataset_from_array
            own = format if package is minikeras else "grain"
            made.append(list(make(data, sequence_length=5, format=own, **options)))
        for their, mine in zip(*made, strict=True):
            parts = [(their, mine)]
            if options["targets"] is not None:
                parts = zip(their, mine, strict=True)
            for a, b in parts:
                assert np.shape(a) == np.shape(b)
                np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-6)


NAMES = """array_to_img img_to_array load_img save_img pad_sequences split_dataset
    get_file audio_dataset_from_directory image_dataset_from_directory
    text_dataset_from_directory timeseries_dataset_from_array"""


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures(name):
    """Keras's arguments in its order; only the default of `format` differs."""
    theirs, ours = both(lambda p: inspect.signature(getattr(p.utils, name)).parameters)
    own = [p for p in ours.values() if p.kind != p.KEYWORD_ONLY]
    assert [p.name for p in own] == list(theirs)
    for parameter in own:
        expected = theirs[parameter.name].default
        assert parameter.default == expected or parameter.name == "format"


def test_config():
    def made(package):
        config = package.utils.Config(a=1, b=[2])
        config.c = 3
        config.update(d=4)
        config.pop("a")
        del config["d"]
        return [config.to_json(), repr(config), list(config), config.get("x", 7),
                len(config), "c" in config, config.as_dict()]  # fmt: skip

    theirs, ours = both(made)
    assert theirs == ours


def test_files_in_memory():
    file = io.BytesIO()
    picture("RGB", (4, 5)).save(file, "png")
    assert_equal(both(lambda p: p.utils.img_to_array(p.utils.load_img(file))))
