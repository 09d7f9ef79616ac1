"""What tapes and the command `run` cost.

    python -m compat.bench.tape [--repeats N]

`fit`: seconds of a warm epoch, and of the first one, of a model whose `train_step` has
a `GradientTape`, beside the model's own step, which uses `jax.grad`. `eager`: ms of a
loss alone, of the loss and its gradients by a tape, and by `jax.grad`. `run`: seconds
of `minikeras run` beside Python for a script that imports Keras and does no more. They
take turns; a cell is "median (best)".
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.core.bridge import apply

BATCH, STEPS = 128, 40


class Taped(keras.Sequential):
    """A model whose step is written as for TensorFlow."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        weights = self.trainable_variables
        gradients = tape.gradient(loss, weights)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=BATCH)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


NETWORKS = {
    "mlp": lambda: [
        keras.Input((784,)),
        layers.Dense(256, "relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        layers.Dense(128, "relu"),
    ],
    "lstm": lambda: [keras.Input((28, 28)), layers.LSTM(64)],
    "convnet": lambda: [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
    ],
}


def network(cls, name):
    """(a compiled model, x, y)."""
    keras.utils.set_random_seed(0)
    model = cls([*NETWORKS[name](), layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * STEPS, *model.input_shape[1:])).astype("float32")
    return model, x, rng.integers(0, 10, len(x))


def seconds(function):
    """Of one call, which ends with a wait for the device."""
    begin = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begin


def in_turns(functions, repeats):
    """[seconds of each call] of each function."""
    found = [[] for _ in functions]
    for _ in range(repeats):
        for times, function in zip(found, functions, strict=True):
            times.append(seconds(function))
    return found


def cell(times, scale=1.0):
    return f"{scale * statistics.median(times):.3g} ({scale * min(times):.3g})"


def ratio(first, second):
    """The ratios of the medians and of the best."""
    medians = statistics.median(first) / statistics.median(second)
    return f"{medians:.2f} ({min(first) / min(second):.2f})"


def fit(name, repeats):
    models = [network(cls, name) for cls in (Taped, keras.Sequential)]

    def epoch(model, x, y):
        return lambda: model.fit(x, y, batch_size=BATCH, verbose=0) and None

    epochs = [epoch(*model) for model in models]
    cold = [seconds(run) for run in epochs]
    own = in_turns(epochs, repeats)
    print(
        f"| {name} | {cell(own[0])} | {cell(own[1])} | {ratio(*own)} "
        f"| {cold[0]:.2f} | {cold[1]:.2f} |"
    )


def eager(name, repeats):
    model, x, y = network(keras.Sequential, name)
    x, y = jax.device_put((x[:BATCH], y[:BATCH]))
    weights = model.trainable_variables

    def loss():
        return model.compute_loss(y=y, y_pred=model(x, training=True))

    def taped():
        with keras.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, weights)

    def by_jax():
        values = [v.value for v in weights]
        return jax.grad(lambda values: apply(loss, weights, values)[0])(values)

    functions = (loss, taped, by_jax)
    cold = [seconds(run) for run in functions]
    in_turns(functions, 2)
    plain, tape, grad = in_turns(functions, repeats)
    cells = " | ".join(cell(times, 1e3) for times in (plain, tape, grad))
    first = ", ".join(f"{s:.2f}" for s in cold)
    print(f"| {name} | {cells} | {ratio(tape, plain)} | {first} |")


def run(repeats):
    with tempfile.TemporaryDirectory() as folder:
        aliased, own = Path(folder, "aliased.py"), Path(folder, "own.py")
        aliased.write_text("import keras\nkeras.layers.Dense\n")
        own.write_text("import minikeras as keras\nkeras.layers.Dense\n")
        commands = (
            [sys.executable, "-m", "minikeras", "run", str(aliased)],
            [sys.executable, str(own)],
        )
        functions = [
            lambda c=c: subprocess.run(c, check=True) and None for c in commands
        ]
        in_turns(functions, 1)
        with_run, plain = in_turns(functions, repeats)
    more = 1e3 * (min(with_run) - min(plain))
    print(
        f"minikeras run {cell(with_run)} s, Python {cell(plain)} s: {more:.0f} ms more"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    print("| fit | taped, s | jax.grad, s | ratio | first: taped | first |")
    for name in NETWORKS:
        fit(name, repeats)
    print("\n| eager | loss, ms | taped, ms | jax.grad, ms | taped : loss | first, s |")
    for name in NETWORKS:
        eager(name, repeats)
    print()
    run(max(3, repeats // 2))


if __name__ == "__main__":
    main()
