import random
import re

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


def small_model():
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


def text_of(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, **kwargs)
    return "\n".join(lines)


def widest(text):
    return max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()))


@pytest.fixture
def screen(monkeypatch, capsys):
    """Standard output is taken for a terminal."""
    monkeypatch.setattr("minikeras.core.printing.is_terminal", lambda stream=None: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return lambda: capsys.readouterr().out


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("200", 88)])
def test_fits_the_terminal_in_colours(screen, monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    small_model().summary()
    text = screen()
    assert widest(text) == width
    assert "(\x1b[34mDense\x1b[0m)" in text and "\x1b[1m Total params" in text
    small_model().summary(line_length=70)
    assert widest(screen()) == 70


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(screen, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    small_model().summary()
    assert "\x1b" not in screen()


def test_functions_and_the_log_get_plain_text(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = text_of(small_model())
    assert "\x1b" not in text and widest(text) == 80


def test_wide_tables_keep_their_headers(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    x = keras.Input((3,))
    keras.Model(x, layers.Add()([x, layers.Dense(3)(x)])).summary(show_trainable=True)
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen())
    assert "Trainable " in text and widest(text) == 120


def test_the_optimizer_counts_once_it_has_slots():
    model = small_model()
    assert "Optimizer" not in text_of(model) and "Total params: 8 " in text_of(model)
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert "Optimizer params: 18" in text_of(model)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.lstm = layers.Dense(4), layers.LSTM(2, return_sequences=True)

    def call(self, x):
        return self.lstm(self.dense(x))


@pytest.mark.parametrize("shape", [(None, 7, 3), (None, None, 3)])
def test_sizes_that_stand_in_for_none_are_not_shown(shape):
    model = Net()
    model.build(shape)
    text = text_of(model)
    assert "5040" not in text and str((*shape[:2], 2)) in text
    assert model.dense.get_build_config()["input_shape"][0] is None


def test_nothing_is_drawn_from_the_global_generators():
    model = small_model()
    keras.utils.set_random_seed(0)
    before = random.getstate(), str(np.random.get_state())
    text_of(model)
    assert (random.getstate(), str(np.random.get_state())) == before


def test_costs_are_further_columns_and_lines():
    model = small_model()
    plain = text_of(model)
    text = text_of(model, flops=True, memory=8)
    assert "FLOPs of a sample: 14 for inference" in text
    assert "Memory for training, batch of 8" in text
    for column in ("FLOPs", "Outputs", "Kept in"):
        assert column in text and column not in plain
    assert text_of(model, flops=False, memory=False) == plain
    assert "Memory" not in text_of(model, flops=True)
    assert "FLOPs" not in text_of(model, memory=1) and not model.optimizer.built
    with pytest.raises(TypeError):
        model.summary(None, None, None, False, False, None, True)


def test_costs_of_nested_models_and_of_sizes_that_are_given():
    inner = keras.Sequential([layers.Input((None, 3)), layers.LSTM(2, name="rnn")])
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.Dense(1)(inner(x)))
    with pytest.raises(ValueError, match="flops="):
        text_of(model, flops=True)
    text = text_of(
        model, flops=(None, 7, 3), expand_nested=True, positions=[0.4, 0.7, 1]
    )
    rows = [line.split() for line in text.splitlines() if "rnn" in line]
    assert len(rows) == 1 and rows[0][-5] != "0"
