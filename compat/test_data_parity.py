"""Batches, shuffles and small helpers against real Keras."""

import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras.src.trainers import data_adapters as keras_adapters

import minikeras.data
from minikeras import utils

rng = np.random.default_rng(11)
X = rng.normal(size=(23, 3))
Y = rng.integers(0, 4, (23, 1))
W = rng.random(23)


def leaves(batches):
    return [
        [(np.asarray(a), str(a.dtype)) for a in jax.tree_util.tree_leaves(batch)]
        for batch in batches
    ]


def same(ours, theirs):
    ours, theirs = leaves(ours), leaves(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert [dtype for _, dtype in a] == [dtype for _, dtype in b]
        for (left, _), (right, _) in zip(a, b, strict=True):
            np.testing.assert_array_equal(left, right)


def both(x, **kwargs):
    """Three epochs and the state of every generator after them, from both."""
    found = []
    for package in ("ours", "keras"):
        np.random.seed(3)
        random.seed(3)
        if package == "ours":
            adapter = minikeras.data.get_adapter(x(minikeras), **kwargs)
            batches = [b for _ in range(3) for b in adapter]
        else:
            adapter = keras_adapters.get_data_adapter(x(keras), **kwargs)
            batches = [b for _ in range(3) for b in adapter.get_jax_iterator()]
        state = (np.random.get_state()[1].tolist(), np.random.get_state()[2])
        found.append((batches, state, random.getstate(), adapter))
    ours, theirs = found
    same(ours[0], theirs[0])
    assert ours[1:3] == theirs[1:3]
    return ours[3], theirs[3]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize("batch_size", [None, 1, 5, 23, 40])
def test_array_batches(shuffle, batch_size):
    ours, theirs = both(
        lambda package: X, y=Y, sample_weight=W, batch_size=batch_size, shuffle=shuffle
    )
    for name in "num_batches batch_size has_partial_batch partial_batch_size".split():
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize(
    "kwargs",
    [
        dict(y=None),
        dict(y=Y),
        dict(y=Y[:, 0], class_weight={0: 0.5, 2: 3.0}),
        dict(y=np.eye(4)[Y[:, 0]], class_weight={0: 0.5, 2: 3.0}),
        dict(y={"a": Y, "b": X}, sample_weight=W),
        dict(y=[Y, X], sample_weight=[W, None]),
        dict(y=[Y], sample_weight=W),
        dict(y=Y, steps_per_epoch=4),
    ],
)
def test_targets_and_weights(kwargs):
    ours = {k.replace("steps_per_epoch", "steps"): v for k, v in kwargs.items()}
    adapter = minikeras.data.get_adapter(X, **ours)
    theirs = keras_adapters.get_data_adapter(X, **kwargs)
    same(adapter, theirs.get_jax_iterator())


@pytest.mark.parametrize(
    "dtype",
    "float16 float32 float64 bfloat16 int8 int32 int64 uint8 bool complex64".split(),
)
def test_dtypes(dtype):
    x = (X * 50).astype(jnp.dtype(dtype))
    same(
        minikeras.data.get_adapter(x),
        keras_adapters.get_data_adapter(x).get_jax_iterator(),
    )


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc"))
    y = frame["a"]
    same(
        minikeras.data.get_adapter(frame, y),
        keras_adapters.get_data_adapter(frame, y).get_jax_iterator(),
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"a": X[:, 0], "b": X[:, 1] > 0},
        {"a": Y[:, 0], "b": Y[:, 0].astype("int8")},
        {"a": X[:, 0] > 0},
    ],
)
def test_tables_of_mixed_columns(columns):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns)
    same(
        minikeras.data.get_adapter(frame),
        keras_adapters.get_data_adapter(frame).get_jax_iterator(),
    )


