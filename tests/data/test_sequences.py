"""pad_sequences, and the starts of windows."""

import numpy as np
import pytest

from minikeras.data.sequences import pad_sequences, window_starts


def test_both_sides():
    x = [[1], [2, 3], [4, 5, 6], []]
    assert pad_sequences(x).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6], [0, 0, 0]]
    post = pad_sequences(x, 2, "float64", "post", "post", value=-1)
    assert post.tolist() == [[1, -1], [2, 3], [4, 5], [-1, -1]]
    assert pad_sequences(x, maxlen=0).shape == (4, 0)
    assert pad_sequences([]).shape == (0, 0)


def test_vectors_and_strings():
    x = [np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 2)]
    padded = pad_sequences(x, value=7)
    assert padded.shape == (3, 2, 3) and padded[2, 0].tolist() == [7, 7, 7]
    names = pad_sequences([["a"], ["bb", "c"]], dtype=object, value="-")
    assert names.tolist() == [["-", "a"], ["bb", "c"]]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([1, 2],), "list of iterables"),
        ((3,), "must be iterable"),
        (([[1]], None, "int32", "both"), 'Padding type "both" not understood'),
        (([[1]], None, "int32", "pre", "x"), 'Truncating type "x" not understood'),
        (([[1]], None, "int32", "pre", "pre", "a"), "not compatible with `value`"),
        (([[[1, 2]], [[1]]],), "Shape of sample .* at position 1"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(*arguments)


def test_starts_of_windows():
    assert window_starts(20, 12, 3, 2, 4, 1, 18).tolist() == [0, 2, 4, 6, 8]
    assert window_starts(20, 5, 3, 2, 4, None, None).tolist() == [0, 2, 4]
    assert window_starts(5, None, 6, 1, 1, None, None).tolist() == []


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"start_index": -1}, "`start_index` must be 0 or greater"),
        ({"start_index": 20}, "`start_index` must be lower than the length"),
        ({"start_index": 5, "end_index": 5}, "must be higher than `start_index`"),
        ({"end_index": 20}, "`end_index` must be lower than the length"),
        ({"end_index": -2}, "`end_index` must be higher than 0"),
        ({"sampling_rate": 0}, "`sampling_rate` must be higher than 0"),
        ({"sampling_rate": 20}, "`sampling_rate` must be lower"),
        ({"sequence_stride": 0}, "`sequence_stride` must be higher than 0"),
        ({"sequence_stride": 20}, "`sequence_stride` must be lower"),
    ],
)
def test_bad_windows(changed, message):
    arguments = {"start_index": None, "end_index": None, "sampling_rate": 1}
    arguments = {**arguments, "sequence_stride": 1, **changed}
    with pytest.raises(ValueError, match=message):
        window_starts(20, None, 3, **arguments)
