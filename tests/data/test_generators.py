import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse

from minikeras.data import GeneratorAdapter, IterableAdapter, get_adapter


def batches(count, start=0):
    for i in range(start, start + count):
        yield np.full((2, 3), i, "float32"), np.full((2,), i)


def numbers(source):
    return [int(batch[1][0]) for batch in source]


def test_one_epoch_loses_nothing():
    adapter = GeneratorAdapter(batches(4))
    assert adapter.num_batches is None and adapter.batch_size is None
    assert int(adapter.peek()[1][0]) == int(adapter.peek()[1][0]) == 0
    assert numbers(adapter) == [0, 1, 2, 3]
    assert numbers(adapter) == []


def test_only_the_first_batch_is_read_ahead():
    made = []

    def source():
        for i in range(5):
            made.append(i)
            yield (np.zeros((1, 1)),)

    adapter = GeneratorAdapter(source())
    assert made == [0]
    next(iter(adapter))
    assert made == [0]


def test_reading_goes_on_after_a_break():
    adapter = GeneratorAdapter(batches(5))
    iterator = iter(adapter)
    next(iterator), next(iterator)
    iterator.close()
    assert numbers(adapter) == [2, 3, 4]


def test_an_iterable_starts_anew_each_epoch():
    class Source:
        def __iter__(self):
            return batches(3)

    adapter = IterableAdapter(Source())
    for _ in range(2):
        assert numbers(adapter) == [0, 1, 2]


def test_arrays():
    source = iter([({"a": jnp.ones((2, 1))}, [[1, 2], [3, 4]], None)])
    x, y, w = next(iter(GeneratorAdapter(source)))
    assert isinstance(x["a"], jax.Array)
    assert isinstance(y, np.ndarray) and y.shape == (2, 2)
    assert w is None


def test_empty():
    with pytest.raises(ValueError, match="at least one batch"):
        GeneratorAdapter(batches(0))


@pytest.mark.parametrize("batch", [np.zeros(3), [1, 2], {"x": 1}, None])
def test_not_a_tuple(batch):
    with pytest.raises(ValueError, match=f"got {type(batch).__name__}"):
        GeneratorAdapter(iter([batch]))


def test_an_error_inside_is_passed_on():
    def source():
        yield (np.zeros(1),)
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        list(GeneratorAdapter(source()))


@pytest.mark.parametrize("again", [False, True])
def test_a_buffer_filled_again_and_again(again):
    def source():
        buffer = np.zeros((2, 1))
        for i in range(4):
            buffer[:] = i
            yield (buffer,)

    class Source:
        def __iter__(self):
            return source()

    got = list(get_adapter(Source() if again else source()))
    assert [float(x[0, 0]) for (x,) in got] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("batch", "kinds"),
    [
        ([np.ones(2), [1.0, 2.0]], [np.ndarray, np.ndarray]),
        (([1, 2], [3, 4]), [np.ndarray, np.ndarray]),
        ((np.ones(2), None), [np.ndarray, type(None)]),
    ],
)
def test_forms_of_an_iterable(batch, kinds):
    class Source:
        def __iter__(self):
            return iter([batch, batch])

        def __len__(self):
            return 2

    adapter = get_adapter(Source())
    assert adapter.num_batches == 2
    for got in adapter:
        assert isinstance(got, tuple) and list(map(type, got)) == kinds


@pytest.mark.parametrize("batch", [np.ones((2, 3)), {"a": np.ones((2, 3))}])
def test_inputs_alone_from_an_iterable(batch):
    class Source:
        def __iter__(self):
            return iter([batch])

    got = get_adapter(Source()).peek()
    assert isinstance(got, type(batch))


def test_scipy_and_jax_sparse():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    x = scipy_sparse.random(4, 3, 0.5, "csr")
    bcoo = sparse.BCOO.fromdense(jnp.asarray(x.todense()))
    got = next(iter(get_adapter(iter([(x, bcoo)]))))
    for part in got:
        assert isinstance(part, np.ndarray)
        np.testing.assert_allclose(part, x.todense(), rtol=1e-6)
