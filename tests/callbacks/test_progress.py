"""What the bar of `fit` shows beyond Keras's, in terminals, notebooks and files."""

import contextlib
import io
import re
import sys
import types

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import ProgbarLogger, progbar, progbar_logger, progress
from minikeras.callbacks.progbar import Progbar
from minikeras.core import platform, printing

MEMORY = " - 1.5 GiB"


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def time(self):
            return self.now

    clock = Clock()
    for module in (progbar, progbar_logger, progress):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(progbar_logger, "memory_in_use", lambda: 3 << 29)
    return clock


@pytest.fixture
def screen(monkeypatch, capsys):
    """Standard output is taken for a terminal without colours."""
    monkeypatch.setattr(printing, "is_terminal", lambda stream=None: True)
    monkeypatch.setenv("NO_COLOR", "1")
    return lambda: re.split(r" *[\r\n]+", capsys.readouterr().out.strip())


def epoch(logger, clock, number=0, steps=4, seconds=2.0):
    """An epoch whose first step takes ten times as long."""
    logger.on_epoch_begin(number, {})
    for step in range(steps):
        clock.now += seconds * (1 if step else 10)
        logger.on_train_batch_end(step, {"loss": 1.0})


def new_logger(**params):
    logger = ProgbarLogger()
    logger.set_params({"epochs": 1, "steps": 4, "batch_size": 32, **params})
    logger.on_train_begin({})
    return logger


def test_rates_remaining_time_and_memory(clock, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    logger = new_logger()
    epoch(logger, clock)
    rates = " - loss: 1.0000 - 0.50 steps/s - 16.0 samples/s"
    assert [row.partition("2s/step")[2] for row in screen()[1:]] == [
        f"{rates} - ETA 4s{MEMORY}",
        f"{rates} - ETA 2s{MEMORY}",
        f"{rates} - ETA 0s{MEMORY}",
    ]
    logger.on_epoch_end(0, {"loss": 0.5})
    assert screen()[0].endswith(f"0.5000{rates.partition('1.0000')[2]}{MEMORY}")


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        (110, MEMORY),
        (96, " - ETA 4s"),
        (84, "samples/s"),
        (66, "steps/s"),
        (50, "1.0000"),
    ],
)
def test_the_rightmost_parts_drop_out_first(clock, screen, monkeypatch, columns, end):
    monkeypatch.setenv("COLUMNS", str(columns))
    logger = new_logger()
    epoch(logger, clock, steps=2)
    row = screen()[-1].rstrip()
    assert row.startswith("2/4 ━━━━━━━━━━──────────") and row.endswith(end)
    assert len(row) <= columns
    # The last line holds all metrics, and of the rest only what does not wrap.
    monkeypatch.setenv("COLUMNS", "50")
    logger.on_epoch_end(0, {"loss": 1.0, "a_long_name": 2.0})
    assert screen()[-1].rstrip().endswith("loss: 1.0000 - a_long_name: 2.0000")


def test_the_remaining_time_counts_validations_and_epochs(clock, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    logger = new_logger(epochs=3)
    epoch(logger, clock)
    logger.on_test_begin({})
    clock.now += 40
    logger.on_test_end({})
    logger.on_epoch_end(0, {})
    # The time of the validation is no time of a step.
    assert "0.50 steps/s - 16.0 samples/s" in screen()[-1]
    epoch(logger, clock, 1, steps=2)
    # 2 steps, the validation, and an epoch of 4 steps and a validation.
    assert f"ETA {2 * 2 + 40 + 4 * 2 + 40}s" in screen()[-1].replace("1:32", "92s")


def test_unknown_numbers_are_left_out(clock, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(progbar_logger, "memory_in_use", lambda: 0)
    logger = new_logger(steps=None, batch_size=None)
    epoch(logger, clock)
    assert screen()[-1] == "4/Unknown 26s 2s/step - loss: 1.0000 - 0.50 steps/s"


def test_memory_is_asked_for_only_to_be_drawn(clock, screen, monkeypatch):
    asked = []
    ask = lambda: asked.append(clock.now) or 1  # noqa: E731
    monkeypatch.setattr(progbar_logger, "memory_in_use", ask)
    epoch(new_logger(steps=1000), clock, steps=1000, seconds=0.001)
    # The interval is 0.05 s; the steps take 1.009 s.
    assert 10 <= len(asked) <= 21


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.125, "0.12"),
        (31.44, "31.4"),
        (820.4, "820"),
        (12345, "12.3k"),
        (2e13, "20000G"),
    ],
)
def test_rates(rate, text):
    assert progbar_logger._format_rate(rate) == text


def test_memory_of_a_device_and_of_the_process(monkeypatch):
    if sys.platform == "linux" and platform.is_cpu():
        # Between what the import of JAX takes at least, and what a test may have.
        assert 2**26 < platform.memory_in_use() < 2**36
    device = types.SimpleNamespace(memory_stats=lambda: {"bytes_in_use": 7})
    monkeypatch.setattr(platform.jax, "local_devices", lambda: [device])
    assert platform.memory_in_use() == 7


