"""The data sets against real Keras, on small files of the same layout in one cache."""

import gzip
import hashlib
import json
import pickle
import tarfile

import keras
import numpy as np
import pytest

import minikeras
from minikeras.datasets import download

RNG = np.random.RandomState(3)


def texts(n):
    lengths = RNG.randint(1, 30, n)
    rows = [RNG.zipf(1.3, size).clip(1, 900).tolist() for size in lengths]
    made = np.empty(n, object)
    for i, row in enumerate(rows):
        made[i] = row
    return made


def write_idx(path, header, array):
    with gzip.open(path, "wb") as file:
        file.write(bytes(header) + array.astype("uint8").tobytes())


def write_cifar(folder, archive, inner, files):
    """An archive of pickles as Python 2 wrote them: keys and data are bytes."""
    (folder / inner).mkdir()
    for name, batch in files.items():
        (folder / inner / name).write_bytes(pickle.dumps(batch, protocol=3))
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder / inner, inner)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    data = home / "datasets"
    (data / "fashion-mnist").mkdir(parents=True)
    np.savez(data / "imdb.npz", x_train=texts(40), y_train=RNG.randint(0, 2, 40),
             x_test=texts(30), y_test=RNG.randint(0, 2, 30))  # fmt: skip
    np.savez(data / "reuters.npz", x=texts(50), y=RNG.randint(0, 46, 50))
    for name in ("imdb", "reuters"):
        (data / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "é": 2}))
    np.savez(data / "boston_housing.npz", x=RNG.rand(51, 13), y=RNG.rand(51))
    np.savez(data / "california_housing.npz", x=RNG.rand(700, 8).astype("float32"),
             y=RNG.rand(700).astype("float32"))  # fmt: skip
    images = {n: RNG.randint(0, 256, (n, 28, 28)).astype("uint8") for n in (6, 4)}
    np.savez(data / "mnist.npz", x_train=images[6], y_train=np.arange(6, dtype="uint8"),
             x_test=images[4], y_test=np.arange(4, dtype="uint8"))  # fmt: skip
    for name, n in (("train", 6), ("t10k", 4)):
        start = data / "fashion-mnist" / name
        write_idx(f"{start}-images-idx3-ubyte.gz", 16, images[n])
        write_idx(f"{start}-labels-idx1-ubyte.gz", 8, np.arange(n))
    row = lambda n: RNG.randint(0, 256, (n, 3072)).astype("uint8")  # noqa: E731
    # Keras fills arrays of 50,000 rows with batches of 10,000: equal rows compress.
    row10 = np.repeat(row(10), 1000, axis=0)
    labels = np.repeat(RNG.randint(0, 10, 10), 1000).tolist()
    batch = {b"data": row10, b"labels": labels, b"batch_label": b"x"}
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    write_cifar(home, data / "cifar-10-batches-py-target_archive",
                "cifar-10-batches-py", dict.fromkeys(names, batch))  # fmt: skip
    fine = {b"data": row(7), b"fine_labels": RNG.randint(0, 100, 7).tolist(),
            b"coarse_labels": RNG.randint(0, 20, 7).tolist(),
            b"filenames": [b"a.png"] * 7}  # fmt: skip
    write_cifar(home, data / "cifar-100-python-target_archive", "cifar-100-python",
                {"train": fine, "test": fine})  # fmt: skip
    return home


@pytest.fixture(autouse=True)
def one_cache(cache, monkeypatch):
    """Both packages read the same folder and take any hash."""
    monkeypatch.setenv("KERAS_HOME", str(cache))
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(cache))
    monkeypatch.setattr(file_utils, "validate_file", lambda *a, **k: True)
    monkeypatch.setattr(download, "_has_hash", lambda *a: True)


def assert_same(ours, theirs):
    for mine, other in zip(sum(ours, ()), sum(theirs, ()), strict=True):
        assert mine.dtype == other.dtype and mine.shape == other.shape
        assert mine.tolist() == other.tolist()
        if mine.dtype == object and mine.size:
            assert type(mine[0]) is type(other[0]) and type(mine[0][0]) is int


