"""Loaders of PyTorch, TensorFlow, TFDS and Grain, where these are installed."""

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import (
    GrainAdapter,
    IterableAdapter,
    SampleAdapter,
    TensorFlowAdapter,
    TorchAdapter,
    get_adapter,
)

X = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
Y = (np.arange(8) % 2).astype("int64")


class Samples:
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return X[index], Y[index]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def grain():
    return pytest.importorskip("grain")


def assert_batches(adapter, sizes=(3, 3, 2)):
    """Twice the same batches of X and Y."""
    for _ in range(2):
        batches = list(adapter)
        assert [len(x) for x, _ in batches] == list(sizes)
        for x, y in batches:
            assert isinstance(x, np.ndarray) and x.dtype == "float32"
            assert isinstance(y, np.ndarray) and y.dtype == "int64"
        total = sum(sizes)
        np.testing.assert_array_equal(
            np.concatenate([x for x, _ in batches]), X[:total]
        )
        np.testing.assert_array_equal(
            np.concatenate([y for _, y in batches]), Y[:total]
        )


def assert_trains(source, steps=3):
    threads = set(threading.enumerate())
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    history = model.fit(source, validation_data=source, epochs=2, verbose=0)
    assert history.epoch == [0, 1] and history.params["steps"] == steps
    assert np.isfinite(history.history["val_loss"]).all()
    assert model.predict(source, verbose=0).shape == (8, 2)
    gc.collect()
    for thread in set(threading.enumerate()) - threads:
        if "Dummy" not in thread.name:  # TensorFlow's own, known to Python
            thread.join(10)
            assert not thread.is_alive()


# -- PyTorch ------------------------------------------------------------------------


def torch_loader(torch, x=X, y=Y, **settings):
    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(data, batch_size=3, **settings)


def test_torch(torch):
    adapter = get_adapter(torch_loader(torch))
    assert isinstance(adapter, TorchAdapter)
    assert (adapter.num_batches, adapter.batch_size) == (3, 3)
    assert adapter.has_partial_batch and adapter.partial_batch_size == 2
    assert_batches(adapter)
    assert_trains(torch_loader(torch))


def test_torch_drop_last(torch):
    adapter = get_adapter(torch_loader(torch, drop_last=True))
    assert adapter.num_batches == 2 and not adapter.has_partial_batch
    assert_batches(adapter, (3, 3))


