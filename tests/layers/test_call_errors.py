"""Errors of shapes name the layer, its inputs, and the layer or Input that fed it."""

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops


def zeros(*shape):
    return np.zeros(shape, "float32")


def fails(call, *expected):
    """The call raises an error whose text holds all these words."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    text = str(caught.value)
    for words in expected:
        assert words in text, text
    assert text.count("Layer: ") == 1, text
    return text


class TwoBranches(keras.Model):
    """Adds two branches, in code between layers."""

    def __init__(self):
        super().__init__(name="net")
        self.left = layers.Dense(4, name="left")
        self.right = layers.Dense(5, name="right")

    def call(self, x):
        h, g = ops.relu(self.left(x)) * 2, self.right(x)
        return h + g


class Chain(keras.Model):
    """A convolution that a dense layer feeds."""

    def __init__(self):
        super().__init__(name="net")
        self.dense = layers.Dense(4, name="flat")
        self.conv = layers.Conv2D(4, 3, name="conv")

    def call(self, x):
        return self.conv(self.dense(x) + 1)


class Product(layers.Layer):
    def call(self, x):
        return x @ np.ones((7, 2), "float32")


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.product = layers.Dense(3, name="d"), Product(name="mine")

    def call(self, x):
        return self.product(self.dense(x))


def test_a_graph_names_the_layer_and_the_input_before():
    x = keras.Input((8, 4), name="rows")
    conv = layers.Conv2D(3, 3, name="conv")
    fed = "conv (Conv2D), called on float32[None, 8, 5] from 'before' (Dense)"
    fails(lambda: conv(layers.Dense(5, name="before")(x)), fed)
    both = lambda: layers.Add(name="plus")([x, keras.Input((7, 3), name="other")])  # noqa: E731
    fails(
        both,
        "Layer: plus (Add)",
        "float32[None, 8, 4] from Input 'rows'",
        "float32[None, 7, 3] from Input 'other'",
    )
    with pytest.raises(ValueError, match=r"float32\[None, 8, 4\] from Input 'rows'"):
        ops.matmul(x, np.ones((5, 2)))


def test_a_stack_names_the_layer_before():
    stack = [layers.Conv2D(4, 3, name="c1"), layers.Flatten(name="flat")]
    model = keras.Sequential([*stack, layers.Conv2D(4, 3, name="c2")], name="seq")
    words = "seq/c2 (Conv2D), called on float32[2, 144] from 'flat'"
    fails(lambda: model(zeros(2, 8, 8, 3)), words)


@pytest.mark.parametrize("how", ["eager", "again", "fit"])
def test_a_subclassed_model_names_what_fed_the_layer(how):
    model, x = Chain(), zeros(2, 3)
    if how == "fit":
        model.compile("sgd", "mse")
    run = (lambda: model.fit(x, x, verbose=0)) if how == "fit" else (lambda: model(x))
    if how == "again":  # built by now, so that the arrays are concrete
        model.conv = layers.EinsumDense("abcd,de->abce", (None, 2, 2, 4), name="conv")
        model.conv.build((2, 2, 2, 4))
        model.dense.build((2, 3))
        model.built = True
    fails(run, "conv (", "float32[2, 4] from 'flat'")


@pytest.mark.parametrize("how", ["eager", "fit"])
def test_code_between_layers_shows_its_arrays(how):
    model, x = TwoBranches(), zeros(2, 3)
    model.compile("sgd", "mse")
    run = (lambda: model.fit(x, x, verbose=0)) if how == "fit" else (lambda: model(x))
    fails(
        run,
        "Layer: net (TwoBranches), called on float32[2, 3]",
        "h=float32[2, 4] from 'left', g=float32[2, 5] from 'right'",
    )


def test_layers_in_layers_are_named_by_their_path():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.block = Block(name="blk")

        def call(self, x):
            return self.block(x)

    fails(lambda: Outer()(zeros(2, 3)), "net/blk/mine (Product)", "[2, 3] from 'd'")


def test_a_nested_model_names_what_fed_it():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2)], name="inner")
    before = layers.Dense(5, name="before")(keras.Input((3,)))
    fails(
        lambda: inner(before),
        "from the input of 'inner'",
        "Within: inner (Sequential), called on float32[None, 5] from 'before' (Dense)",
    )


def test_a_cell_is_named_within_its_loop():
    class Cell(layers.Layer):
        state_size = output_size = 4

        def call(self, x, states):
            h = ops.matmul(x, np.ones((7, 4), "float32"))
            return h, [h]

    rnn = layers.RNN(Cell(name="cell"), name="rnn")
    words = "Layer: rnn/cell (Cell), called on float32[2, 3] from the input of 'rnn'"
    fails(lambda: rnn(zeros(2, 5, 3)), words, "Called: matmul(float32[2, 3]")


def test_sizes_that_stand_in_for_none_are_shown_as_none():
    stack = [keras.Input((3,)), layers.Dense(4, name="before"), Product(name="mine")]
    text = fails(lambda: keras.Sequential(stack), "x=float32[None, 4]")
    assert "5040" not in text


def test_wrong_inputs_of_the_whole_model_are_named():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    model = keras.Model([a, b], layers.Concatenate()([a, b]), name="two")
    fails(lambda: model([zeros(1, 3)]), "2 input(s) ('a', 'b')", "[float32[1, 3]]")
    swapped = [zeros(1, 2), zeros(1, 3)]
    fails(lambda: model(swapped), "Input 0 ('a')", "two (Functional)")


def test_losses_and_metrics_name_output_and_targets():
    x = keras.Input((3,))
    outputs = {"p": layers.Dense(4, name="p")(x), "q": layers.Dense(2, name="q")(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", {"p": "mse", "q": "categorical_crossentropy"})
    y = {"p": zeros(4, 4), "q": zeros(4)}
    words = r"loss of output 'q': targets float32\[4\] .* outputs float32\[4, 2\]"
    with pytest.raises(ValueError, match=words):
        model.fit(zeros(4, 3), y, verbose=0)
    model = keras.Model(x, outputs["p"])
    model.compile("sgd", lambda y, p: ops.mean(p), metrics=["mae"])
    words = r"The metric 'mae' of output 'p': targets float32\[4, 5\] do not go with"
    with pytest.raises(ValueError, match=words):
        model.fit(zeros(4, 3), zeros(4, 5), verbose=0)


def test_other_errors_keep_their_type_and_text():
    class Odd(layers.Layer):
        def call(self, x):
            raise KeyError("gone")

    with pytest.raises(KeyError) as caught:
        Odd(name="odd")(zeros(2, 3))
    assert caught.value.args == ("gone",)
    assert any("Layer: odd (Odd)" in note for note in caught.value.__notes__)

    def loss(y, y_pred):
        raise ValueError("of the user")

    model = keras.Sequential([layers.Dense(2)])
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match="of the user") as caught:
        model.fit(zeros(4, 3), zeros(4, 2), verbose=0)
    assert caught.value.args == ("of the user",)


def test_looking_for_the_feeder_leaves_nothing_behind():
    class Keeps(Chain):
        def call(self, x):
            self.seen = self.dense(x)
            return self.conv(self.seen)

    model = Keeps()
    model.dense.build((2, 3))
    model.conv.build((None, 4, 4, 4))
    model.built = True
    fails(lambda: model(zeros(2, 3)), "from 'flat'")
    assert not isinstance(model.seen, jax.core.Tracer)
