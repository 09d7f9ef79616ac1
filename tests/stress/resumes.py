"""kill -9 at random moments of a training: the same program ends with the same bits.

`python -m tests.stress.resumes --count 60 [--kinds arrays generator]`

Each program is killed up to three times, then runs to its end. Weights, slots, history,
generators and what a callback has counted are those of a program that nobody killed.
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

KINDS = ("arrays", "generator", "pydataset", "dataset", "custom step", "half", "loops")


def train(kind: str, folder: str, result: str) -> None:
    """Train to the end, or as far as one lets it, and write the digest of all state."""
    import numpy as np

    import minikeras as keras

    keras.utils.set_random_seed(7)
    half = "mixed_float16" if kind == "half" else None
    layers, dtype = keras.layers, {"dtype": half} if half else {}
    network = [
        layers.Dense(16, "relu", **dtype),
        layers.Dropout(0.3, **dtype),
        layers.BatchNormalization(**dtype),
        layers.Dense(1, dtype="float32"),
    ]
    base = _own_model(keras) if kind == "custom step" else keras.Sequential
    model = base([keras.Input((4,)), *network])
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.05, 20, 0.9), use_ema=True
    )
    if half:
        optimizer = keras.optimizers.LossScaleOptimizer(
            optimizer, dynamic_growth_steps=9
        )
    model.compile(optimizer, "mse", metrics=["mae"])
    x = np.random.rand(200, 4).astype("float32")
    y = x.sum(axis=1) + 0.1 * np.random.rand(200).astype("float32")
    data, options = _data(keras, kind, x, y)
    counter = _counter(keras)
    callbacks = [
        counter,
        keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True),
        keras.callbacks.CSVLogger(f"{folder}.csv"),
        keras.callbacks.BackupAndRestore(folder, 4, delete_checkpoint=False),
    ]
    if kind == "loops":  # no callback looks at batches; the time says when to save
        callbacks = callbacks[1:3]
        options |= {"resume": folder}
    history = model.fit(
        *data,
        epochs=40,
        verbose=0,
        callbacks=callbacks,
        validation_data=(x, y),
        **options,
    )
    numbers = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    digest = hashlib.sha256(
        b"".join(np.ascontiguousarray(n).tobytes() for n in numbers)
    )
    state = [
        digest.hexdigest(),
        history.history,
        history.epoch,
        counter.counts[-3:],
        len(counter.counts),
        [random.random(), np.random.rand(), keras.random.uniform(()).item()],
        hashlib.sha256(pathlib.Path(f"{folder}.csv").read_bytes()).hexdigest(),
    ]
    pathlib.Path(result).write_text(json.dumps(state))


def _own_model(keras):
    class Own(keras.Sequential):
        def train_step(self, state, data):
            import jax

            trained, other, slots, metrics = state
            x, y, _ = keras.utils.unpack_x_y_sample_weight(data)

            def loss_of(trained, other):
                y_pred, other = self.stateless_call(trained, other, x, training=True)
                return self.compute_loss(x, y, y_pred), (y_pred, other)

            grads, (y_pred, other) = jax.grad(loss_of, has_aux=True)(trained, other)
            trained, slots = self.optimizer.stateless_apply(slots, grads, trained)
            loss = ((y_pred[:, 0] - y) ** 2).mean()
            return {"loss": loss}, (trained, other, slots, metrics)

    return Own


def _counter(keras):
    class Counter(keras.callbacks.Callback):
        """A callback as users write them: it counts, and draws random numbers."""

        def __init__(self):
            super().__init__()
            self.counts, self.rng = [], __import__("numpy").random.default_rng(5)

        def on_train_batch_end(self, batch, logs=None):
            self.counts.append((batch, logs["loss"], self.rng.random()))
            time.sleep(0.002)

    return Counter()


def _data(keras, kind, x, y):
    """(positional arguments, others) of `fit`."""
    import numpy as np

    if kind == "generator":

        def batches():
            rng = np.random.default_rng(3)
            while True:
                rows = rng.integers(0, len(x), 16)
                yield x[rows] + np.float32(np.random.rand()), y[rows]

        return (batches(),), {"steps_per_epoch": 12}
    if kind == "pydataset":
        return (Batches(keras, x, y),), {}
    if kind == "dataset":
        data = keras.data.Dataset.from_tensor_slices((x, y))
        return (data.shuffle(200).batch(16).prefetch(2),), {}
    return (x, y), {"batch_size": 16}


def Batches(keras, x, y):
    import numpy as np

    class Shuffled(keras.utils.PyDataset):
        def __init__(self):
            super().__init__(workers=2)
            self.rows = np.arange(len(x))

        def __len__(self):
            return 12

        def __getitem__(self, i):
            rows = self.rows[16 * i : 16 * i + 16]
            return x[rows], y[rows]

        def on_epoch_end(self):
            np.random.shuffle(self.rows)

    return Shuffled()


def run(kind: str, folder: pathlib.Path, seconds: float | None = None) -> bool:
    """Run a program; kill it after so many seconds. True if it came to its end."""
    command = [sys.executable, "-m", "tests.stress.resumes", "--train", kind]
    command += [str(folder / "run"), str(folder / "result.json")]
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(command, env={**os.environ, "JAX_PLATFORMS": "cpu"})
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    assert code == 0, f"{kind}: exit {code}"
    return True


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.train:
        train(*options.train)
        return 0
    rng, faults, expected, seconds = random.Random(options.seed), 0, {}, {}
    for number in range(options.count):
        kind = options.kinds[number % len(options.kinds)]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            result = folder / "result.json"
            if kind not in expected:  # the first run compiles, the second is timed
                run(kind, folder / "first")
                start = time.perf_counter()
                run(kind, folder / "second")
                seconds[kind] = time.perf_counter() - start
                expected[kind] = (folder / "second" / "result.json").read_text()
                first = (folder / "first" / "result.json").read_text()
                assert first == expected[kind], f"{kind} does not repeat itself"
            kills = [rng.uniform(0.15, 0.8) * seconds[kind] for _ in range(3)]
            killed = [x for x in kills if not run(kind, folder, x)]
            run(kind, folder)
            same = result.read_text() == expected[kind]
            faults += not same
            times = f"{[round(x, 2) for x in killed]} of {seconds[kind]:.1f} s"
            print(
                f"{number} {kind}: killed at {times}: {'same' if same else 'DIFFERENT'}"
            )
            if not same:
                print(expected[kind], result.read_text(), sep="\n")
            sys.stdout.flush()
    print(f"{options.count} trainings, {faults} differ.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
