"""Sizes that stand for None: guesses, and messages in which they are not shown."""

import re
import traceback

import numpy as np
import pytest

from minikeras import Input, KerasTensor, layers, ops
from minikeras.core.unknown_sizes import guesses, restore_none

PLACEHOLDER = re.compile(r"\b(5040|10080|15120|30240)\b")


class Reshaped(layers.Layer):
    def call(self, x):
        return ops.reshape(ops.pad(x, ((0, 0), (1, 2), (0, 0))), (11, -1))


class Nested(layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Reshaped()

    def call(self, x):
        return self.inner(x) + 1


class Product(layers.Layer):
    def call(self, x):
        return x[:, 1:] * x


@pytest.mark.parametrize(
    "call",
    [
        lambda: Reshaped()(Input((None, 3))),
        lambda: Nested()(Input((None, 3))),
        lambda: Product()(Input((None, 3))),
        lambda: ops.reshape(Input((None, 3)), (7,)),
        lambda: ops.concatenate([Input((None, 3)), Input((None, 3, 4))]),
        lambda: ops.split(Input((None, 3)), 11, axis=1),
        lambda: ops.einsum("bij,bjk->bkz", Input((None, 3)), Input((None, 3))),
        lambda: layers.Dot(axes=(1, 2))([Input((None, 3)), Input((None, 4))]),
    ],
)
def test_messages_speak_of_none(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    text = "".join(traceback.format_exception_only(caught.value))
    assert "None" in text
    assert not PLACEHOLDER.search(text)
    cause = caught.value.__cause__
    assert cause is None or not PLACEHOLDER.search(str(cause))


def test_numbers_computed_of_unknown_sizes_are_none_others_stay():
    def fail(n):
        raise ValueError(f"[{n}, 3] of {n - 4} rows, {n * 2} in all, v1.5, axis_5040")

    with pytest.raises(ValueError, match="5036") as caught:
        fail(5040)
    restore_none(caught.value, fail)
    assert str(caught.value) == "[None, 3] of None rows, None in all, v1.5, axis_5040"


def test_a_message_of_another_form_loses_the_multiples_only():
    def fail(n):
        raise ValueError(f"{n} rows, 7 columns" if n == 5040 else "fails otherwise")

    with pytest.raises(ValueError, match="5040") as caught:
        fail(5040)
    restore_none(caught.value, fail)
    assert str(caught.value) == "None rows, 7 columns"


def test_the_warning_of_softmax_speaks_of_none():
    with pytest.warns(UserWarning, match=r"shape \(None, 1\)"):
        ops.softmax(Input((1,)))
    with pytest.warns(UserWarning, match=r"shape \(2, 1\)"):
        ops.softmax(np.ones((2, 1)))


def test_guesses_go_from_few_sizes_to_many():
    tensors = [KerasTensor((None, 3)), KerasTensor((2, None))]
    tried = list(guesses(tensors, {7}))
    assert tried[0] == ()
    assert set(tried[1:9]) == {
        (((i, d), n),) for i, d in ((0, 0), (1, 1)) for n in (1, 2, 3, 7)
    }
    assert (((0, 0), 2), ((1, 1), 3)) in tried
    assert [len(g) for g in tried[-16:]] == [2] * 16
