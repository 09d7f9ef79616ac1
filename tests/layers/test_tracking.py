"""What an object holds is found again after every change."""

import copy

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


class Holder(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.blocks, self.named = [layers.Dense(1)], {"a": layers.Dense(2)}
        self.nested = [[], (1, {"deep": []})]

    def call(self, x):
        return x


def names(holder):
    return [layer.units for layer in holder._mk_layers]


@pytest.fixture
def holder():
    holder = Holder()
    assert names(holder) == [1, 2]
    return holder


def test_containers_change_in_place(holder):
    holder.blocks.append(layers.Dense(3))
    assert names(holder) == [1, 3, 2]
    holder.named["a"] = layers.Dense(4)
    assert names(holder) == [1, 3, 4]
    holder.blocks.pop(0)
    holder.nested[1][1]["deep"].append(layers.Dense(5))
    assert names(holder) == [3, 4, 5]
    # The new layer may take the old one's place in memory, too.
    for units in range(20):
        holder.blocks.pop()
        holder.blocks.append(layers.Dense(units + 1))
        assert names(holder) == [units + 1, 4, 5]


def test_attributes_change(holder):
    holder.more = layers.Dense(6)
    assert names(holder) == [1, 2, 6]
    holder.more = None
    assert names(holder) == [1, 2]
    holder.blocks = ()
    assert names(holder) == [2]
    del holder.named
    assert names(holder) == []


def test_copies_hold_their_own(holder):
    twin = copy.deepcopy(holder)
    twin.blocks.append(layers.Dense(7))
    assert names(twin) == [1, 7, 2] and names(holder) == [1, 2]
    assert not set(map(id, twin._mk_layers)) & set(map(id, holder._mk_layers))


def test_variables_follow_their_layers(holder):
    holder.blocks[0].build((None, 3))
    assert [v.shape for v in holder.variables] == [(3, 1), (1,)]
    holder.scale = keras.Variable(np.ones(2))
    holder.noise = keras.random.SeedGenerator(1)
    holder.blocks[0].trainable = False
    assert len(holder.variables) == 4 and len(holder.weights) == 3
    assert len(holder.trainable_variables) == 1


def test_what_is_below_follows_changes_there(holder):
    inner = holder.blocks[0]
    top = Holder()
    top.nested[0].append(holder)
    assert len(top._mk_flatten_layers()) == 6 and top.variables == []
    inner.scale = keras.Variable(np.ones(2))
    assert top.variables == [inner.scale]
    inner.note = "plain values change nothing"
    assert top._mk_subtree_state() is top._mk_subtree_state()
    holder.nested[1][1]["deep"].append(layers.Dense(5))
    assert len(top._mk_flatten_layers()) == 7
    with holder._mk_unchanged():
        inner.more = keras.Variable(np.ones(3))
        assert len(top.variables) == 2
    assert top.variables == [inner.scale]


def test_a_shallow_copy_is_its_own_top(holder):
    assert holder._mk_flatten_layers()[0] is holder
    twin = copy.copy(holder)
    assert twin._mk_flatten_layers()[0] is twin


def test_what_is_set_again_is_not_searched_again(holder):
    holder.also = holder.named["a"]
    below = holder._mk_subtree_state()
    holder.also, holder.blocks = holder.also, holder.blocks  # as `History` does
    assert holder._mk_subtree_state() is below
    holder.also = layers.Dense(6)
    assert holder._mk_subtree_state() is not below and 6 in names(holder)
