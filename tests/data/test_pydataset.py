import itertools
import random
import threading
import time

import numpy as np
import pytest

from minikeras.data import PyDataset, PyDatasetAdapter


class Numbered(PyDataset):
    """Batch i holds i."""

    def __init__(self, count=5, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.calls = []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return np.full((2, 3), index, "float32"), np.full((2, 1), index)

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


class Plain(PyDataset):
    """Without epoch hooks, so that processes are kept."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 3:
            raise ValueError("no fourth batch")
        return np.full((2, 3), index), np.full((2, 1), index)


def numbers(source):
    return [int(batch[1][0, 0]) for batch in source]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_in_order(workers):
    adapter = PyDatasetAdapter(Numbered(7, workers=workers, max_queue_size=2))
    assert adapter.num_batches == 7 and adapter.batch_size is None
    for _ in range(2):
        assert numbers(adapter) == list(range(7))


@pytest.mark.parametrize("workers", [1, 3])
def test_order_is_mixed_by_pythons_random(workers):
    adapter = PyDatasetAdapter(Numbered(workers=workers), shuffle=True)
    random.seed(4)
    expected = []
    for _ in range(2):
        order = list(range(5))
        random.shuffle(order)
        expected.append(order)
    random.seed(4)
    assert [numbers(adapter), numbers(adapter)] == expected


def test_hooks_and_peek():
    dataset = Numbered()
    adapter = PyDatasetAdapter(dataset)
    assert int(adapter.peek()[1][0, 0]) == 0
    assert dataset.calls == ["begin", "end"]
    assert numbers(adapter) == list(range(5))


def test_threads_work_side_by_side():
    barrier = threading.Barrier(2, timeout=10)

    class Meeting(Numbered):
        def __getitem__(self, index):
            barrier.wait()  # passes only with two at a time
            return super().__getitem__(index)

    assert numbers(PyDatasetAdapter(Meeting(4, workers=2))) == [0, 1, 2, 3]


def test_queue_is_bounded():
    fetched = []

    class Watched(Numbered):
        def __getitem__(self, index):
            fetched.append(index)
            return super().__getitem__(index)

    iterator = iter(PyDatasetAdapter(Watched(50, workers=2, max_queue_size=3)))
    next(iterator)
    time.sleep(0.05)
    assert len(fetched) <= 4
    iterator.close()


def test_processes():
    dataset = Plain(workers=2, use_multiprocessing=True)
    iterator = iter(PyDatasetAdapter(dataset))
    assert numbers(itertools.islice(iterator, 3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="no fourth batch"):
        next(iterator)


@pytest.mark.parametrize("workers", [1, 2])
def test_endless(workers):
    class Endless(Numbered):
        num_batches = None

    adapter = PyDatasetAdapter(Endless(workers=workers), shuffle=True)
    assert adapter.num_batches is None
    iterator = iter(adapter)
    assert numbers(itertools.islice(iterator, 8)) == list(range(8))
    iterator.close()


def test_class_weight():
    adapter = PyDatasetAdapter(Numbered(2), class_weight={1: 3.0})
    weights = [batch[2].tolist() for batch in adapter]
    assert weights == [[1.0, 1.0], [3.0, 3.0]]


@pytest.mark.parametrize(
    ("batch", "kinds"),
    [
        (np.ones(2), (np.ndarray,)),
        ([np.ones(2), [1.0, 2.0]], (np.ndarray, np.ndarray)),
        ((np.ones(2), None), (np.ndarray, type(None))),
    ],
)
def test_forms(batch, kinds):
    class Form(Numbered):
        def __getitem__(self, index):
            return batch

    got = next(iter(PyDatasetAdapter(Form())))
    assert isinstance(got, tuple) and tuple(map(type, got)) == kinds


def test_without_super_init():
    class Bare(PyDataset):
        def __init__(self):
            pass

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return np.zeros(1), np.zeros((1, 1))

    assert numbers(PyDatasetAdapter(Bare())) == [0]


def test_iterating_the_data_set_itself():
    assert numbers(Numbered(3)) == [0, 1, 2]

    class NoLength(PyDataset):
        def __getitem__(self, index):
            return index

    assert list(itertools.islice(NoLength(), 3)) == [0, 1, 2]
    with pytest.raises(NotImplementedError, match="NoLength.*__len__"):
        NoLength().num_batches  # noqa: B018


def test_weights_twice():
    class Weighted(Numbered):
        def __getitem__(self, index):
            return (*super().__getitem__(index), np.ones(2))

    with pytest.raises(ValueError, match="`class_weight`.*yields sample weights"):
        next(iter(PyDatasetAdapter(Weighted(), class_weight={0: 2.0})))
