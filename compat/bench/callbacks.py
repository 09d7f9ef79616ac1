"""What callbacks cost.

    python -m compat.bench.callbacks [--repeats N]

Seconds of a warm epoch of a small network (a step of about 1 ms, so that what a
callback adds to each shows) with one callback, and the ratio to an epoch without. They
take turns; a cell is "median (best)". `off` is an epoch with callbacks that have
nothing to do with batches; what they do at its end counts.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np

import minikeras as keras
from compat.bench.tape import cell, in_turns, ratio
from minikeras import callbacks, layers

BATCH, STEPS, SIDE = 128, 400, 256


def network():
    """(a compiled model, x, y)."""
    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(SIDE, "relu") for _ in range(3)]
    model = keras.Sequential([keras.Input((SIDE,)), *hidden, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(use_ema=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * STEPS, SIDE)).astype("float32")
    return model, x, rng.integers(0, 10, len(x))


class NanTracing(callbacks.Callback):
    """Stands for the setting, which `epoch` turns on."""


def contenders(folder):
    """{name: function that makes the callback}; `folder` is for their files."""
    board = callbacks.TensorBoard
    found = {
        "TensorBoard()": lambda: board(folder / "off"),
        "TensorBoard(histogram_freq=1)": lambda: board(folder / "h", histogram_freq=1),
        "TensorBoard(update_freq=100)": lambda: board(folder / "n", update_freq=100),
        "TensorBoard(update_freq=1)": lambda: board(folder / "1", update_freq=1),
        "a hook that does nothing": lambda: callbacks.LambdaCallback(
            on_train_batch_end=lambda *_: None
        ),
        "a hook that reads the loss": lambda: callbacks.LambdaCallback(
            on_train_batch_end=lambda _, logs: logs["loss"]
        ),
        "SwapEMAWeights(True)": lambda: callbacks.SwapEMAWeights(True),
        "ModelCheckpoint(.keras)": lambda: callbacks.ModelCheckpoint(
            folder / "a.keras"
        ),
        "ModelCheckpoint(.safetensors)": lambda: callbacks.ModelCheckpoint(
            folder / "a.safetensors", save_weights_only=True
        ),
        **{
            f"BackupAndRestore(save_freq={freq!r})": lambda freq=freq: (
                callbacks.BackupAndRestore(folder / f"run {freq}", freq)
            )
            for freq in (100, "epoch", "auto")
        },
        "TerminateOnNaN()": lambda: callbacks.TerminateOnNaN(),
        "TerminateOnNaN(explain=True)": lambda: callbacks.TerminateOnNaN(explain=True),
        "GradientMonitor(50)": lambda: callbacks.GradientMonitor(50),
        "Report(gradient_freq=None)": lambda: callbacks.Report(
            folder / "run.html", gradient_freq=None
        ),
        "Report(gradient_freq=100)": lambda: callbacks.Report(folder / "run.html"),
        "enable_nan_tracing()": lambda: NanTracing(),
        "RemoteMonitor, no server": lambda: callbacks.RemoteMonitor(
            "http://localhost:1"
        ),
    }
    try:
        callbacks.OrbaxCheckpoint(folder / "orbax")
    except ImportError:
        return found
    return found | {
        f"OrbaxCheckpoint(save_on_background={value})": lambda value=value: (
            callbacks.OrbaxCheckpoint(folder / str(value), save_on_background=value)
        )
        for value in (True, False)
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    warnings.filterwarnings("ignore", "Could not reach")
    model, x, y = network()

    def epoch(*used):
        settings = {"batch_size": BATCH, "verbose": 0}

        def run():
            if any(isinstance(c, NanTracing) for c in used):
                keras.config.enable_nan_tracing()
            model.fit(x, y, callbacks=list(used), **settings)
            keras.config.disable_nan_tracing()

        return run

    with tempfile.TemporaryDirectory() as folder:
        made = {name: make() for name, make in contenders(Path(folder)).items()}
        runs = [epoch(), *map(epoch, made.values())]
        in_turns(runs, 1)  # compiles
        alone, *times = in_turns(runs, repeats)
    print(f"An epoch of {STEPS} steps without callbacks: {cell(alone)} s.\n")
    print("| callback | seconds of an epoch | ratio |\n|---|---|---|")
    for name, seconds in zip(made, times, strict=True):
        print(f"| `{name}` | {cell(seconds)} | {ratio(seconds, alone)} |")


if __name__ == "__main__":
    main()
