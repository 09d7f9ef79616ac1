"""`keras.preprocessing.sequence`: windows of time series, and pairs of words."""

import json
import random

import numpy as np

from minikeras.data.pydataset import PyDataset
from minikeras.data.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target that follows it.

    The window before step `i` holds `data[i - length : i : sampling_rate]`; its target
    is `targets[i]`.

    Args:
        data: (steps, ...) array or list.
        targets: array or list, one target a step.
        length: int, steps that a window spans.
        sampling_rate: int, steps between two entries of a window.
        stride: int, steps between two windows.
        start_index: int, steps before it are left out.
        end_index: int, the last step; None: that of `data`.
        shuffle: bool, whether each batch has windows drawn by `np.random`.
        reverse: bool, whether a window starts with its last step.
        batch_size: int, windows in a batch.
        **kwargs: those of `keras.utils.PyDataset`.

    >>> series = np.arange(6.0)
    >>> x, y = TimeseriesGenerator(series, series, length=3, batch_size=2)[0]
    >>> x.tolist(), y.tolist()
    ([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], [3.0, 4.0])
    """

    def __init__(
        self, data, targets, length, sampling_rate=1, stride=1, start_index=0,
        end_index=None, shuffle=False, reverse=False, batch_size=128, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                "TimeseriesGenerator expected one target a step, but got "
                f"{len(data)} steps of data and {len(targets)} targets."
            )
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        if self.start_index > self.end_index:
            raise ValueError(
                f"No window of length={length} from start_index={start_index} ends "
                f"before the step end_index={self.end_index}. Take a shorter length or "
                "more data."
            )

    def __len__(self):
        steps = self.end_index - self.start_index + self.batch_size * self.stride
        return steps // (self.batch_size * self.stride)

    def __getitem__(self, index):
        stop = self.end_index + 1
        if self.shuffle:
            rows = np.random.randint(self.start_index, stop, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, stop)
            rows = np.arange(first, last, self.stride)
        order, step = slice(None, None, -1 if self.reverse else 1), self.sampling_rate
        windows = [self.data[row - self.length : row : step][order] for row in rows]
        return np.array(windows), np.array([self.targets[row] for row in rows])

    def get_config(self):
        """The arguments; `data` and `targets` as JSON in strings.

        As in Keras, `start_index` is that of the first target.
        """
        names = """length sampling_rate stride start_index end_index shuffle reverse
            batch_size""".split()
        series = {
            name: _json(name, getattr(self, name)) for name in ("data", "targets")
        }
        return series | {name: getattr(self, name) for name in names}

    def to_json(self, **kwargs):
        """The generator as a string.

        Args:
            **kwargs: passed to `json.dumps`.
        """
        entry = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(entry, **kwargs)


def _json(name, values):
    try:
        return json.dumps(np.asarray(values).tolist())
    except TypeError as error:
        raise TypeError(
            f"TimeseriesGenerator.get_config() expected numbers or strings in {name}, "
            f"which JSON can hold, but: {error}"
        ) from error


def make_sampling_table(size, sampling_factor=1e-5):
    """Probabilities to keep each word, for `skipgrams`; those of frequent ones are low.

    The frequency of the word of rank `r` is taken from Zipf's law:
    `f(r) = 1 / (r (log r + gamma) + 1/2 - 1/(12 r))`; it is kept with the probability
    `min(1, sqrt(t / f) + t / f)` up to the term of word2vec, `t = sampling_factor`.

    Args:
        size: int, number of words.
        sampling_factor: float, `t`.
    """
    rank = np.arange(size, dtype="float64")
    rank[:1] = 1
    ratio = (rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank)) * sampling_factor
    return np.minimum(1.0, ratio / np.sqrt(ratio))


def skipgrams(
    sequence, vocabulary_size, window_size=4, negative_samples=1.0, shuffle=True,
    categorical=False, sampling_table=None, seed=None,
):  # fmt: skip
    """Pairs of near words (label 1), and of words with random ones (label 0).

    Draws from Python's `random`, which `shuffle` also seeds, as in Keras.

    Args:
        sequence: list of ints, words by rank; 0 is no word.
        vocabulary_size: int, random words are below it.
        window_size: int, words are near up to this distance.
        negative_samples: float, random pairs for each pair of near words.
        shuffle: bool, whether the pairs are shuffled.
        categorical: bool, whether labels are [0, 1] and [1, 0].
        sampling_table: probabilities to keep words (`make_sampling_table`).
        seed: int, of the shuffling; None: a random one.

    Returns:
        Tuple of the pairs, a list of [word, word], and the labels, a list.
    """
    pairs = []
    for i, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        near = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        pairs += [[word, sequence[j]] for j in near if j != i and sequence[j]]
    count = int(len(pairs) * negative_samples)
    labels = [[0, 1] if categorical else 1 for _ in pairs]
    if negative_samples > 0:
        words = [word for word, _ in pairs]
        random.shuffle(words)
        pairs += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)]
            for i in range(count)
        ]
        labels += [[1, 0] if categorical else 0] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for values in (pairs, labels):  # the same order
            random.seed(seed)
            random.shuffle(values)
    return pairs, labels
