"""Subclassed models, freezing, summaries."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

rng = np.random.default_rng(9)
X = rng.normal(size=(6, 3)).astype("float32")
Y = rng.normal(size=(6, 2)).astype("float32")


class Net(keras.Model):
    def __init__(self, units=4):
        super().__init__()
        self.blocks = [layers.Dense(units, activation="relu"), layers.Dropout(0.5)]
        self.heads = {"out": layers.Dense(2)}

    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x, training=training) if hasattr(block, "rate") else block(x)
        return self.heads["out"](x)


def test_a_subclass_trains():
    model = Net()
    assert model.weights == [] and not model.built
    model.compile("adam", "mse")
    before = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, epochs=30, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before
    assert [w.shape for w in model.weights] == [(3, 4), (4,), (4, 2), (2,)]


def test_training_reaches_layers_that_are_not_given_it():
    class Implicit(Net):
        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.heads["out"](x)

    for cls in (Net, Implicit):
        model = cls()
        np.testing.assert_array_equal(model(X), model(X))
        first, second = (np.asarray(model(X, training=True)) for _ in range(2))
        assert not np.array_equal(first, second)


def test_a_model_without_call_is_named():
    class Empty(keras.Model):
        pass

    with pytest.raises(NotImplementedError, match="Empty"):
        Empty()(X)


def test_forgotten_super():
    class Forgetful(keras.Model):
        def __init__(self):
            self.dense = layers.Dense(2)

    with pytest.raises(RuntimeError, match="super"):
        Forgetful()(X)


def test_freezing():
    model = Net()
    model(X)
    model.heads["out"].trainable = False
    assert [w.shape for w in model.trainable_weights] == [(3, 4), (4,)]
    model.trainable = False
    assert model.trainable_weights == [] and len(model.non_trainable_weights) == 4
    model.trainable = True
    assert len(model.trainable_weights) == 4
    frozen = keras.Sequential([layers.Input((3,)), layers.Dense(2, trainable=False)])
    assert frozen.trainable_weights == [] and len(frozen.weights) == 2


def test_set_weights_changes_all_or_nothing():
    model = Net()
    model(X)
    before = model.get_weights()
    with pytest.raises(ValueError, match="4"):
        model.set_weights(before[:3])
    with pytest.raises(ValueError, match=r"\(2,\)"):
        model.set_weights([w + 1 for w in before[:3]] + [np.zeros(3)])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def summary(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, **kwargs)
    return "\n".join(lines)


def test_summary():
    inner = keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, name="deep")], name="inner"
    )
    x = keras.Input((3,), name="x")
    frozen = layers.Dense(2, name="frozen", trainable=False)
    model = keras.Model(x, frozen(inner(x)), name="outer")
    text = summary(model)
    assert 'Model: "outer"' in text and "inner (Sequential)" in text
    assert "(None, 4)" in text and "(None, 2)" in text and "deep" not in text
    assert "Total params: 26 (104.00 B)" in text
    assert "Trainable params: 16 (64.00 B)" in text
    assert "Non-trainable params: 10 (40.00 B)" in text
    assert "deep" in summary(model, expand_nested=True)
    wide = summary(model, show_trainable=True, line_length=100)
    assert "Trainable" in wide.split("Total")[0]
    assert max(map(len, wide.splitlines())) == 100
    part = summary(model, layer_range=("inner", "frozen"))
    assert "frozen" in part and "InputLayer" not in part
    with pytest.raises(ValueError, match="nosuch"):
        summary(model, layer_range=("nosuch", "frozen"))


def test_summary_shows_recorded_ops_and_connections():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(3, name="shared")
    text = summary(keras.Model([a, b], shared(a) + shared(b)), show_trainable=True)
    row = next(line for line in text.splitlines() if "(Add)" in line)
    assert "(None, 3)" in row and "shared[0][0]" in row
    assert "shared[1][0]" in text and "Trainable" in text


def test_summary_prints_and_counts_the_optimizer(capsys):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.summary()
    assert "Optimizer params: 18" in capsys.readouterr().out


def test_a_summary_before_building_says_so():
    model = Net()
    assert "unbuilt" in summary(model) or "?" in summary(model)
