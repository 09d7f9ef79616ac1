"""The state of objects as plain data."""

import collections
import json
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras.core.plain_state import NotPlainError, StateOf, is_same, pack, unpack

VALUES = [
    None,
    True,
    3,
    2.5,
    float("nan"),
    "ä",
    [1, [2.0, "x"], None],
    (1, (2,), []),
    {"a": 1, 2: {"b": (3,)}, (4, "c"): []},
    {1, 2},
    frozenset({"x"}),
    b"\x00\xff",
    collections.deque([1, 2], maxlen=3),
    np.float32(1.5),
    np.arange(6.0).reshape(2, 3),
    np.array(["a", "bcd"]),
    np.array([]),
    jnp.asarray([1.0, 2.0], "bfloat16"),
]


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_values_come_back(number):
    value = VALUES[number]
    back = unpack(pack(value))
    assert type(back) is type(value) or isinstance(value, jax.Array)
    assert is_same(pack(back), pack(value))
    if isinstance(value, collections.deque):
        assert back.maxlen == value.maxlen


def test_packed_data_without_arrays_are_json():
    packed = pack(VALUES[:13])
    assert is_same(json.loads(json.dumps(packed)), packed)


def test_what_has_no_plain_form_is_refused():
    itself: list = []
    itself.append(itself)
    for value in (open, object(), lambda: 0, itself, jax.random.key(0), [object()]):
        with pytest.raises(NotPlainError):
            pack(value)


def test_containers_are_filled_in_place():
    shared = {"list": [1], "array": np.zeros(2), "dict": {"a": 1}, "set": {1}}
    changed = {"list": [1, 2], "array": np.ones(2), "dict": {}, "set": {5}}
    parts = dict(shared)
    assert unpack(pack(changed), shared) is shared
    for name, part in parts.items():
        assert shared[name] is part
        assert is_same(pack(part), pack(changed[name]))


def test_generators_variables_and_objects_take_their_states():
    def objects():
        metric = keras.metrics.Mean()
        return [random.Random(1), np.random.default_rng(2), metric, {"m": metric}]

    there = objects()
    there[0].random(), there[1].random(), there[2].update_state([1.0, 4.0])
    packed, here = pack(there), objects()
    unpack(packed, here)
    assert here[0].random() == there[0].random()
    assert here[1].random() == there[1].random()
    assert float(here[2].result()) == 2.5
    with pytest.raises(ValueError, match="there is a NoneType now"):
        unpack(packed)


class Holder:
    def __init__(self, patience=3):
        self.patience, self.wait, self.log = patience, 0, []
        self.data, self.file = np.zeros(1 << 18), object()


def test_the_state_is_what_has_changed():
    there = Holder()
    state = StateOf(there)
    there.wait, there.new = 5, "x"
    there.log.append(1.0)
    there.file = object()
    got = state.get()
    assert set(got["changed"]) == {"wait", "new", "log"}
    assert state.unknown == {"file"}
    here = Holder(patience=9)
    log, taken = here.log, StateOf(here)
    here.wait, here.patience = 7, 9  # `on_epoch_begin` of the second process
    taken.set(got)
    assert (here.wait, here.new, here.patience) == (5, "x", 9)
    assert here.log is log and log == [1.0]


def test_what_went_back_to_its_first_value_does_so():
    state = StateOf(there := Holder()).get()
    taken = StateOf(here := Holder())
    here.wait, here.log[:] = 4, [1]
    taken.set(state)
    assert (here.wait, here.log) == (there.wait, there.log) == (0, [])


def test_methods_come_first():
    class Told(Holder):
        def get_state(self):
            return {"wait": self.wait, "rows": np.arange(3)}

        def set_state(self, state):
            self.wait = state["wait"] * 10

    there, here = Told(), Told()
    state = StateOf(there)
    there.wait = there.patience = 4
    StateOf(here).set(state.get())
    assert (here.wait, here.patience) == (40, 3)