TEXT_ARGUMENTS = [
    {},
    {"num_words": 30, "skip_top": 2},
    {"maxlen": 12, "seed": 7},
    {"start_char": None, "index_from": 0, "num_words": 5, "oov_char": None},
    {"start_char": None, "oov_char": None, "num_words": 300, "skip_top": 1},
    {"oov_char": 9, "index_from": 5, "maxlen": 20, "num_words": 40},
]
CASES = [
    *(("imdb", arguments) for arguments in TEXT_ARGUMENTS),
    *(("reuters", {**arguments, "test_split": 0.3}) for arguments in TEXT_ARGUMENTS),
    ("boston_housing", {}),
    ("boston_housing", {"test_split": 0.33, "seed": 1}),
    ("california_housing", {"version": "small"}),
    ("california_housing", {"seed": 2, "test_split": 0.0}),
    ("mnist", {}),
    ("fashion_mnist", {}),
    ("cifar100", {}),
    ("cifar100", {"label_mode": "coarse"}),
]


@pytest.mark.parametrize("name, arguments", CASES)
def test_the_same_numbers(name, arguments):
    ours = getattr(minikeras.datasets, name).load_data(**arguments)
    assert_same(ours, getattr(keras.datasets, name).load_data(**arguments))


@pytest.mark.slow  # 300 MB
def test_cifar10():
    ours = minikeras.datasets.cifar10.load_data()
    for mine, other in zip(
        sum(ours, ()), sum(keras.datasets.cifar10.load_data(), ()), strict=True
    ):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


def test_words_and_labels():
    for name in ("imdb", "reuters"):
        ours, theirs = getattr(minikeras.datasets, name), getattr(keras.datasets, name)
        assert ours.get_word_index() == theirs.get_word_index()
    names = minikeras.datasets.reuters.get_label_names()
    assert names == keras.datasets.reuters.get_label_names()


def requests(package, module):
    """What each data set asks its `get_file` for."""
    asked = []

    def refuse(fname=None, origin=None, **others):
        others.pop("cache_subdir", None)
        asked.append((fname, origin, others))
        raise InterruptedError

    for name in keras.datasets.__all__ if hasattr(keras.datasets, "__all__") else NAMES:
        with pytest.MonkeyPatch.context() as patch:
            module(patch, name, refuse)
            public = getattr(package.datasets, name)
            for function in ("load_data", "get_word_index"):
                if hasattr(public, function):
                    with pytest.raises(InterruptedError):
                        getattr(public, function)()
    return [
        (name, origin, {k: v for k, v in others.items() if v is not None})
        for name, origin, others in asked
    ]


NAMES = "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist"
NAMES = [*NAMES.split(), "reuters"]


def test_names_urls_and_hashes_are_those_of_keras():
    def patch_keras(patch, name, refuse):
        module = __import__(f"keras.src.datasets.{name}", fromlist=["get_file"])
        patch.setattr(module, "get_file", refuse)

    ours = requests(
        minikeras, lambda patch, _, refuse: patch.setattr(download, "get_file", refuse)
    )
    theirs = requests(keras, patch_keras)
    assert ours == theirs and len(ours) == 10


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"fname": "data.tar.gz"},
        {"fname": "folder"},
        {"extract": True},
        {"fname": "data.v1.zip", "extract": True},
        {"fname": "folder", "extract": True},
        {"fname": "folder", "untar": True, "cache_subdir": "models"},
        {"fname": "packed", "extract": True, "archive_format": "zip"},
    ],
)
def test_get_file_gives_the_same_paths(tmp_path, arguments):
    content = tmp_path / "in"
    content.mkdir()
    (content / "a.txt").write_text("a")
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(content, "in")
    found = []
    for package in (keras, minikeras):
        home = tmp_path / package.__name__
        home.mkdir()
        with pytest.warns() if arguments.get("archive_format") else _nothing():
            path = package.utils.get_file(
                origin=archive.as_uri(), cache_dir=str(home), **arguments
            )
        files = sorted(
            str(p.relative_to(home))
            for p in home.rglob("*")
            if not p.name.startswith(".")
        )
        found.append((str(path).removeprefix(str(home)), files))
    assert found[0] == found[1]


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_a_cache_of_keras_is_used_and_the_other_way_round(tmp_path, monkeypatch):
    monkeypatch.undo()
    source = tmp_path / "words.txt"
    source.write_text("one two")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    for first, second in ((keras, minikeras), (minikeras, keras)):
        home = tmp_path / first.__name__
        home.mkdir()
        options = {"cache_dir": str(home), "file_hash": digest}
        path = first.utils.get_file("words.txt", source.as_uri(), **options)
        again = second.utils.get_file("words.txt", "file:///gone", **options)
        assert str(path) == str(again)