def py_dataset(package, **settings):
    class Source(package.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            return X[index : index + 2], Y[index : index + 2]

    return Source(**settings)


@pytest.fixture(autouse=True)
def utils_is_loaded():
    minikeras.utils = utils


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("class_weight", [None, {1: 2.0}])
def test_py_dataset(shuffle, class_weight):
    both(py_dataset, shuffle=shuffle, class_weight=class_weight)


def test_generator_epoch():
    def source():
        for i in range(4):
            yield X[i : i + 2], {"a": Y[i : i + 2]}, None

    same(
        minikeras.data.get_adapter(source()),
        keras_adapters.get_data_adapter(source()).get_jax_iterator(),
    )


# -- whole fits from each kind of source ---------------------------------------------


class Samples:
    def __len__(self):
        return 23

    def __getitem__(self, index):
        return X[index].astype("float32"), Y[index]


def torch_loader(torch, shuffle, *parts):
    data = torch.utils.data
    parts = [torch.tensor(part.astype("float32")) for part in (X, Y, *parts)]
    return data.DataLoader(data.TensorDataset(*parts), batch_size=5, shuffle=shuffle)


def tf_dataset(tf, *parts):
    parts = (X.astype("float32"), Y, *parts)
    return tf.data.Dataset.from_tensor_slices(parts).shuffle(23, seed=1).batch(5)


SOURCES = {
    "torch": ("torch", lambda torch: torch_loader(torch, False)),
    "torch shuffled": ("torch", lambda torch: torch_loader(torch, True)),
    "torch weighted": ("torch", lambda torch: torch_loader(torch, True, W)),
    "tf": ("tensorflow", tf_dataset),
    "tf weighted": ("tensorflow", lambda tf: tf_dataset(tf, W)),
    "tf endless": ("tensorflow", lambda tf: tf_dataset(tf).repeat()),
    "grain": ("grain", lambda g: g.MapDataset.source(Samples()).shuffle(3).batch(5)),
    "grain endless": (
        "grain",
        lambda g: g.MapDataset.source(Samples()).batch(5).repeat().to_iter_dataset(),
    ),
}
FITS = [
    (name, {"epochs": 3, "steps_per_epoch": steps, **more})
    for name in SOURCES
    for steps in {"tf": [None, 7], "torch shuffled": [None, 3]}.get(
        name, [4] if "endless" in name else [None]
    )
    for more in ([{}, {"class_weight": {1: 2.0}}] if name[:2] == "tf" else [{}])
    if not (more and "weighted" in name)
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "settings"), FITS)
def test_fit(name, settings):
    library, make = SOURCES[name]
    library = pytest.importorskip(library)
    if "class_weight" in settings:  # where one is missing, Keras has an error
        settings["class_weight"] = {0: 1.0, 1: 2.0, 2: 0.5, 3: 1.5}
    histories = []
    for package in (minikeras, keras):
        package.utils.set_random_seed(5)
        getattr(library, "manual_seed", lambda seed: 0)(5)
        layers = package.layers
        model = package.Sequential(
            [layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(4, "softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        history = model.fit(make(library), verbose=0, **settings)
        found = model.evaluate(make(library), steps=4, verbose=0)
        histories.append((*history.history["loss"], found))
    np.testing.assert_allclose(*histories, rtol=1e-5)


@pytest.mark.parametrize("y", [Y, Y[:, 0] + 0.4, np.eye(4)[Y[:, 0]], Y == 1])
def test_class_weights(y):
    from keras.src.trainers.data_adapters.data_adapter_utils import (
        class_weight_to_sample_weights,
    )

    weights = {0: 0.3, 1: 2.0, 3: 5.0}
    ours = minikeras.data.class_weight_to_sample_weights(y, weights)
    theirs = class_weight_to_sample_weights(y, weights)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.2, 0.3, 1 / 3, 0.5, 0.7, 0.9, 0.95])
def test_validation_split(fraction):
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    ours = minikeras.data.train_validation_split((X, Y, None), fraction)
    theirs = train_validation_split((X, Y, None), validation_split=fraction)
    same(ours, theirs)


@pytest.mark.parametrize(
    "parts", [(1,), ([1],), ((1,),), ({"a": 1},), (1, 2), (1, 2, 3)]
)
def test_pack_and_unpack(parts):
    packed = utils.pack_x_y_sample_weight(*parts)
    assert packed == keras.utils.pack_x_y_sample_weight(*parts)
    unpacked = utils.unpack_x_y_sample_weight(packed)
    assert unpacked == keras.utils.unpack_x_y_sample_weight(packed)


@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray, np.ndarray.tolist])
@pytest.mark.parametrize("shape", [(7,), (7, 1), (2, 3), (2, 3, 1)])
def test_to_categorical(convert, shape):
    labels = convert(rng.integers(0, 5, shape))
    ours = utils.to_categorical(labels, 5)
    theirs = keras.utils.to_categorical(labels, 5)
    assert ours.dtype == theirs.dtype and isinstance(ours, type(theirs))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray])
def test_normalize(order, convert):
    x = convert(X.astype("float32"))
    ours, theirs = (m.normalize(x, order=order) for m in (utils, keras.utils))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