def test_torch_sampler(torch):
    sampler = torch.utils.data.SubsetRandomSampler(range(4))
    adapter = get_adapter(torch_loader(torch, sampler=sampler))
    assert (adapter.num_batches, adapter.partial_batch_size) == (2, 1)


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("batch_size", [None, 3])
def test_torch_iterable(torch, sized, batch_size):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter([(X[:2], Y[:2])] * 7)

    if sized:
        Stream.__len__ = lambda self: 7
    loader = torch.utils.data.DataLoader(Stream(), batch_size=batch_size)
    adapter = get_adapter(loader)
    count = -(-7 // (batch_size or 1))
    assert adapter.num_batches == (count if sized else None)
    assert adapter.batch_size == batch_size
    assert adapter.partial_batch_size == (1 if sized and batch_size else None)
    x, y = next(iter(adapter))
    assert x.shape == ((3, 2, 3) if batch_size else (2, 3))
    assert len(list(adapter)) == count


def test_torch_shares_memory(torch):
    tensor = torch.zeros(2, 3)
    loader = torch.utils.data.DataLoader([tensor], batch_size=None)
    (batch,) = get_adapter(loader)
    tensor += 1
    assert batch.sum() == 6


@pytest.mark.parametrize("convert", ["bfloat16", "to_sparse", "requires_grad_", "half"])
def test_torch_tensors(torch, convert):
    tensor = getattr(torch.tensor(X), convert)()
    dtype = "float16" if convert == "half" else "float32"
    expected = np.asarray(tensor.detach().to_dense().float()).astype(dtype)
    stream = iter([(tensor, tensor)])
    for x in (*next(iter(get_adapter(stream))), get_adapter(tensor).arrays[0]):
        np.testing.assert_array_equal(x, expected)


def test_torch_workers_end(torch):
    context = {"num_workers": 1, "multiprocessing_context": "spawn"}
    iterator = iter(get_adapter(torch_loader(torch, **context)))
    next(iterator)
    iterator.close()
    import multiprocessing

    gc.collect()
    assert not multiprocessing.active_children()


# -- TensorFlow ---------------------------------------------------------------------


def tf_dataset(tf, *parts):
    return tf.data.Dataset.from_tensor_slices(parts or (X, Y))


def test_tf_data(tf):
    source = tf_dataset(tf).batch(3)
    adapter = get_adapter(source)
    assert isinstance(adapter, TensorFlowAdapter) and adapter.num_batches == 3
    assert_batches(adapter)
    assert_trains(source)


def test_tf_cardinality(tf):
    source = tf_dataset(tf).batch(3)
    assert get_adapter(source.repeat()).num_batches is None
    assert get_adapter(source.filter(lambda x, y: True)).num_batches is None
    iterator = iter(get_adapter(source.repeat()))
    assert [len(next(iterator)[0]) for _ in range(5)] == [3, 3, 2, 3, 3]
    iterator.close()


def test_tf_class_weight(tf):
    adapter = get_adapter(tf_dataset(tf).batch(8), class_weight={1: 3.0})
    ((_, _, weights),) = adapter
    np.testing.assert_array_equal(weights, 1.0 + 2 * Y)
    weighted = tf_dataset(tf, X, Y, np.ones(8)).batch(8)
    with pytest.raises(ValueError, match="You cannot pass `class_weight`"):
        list(get_adapter(weighted, class_weight={1: 3.0}))


def test_tf_structures(tf):
    source = tf_dataset(tf, {"a": X, "b": (X, Y)}, Y).batch(3)
    x, y = get_adapter(source).peek()
    assert x["a"].shape == (3, 3) and x["b"][1].shape == y.shape == (3,)
    x = get_adapter(tf.data.Dataset.from_tensors({"a": X})).peek()
    assert x["a"].shape == X.shape
    assert get_adapter(tf.data.Dataset.from_tensors(X)).peek().shape == X.shape


def test_tf_ragged_and_sparse(tf):
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    sparse = tf.SparseTensor([[1, 0]], [5.0], (2, 2))
    x, y = get_adapter(tf.data.Dataset.from_tensors((ragged, sparse))).peek()
    np.testing.assert_array_equal(x, [[1, 2], [3, 0]])
    np.testing.assert_array_equal(y, [[0, 0], [5, 0]])


def test_tf_strings(tf):
    with pytest.raises(ValueError, match="expected numbers") as caught:
        get_adapter(tf.data.Dataset.from_tensors((["a"], [1]))).peek()
    assert "batch 0 (counted from 0) of the tf.data.Dataset" in str(
        caught.value.__notes__
    )


# -- TFDS ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tfds_builder(tmp_path_factory):
    tfds = pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("tensorflow")
    pytest.importorskip("array_record")

    class Tiny(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            image = tfds.features.Tensor(shape=(3,), dtype=np.float32)
            label = tfds.features.ClassLabel(num_classes=2)
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict({"image": image, "label": label}),
                supervised_keys=("image", "label"),
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for i in range(8):
                yield i, {"image": X[i], "label": int(Y[i])}

    def build(file_format):
        folder = str(tmp_path_factory.mktemp(file_format))
        builder = Tiny(data_dir=folder, file_format=file_format)
        builder.download_and_prepare()
        return builder

    return build


def test_tfds_as_numpy(tfds_builder):
    import tensorflow_datasets as tfds

    builder = tfds_builder("tfrecord")
    plain = builder.as_dataset(split="train", batch_size=3)
    pairs = builder.as_dataset(split="train", batch_size=3, as_supervised=True)
    adapter = get_adapter(tfds.as_numpy(plain))
    assert isinstance(adapter, IterableAdapter) and adapter.num_batches == 3
    assert {k: v.shape for k, v in adapter.peek().items()} == {
        "image": (3, 3),
        "label": (3,),
    }
    x, y = get_adapter(tfds.as_numpy(pairs)).peek()
    assert x.shape == (3, 3) and y.shape == (3,)
    assert_trains(tfds.as_numpy(pairs))


def test_tfds_data_source(tfds_builder):
    source = tfds_builder("array_record").as_data_source(split="train")
    adapter = get_adapter(source, batch_size=3)
    assert isinstance(adapter, SampleAdapter) and adapter.num_batches == 3
    batches = list(adapter)
    for i, j in enumerate(range(0, 8, 3)):  # the files hold the samples in some order
        expected = [source[k]["image"] for k in range(j, min(j + 3, 8))]
        np.testing.assert_array_equal(batches[i][0], expected)
    assert_trains(source, steps=1)


# -- Grain --------------------------------------------------------------------------


def grain_sources(grain):
    mapped = grain.MapDataset.source(Samples()).batch(3)
    sampler = grain.samplers.IndexSampler(
        8, num_epochs=1, shard_options=grain.sharding.NoSharding()
    )
    return {
        "map": mapped,
        "iter": mapped.to_iter_dataset(),
        "loader": grain.DataLoader(
            data_source=Samples(),
            sampler=sampler,
            operations=[grain.transforms.Batch(3)],
        ),
    }


@pytest.mark.parametrize("kind", ["map", "iter", "loader"])
def test_grain(grain, kind):
    source = grain_sources(grain)[kind]
    adapter = get_adapter(source)
    assert isinstance(adapter, GrainAdapter)
    count = 3 if kind == "map" else None
    assert adapter.num_batches == count
    assert_batches(adapter)
    assert_trains(source, count)


def test_grain_without_end(grain):
    source = grain_sources(grain)["map"].repeat()
    adapter = get_adapter(source)
    assert adapter.num_batches is None
    iterator = iter(adapter)
    assert [len(next(iterator)[0]) for _ in range(4)] == [3, 3, 2, 3]
    iterator.close()


def test_samples_by_number(grain):
    class Source(Samples, grain.sources.RandomAccessDataSource):
        pass

    adapter = get_adapter(Source(), batch_size=3, class_weight={1: 2.0})
    assert isinstance(adapter, SampleAdapter) and adapter.partial_batch_size == 2
    np.testing.assert_array_equal(adapter.peek()[2], [1, 2, 1])
    np.random.seed(2)
    shuffled = get_adapter(Source(), batch_size=8, shuffle=True).peek()
    np.random.seed(2)
    np.testing.assert_array_equal(shuffled[0], X[np.random.permutation(8)])


# -- all of them --------------------------------------------------------------------


def fake(module, name):
    """An object that a library's could be, for machines without the library."""

    class Loader:
        batch_size, drop_last, sampler, dataset = 3, False, Samples(), None

        def __iter__(self):
            return iter([[X[:3], Y[:3]], [X[3:6], Y[3:6]], [X[6:], Y[6:]]])

        def __len__(self):
            return 3

        def cardinality(self):
            return 3

    Loader.__module__, Loader.__name__ = module, name
    return type("Inherits", (Loader,), {})()


FAKES = [
    (fake("torch.utils.data.dataloader", "DataLoader"), TorchAdapter),
    (fake("tensorflow.python.data.ops", "DatasetV2"), TensorFlowAdapter),
    (fake("grain._src.python.data_loader", "DataLoader"), GrainAdapter),
    (fake("elsewhere", "DataLoader"), IterableAdapter),
]


@pytest.mark.parametrize(("source", "kind"), FAKES)
def test_recognized_by_name(source, kind):
    adapter = get_adapter(source)
    assert type(adapter) is kind and adapter.num_batches == 3
    assert_batches(adapter)
    assert_trains(source)


@pytest.mark.parametrize(("source", "kind"), FAKES)
@pytest.mark.parametrize("name", ["y", "sample_weight", "class_weight"])
def test_beside_a_loader(source, kind, name):
    if kind is TensorFlowAdapter and name == "class_weight":
        return
    value = {1: 2.0} if name == "class_weight" else Y
    with pytest.raises(
        ValueError, match=f"as a {kind.description}, `{name}` should not"
    ):
        get_adapter(source, **{name: value})
    if name == "y":
        model = keras.Sequential([keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="`validation_split` works on arrays"):
            model.fit(source, validation_split=0.5)


def test_no_library_is_imported():
    libraries = "torch tensorflow grain tensorflow_datasets array_record pandas scipy"
    code = (
        "import sys, minikeras, minikeras.data\n"
        f"print([m for m in {libraries.split()} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr
