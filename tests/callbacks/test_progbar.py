import logging
import re

import numpy as np
import pytest

from minikeras import config
from minikeras.callbacks import ProgbarLogger, progbar
from minikeras.callbacks.progbar import Progbar
from minikeras.core import printing as terminal
from minikeras.core.printing import print_msg


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progbar, "time", clock)
    return clock


@pytest.fixture
def screen(monkeypatch, capsys):
    """Standard output is taken for a terminal; gives what was written since."""
    monkeypatch.setattr("minikeras.core.printing.is_terminal", lambda stream=None: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda: capsys.readouterr().out


@pytest.fixture
def plain_screen(screen, monkeypatch):
    """A terminal without colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    return screen


def test_live_bar(clock, plain_screen):
    bar = Progbar(4, width=4, stateful_metrics=["acc"])
    for step, (loss, acc) in enumerate([(1.0, 0.5), (0.5, 0.75)], 1):
        clock.now += 2.0
        bar.update(step, [("loss", loss), ("acc", acc)])
    assert plain_screen() == (
        "\r1/4 ━─── 6s 2s/step - loss: 1.0000 - acc: 0.5000"
        "\r2/4 ━━── 4s 2s/step - loss: 0.7500 - acc: 0.7500"
    )
    clock.now += 1
    bar.update(4, [("loss", 0.25), ("acc", 1e-5)])
    assert plain_screen() == (
        "\r4/4 ━━━━ 5s 1s/step - loss: 0.5000 - acc: 1.0000e-05\n"
    )


def test_shorter_line_covers_the_longer(clock, plain_screen):
    bar = Progbar(None)
    clock.now += 1
    bar.update(1, [("a", 1000.0)])
    clock.now += 0.5
    bar.update(2, [("a", -999.0)], finalize=True)
    first, second = plain_screen().split("\r")[1:]
    assert first == "1/Unknown 1s 1s/step - a: 1000.0000"
    assert second == "2/Unknown 2s 500ms/step - a: 0.5000\n"
    bar = Progbar(None)
    bar.update(1, [("a", 1000.0)])
    clock.now += 1
    bar.update(2, [], finalize=True)
    assert plain_screen().count(" \n") == 0


def test_interval(clock, plain_screen):
    bar = Progbar(100, interval=0.5)
    for step in range(1, 11):
        clock.now += 0.125
        assert bar.is_due(step) == (step in (1, 5, 9))
        bar.update(step)
    assert plain_screen().count("\r") == 3


def test_one_line(clock, capsys):
    bar = Progbar(2, verbose=2)
    clock.now += 0.2
    bar.add(1, [("loss", np.float32(3.0))])
    assert capsys.readouterr().out == ""
    clock.now += 0.3
    bar.add(1, [("loss", 1.0)])
    assert capsys.readouterr().out == "2/2 - 0s - 300ms/step - loss: 2.0000\n"


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_no_steps(verbose, capsys):
    Progbar(0, verbose=verbose).update(0, finalize=True)
    assert bool(capsys.readouterr().out) == (verbose > 0)


@pytest.mark.parametrize(
    ("kwargs", "shown"),
    [
        ({}, "1.0000"),
        ({"stateful_metrics": ["v"]}, "2.0000"),
        ({"stateless_metrics": []}, "2.0000"),
        ({"stateless_metrics": ["v"]}, "1.0000"),
    ],
)
def test_averages(kwargs, shown, clock, capsys):
    bar = Progbar(2, **kwargs)
    bar.update(1, [("v", 0.0)])
    bar.update(2, [("v", 2.0)])
    assert capsys.readouterr().out.rstrip().endswith(f"v: {shown}")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0.0000e+00"), (-3, "-3.0000e+00"), (0.0011, "0.0011")]
)
def test_small_values(value, shown, clock, capsys):
    Progbar(1, verbose=2).update(1, [("v", value)])
    assert capsys.readouterr().out.rstrip().endswith(f"v: {shown}")


@pytest.mark.parametrize("value", [1.5, np.array(1.5), [0.5, 2.5], np.float32(1.5)])
@pytest.mark.parametrize("kwargs", [{}, {"stateless_metrics": []}])
def test_values(value, kwargs, clock, capsys):
    bar = Progbar(4, verbose=2, **kwargs)
    bar.update(2, [("v", value)])
    bar.update(4, [("v", value)])
    assert "v: 1.5000\n" in capsys.readouterr().out


def test_both_kinds():
    with pytest.raises(ValueError, match="Only one of"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5s"), (65, "1:05"), (3725, "1:02:05")]
)
def test_clock(seconds, text):
    assert progbar.format_remaining(seconds) == text


def test_messages_go_to_the_log(caplog, capsys):
    config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "minikeras"):
            print_msg("hello")
    finally:
        config.enable_interactive_logging()
    assert caplog.messages == ["hello"] and capsys.readouterr().out == ""


class Watched(dict):
    """Logs that count how often they are read."""

    reads = 0

    def items(self):
        self.reads += 1
        return super().items()


def fit(logger, logs, steps=20, verbose=1, target=20):
    logger.set_params({"epochs": 2, "steps": target, "verbose": verbose})
    logger.on_train_begin({})
    logger.on_epoch_begin(0, {})
    for step in range(steps):
        logger.on_train_batch_end(step, logs)
    logger.on_test_begin({})
    logger.on_test_batch_end(0, logs)
    logger.on_test_end(logs)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_logs_are_read_only_to_be_drawn(clock, screen, verbose):
    logger, logs = ProgbarLogger(), Watched(loss=1.0)
    fit(logger, logs, verbose=verbose)
    assert logs.reads == (verbose == 1)


@pytest.mark.parametrize("target", [3, None])
def test_fit_prints(clock, capsys, target):
    logger = ProgbarLogger()
    fit(logger, {"loss": 1.0}, steps=3, verbose=2, target=target)
    logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})
    assert capsys.readouterr().out == (
        "Epoch 1/2\n3/3 - 0s - 0s/step - loss: 0.5000 - val_loss: 0.2500\n"
    )


def test_evaluate_and_predict_print(clock, capsys):
    logger = ProgbarLogger()
    logger.set_params({"steps": 2, "verbose": 2})
    logger.on_test_begin({})
    logger.on_test_batch_end(0, {"loss": 3.0})
    logger.on_test_batch_end(1, {"loss": 2.0})
    logger.on_test_end({"loss": 2.0})
    logger.on_predict_begin({})
    logger.on_predict_batch_end(1, {"outputs": np.ones(3)})
    logger.on_predict_end({})
    assert capsys.readouterr().out.splitlines() == [
        "2/2 - 0s - 0s/step - loss: 2.0000",
        "2/2 - 0s - 0s/step",
    ]


def rows(text):
    """What was drawn, without the ANSI sequences."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [row for row in re.split(r"[\r\n]+", plain) if row]


METRICS = [("loss", 1.0), ("genauigkeit_上位五", 0.5), ("top_k_accuracy", 0.25)]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (200, "1/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step - loss: 1.0000 - genauigkeit_上位五"
              ": 0.5000 - top_k_accuracy: 0.2500"),
        (79, "1/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step - loss: 1.0000 - genauigkeit_上位五"
             ": 0.5000"),
        (78, "1/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step - loss: 1.0000"),
        (40, "1/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step"),
        (20, "1/2 1s 1s/step"),
        (8, "1/2 1s 1"),
    ],
)  # fmt: skip
def test_one_row_of_the_terminal(clock, screen, monkeypatch, columns, row):
    monkeypatch.setenv("COLUMNS", str(columns))
    bar = Progbar(2)
    clock.now += 1
    bar.update(1, METRICS)
    assert rows(screen()) == [row] and terminal.width(row) <= columns
    bar.update(2, METRICS)
    # The last row has all metrics: it may wrap, as nothing is drawn over it.
    assert "top_k_accuracy: 0.2500" in rows(screen())[-1]


def test_the_width_is_read_at_each_drawing(clock, screen, monkeypatch):
    bar = Progbar(9)
    for step, columns in enumerate((80, 30, 80), 1):
        monkeypatch.setenv("COLUMNS", str(columns))
        clock.now += 1
        bar.update(step, METRICS)
    widths = [terminal.width(row.rstrip()) for row in rows(screen())]
    assert widths[1] <= 30 < min(widths[0], widths[2])


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(screen, monkeypatch, name, value):
    Progbar(2).update(1)
    assert "\x1b[" in screen()
    monkeypatch.setenv(name, value)
    Progbar(2).update(1)
    text = screen()
    assert "\x1b" not in text and "─" in text
