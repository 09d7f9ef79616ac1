"""Errors of ragged lists: which input, which row."""

import numpy as np
import pytest

from minikeras import Sequential, layers, ops
from minikeras.core.ragged import ragged_row

ROWS = [[1, 2], [3]]


@pytest.mark.parametrize(
    ("value", "row"),
    [
        (ROWS, r"row \[1\] has the shape \(1,\), row \[0\] has \(2,\)"),
        (np.array(ROWS, dtype=object), r"row \[1\] has"),
        ([np.ones(2), np.ones(3)], r"row \[1\] has the shape \(3,\)"),
        ([ops.ones(2), ops.ones(3)], r"row \[1\] has the shape \(3,\)"),
        ([[[1], [2]], [[3], [4, 5]]], r"row \[1\]\[1\] has the shape \(2,\)"),
        ([1, [2]], r"row \[1\] has the shape \(1,\), row \[0\] has \(\)"),
    ],
)
def test_the_row_is_named(value, row):
    with pytest.raises(ValueError, match=row + ".*[Pp]ad"):
        ops.convert_to_tensor(value)


def test_what_is_an_array_has_no_ragged_row():
    for value in ([], [[]], [[1, 2], [3, 4]], 1.0, [np.ones(2), [1, 2]], "ab"):
        assert ragged_row(value) is None


def test_the_argument_of_an_op_is_named():
    with pytest.raises(ValueError, match=r"`x2`: A ragged .*\[1\]"):
        ops.add([1, 2], ROWS)
    with pytest.raises(ValueError, match=r"`x1`: A ragged .*\[1\]"):
        ops.where(True, x1=ROWS, x2=0)
    with pytest.raises(ValueError, match=r"`operands`|A ragged .*\[1\]"):
        ops.einsum("ij->i", ROWS)


@pytest.mark.parametrize(
    ("x", "y", "name"),
    [
        (ROWS, [1, 2], "`x` holds"),
        (np.ones((2, 2)), ROWS, "`y` holds"),
        ({"a": np.ones((2, 2)), "b": ROWS}, [1, 2], r"`x\['b'\]` holds"),
        (np.array(ROWS, dtype=object), [1, 2], "`x` holds"),
    ],
)
def test_the_input_of_fit_is_named(x, y, name):
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=name + r" a ragged list: row \[1\]"):
        model.fit(x, y, verbose=0)