def test_a_file_gets_few_plain_lines(clock, capsys):
    logger = new_logger(epochs=2, steps=100)
    epoch(logger, clock, steps=100, seconds=1.0)
    logger.on_epoch_end(0, {"loss": 0.5})
    text = capsys.readouterr().out
    assert "\r" not in text and "\x1b" not in text
    lines = text.splitlines()
    assert lines[0] == "Epoch 1/2"
    # One line in 30 s, and the last: the epoch takes 109 s.
    assert lines[1].startswith(" 21/100 - 30s - 1s/step - loss: 1.0000 - 1.00 steps/s")
    assert len(lines) == 5
    assert lines[-1].startswith("100/100 - 109s - 1s/step - loss: 0.5000 - 1.00 steps")


def test_a_file_gets_all_lines_without_an_interval(clock, capsys):
    bar = Progbar(3, interval=0.0)
    for step in (1, 2, 3):
        bar.update(step, [("a", step)])
    assert [line[:3] for line in capsys.readouterr().out.splitlines()] == [
        "1/3", "2/3", "3/3"
    ]  # fmt: skip


class Cell:
    """The outputs of a cell, as IPython's functions of the same names make them."""

    def __init__(self):
        self.outputs, self.updates = {}, 0

    def display(self, data, raw=False, display_id=None):
        assert raw and display_id is True
        name = f"id{len(self.outputs)}"
        self.outputs[name] = data
        return types.SimpleNamespace(display_id=name)

    def update_display(self, data, raw=False, *, display_id):
        assert raw and display_id in self.outputs
        self.outputs[display_id] = data
        self.updates += 1


class Stream(io.StringIO):
    """The stream of a kernel."""


Stream.__module__ = "ipykernel.iostream"


@pytest.fixture
def cell(monkeypatch):
    cell = Cell()
    module = types.ModuleType("IPython.display")
    module.display, module.update_display = cell.display, cell.update_display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return cell


@contextlib.contextmanager
def kernel():
    """Standard output is that of a kernel, to which nothing is written."""
    with contextlib.redirect_stdout(Stream()) as stream:
        yield
    assert stream.getvalue() == ""


def test_a_fit_is_one_output_of_a_notebook(clock, cell):
    logger = new_logger(epochs=30, verbose=1)
    with kernel():
        for number in range(30):
            epoch(logger, clock, number)
            logger.on_test_begin({})
            logger.on_test_batch_end(0, {})
            logger.on_test_end({})
            logger.on_epoch_end(number, {"loss": number / 8, "<b>": 1.0})
    (output,) = cell.outputs.values()
    assert cell.updates == 30 * 5 - 1
    text, html = output["text/plain"], output["text/html"]
    assert text.startswith("Epoch 30/30: 4/4 - 26s - 2s/step - loss: 3.6250")
    for part in ('<progress value="1.0000"', "16.0 samples/s", "3.6250", "2.5000"):
        assert part in html
    # The last ten epochs have a row.
    assert "<td>30</td>" in html and "<td>21</td>" in html and "and 20 before" in html
    assert "<td>20</td>" not in html and "<b>: " not in html
    assert len(html) < 4000
    evaluation = ProgbarLogger()
    evaluation.set_params({"steps": 2, "verbose": 1})
    with kernel():
        for _ in range(2):
            evaluation.on_test_begin({})
            evaluation.on_test_batch_end(1, {"loss": 3.0})
            evaluation.on_test_end({"loss": 3.0})
    assert len(cell.outputs) == 3


def test_a_bar_of_unknown_length_in_a_notebook(clock, cell):
    bar = Progbar(None)
    with kernel():
        bar.update(3, [("a", 1.0)])
    (output,) = cell.outputs.values()
    assert "<progress style" in output["text/html"] and "3/Unknown" in str(output)


def test_a_notebook_redirected_gets_lines(clock, cell):
    with kernel(), contextlib.redirect_stdout(io.StringIO()) as stream:
        Progbar(1).update(1)
    assert stream.getvalue().startswith("1/1 - 0s") and not cell.outputs


def test_the_lines_of_fit_evaluate_and_predict(capsys):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    history = model.fit(x, y, batch_size=4, epochs=2, validation_data=(x, y))
    assert history.params["batch_size"] == 4
    model.evaluate(x, y, batch_size=4)
    model.predict(x, batch_size=4)
    first, fit, second, again, evaluate, predict = capsys.readouterr().out.splitlines()
    assert (first, second) == ("Epoch 1/2", "Epoch 2/2")
    for line in (fit, again, evaluate, predict):
        assert re.match(r"2/2 - \d+s - \d+\w?s/step - .*steps/s - .*samples/s", line)
    assert "val_loss: " in fit and "loss: " in evaluate and "loss" not in predict
