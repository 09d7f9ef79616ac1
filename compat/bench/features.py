"""What the features around `fit` cost: `python -m compat.bench.features`.

Each pair takes turns in one process, so that a busy machine slows both. A ratio is that
of the medians: with the feature, to without.
"""

import contextlib
import io
import statistics
import time

import numpy as np

import minikeras as keras

REPEATS = 7


def seconds(run):
    """Wall time of a call, which prints nothing."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        run()
    return time.perf_counter() - start


def ratio(with_feature, without):
    """(median time with, median time without) of calls that take turns."""
    with_feature(), without()
    pairs = [(seconds(with_feature), seconds(without)) for _ in range(REPEATS)]
    return [statistics.median(times) for times in zip(*pairs, strict=True)]


def show(name, times):
    """Print a line of the report."""
    on, off = times
    print(f"{name:44} {1e3 * on:9.2f} ms {1e3 * off:9.2f} ms  {on / off:.3f}")


def mlp(width=256, samples=12_800):
    """A compiled network and its data."""
    stack = [keras.Input((128,)), keras.layers.Dense(width, "relu")]
    model = keras.Sequential([*stack, keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.rand(samples, 128).astype("float32")
    return model, x, np.random.randint(0, 10, samples)


def profiles(model, x, y):
    """(a step while it is measured, a step of the same `fit` without) in seconds."""
    steps = -(-len(x) // 32)
    profiler = keras.callbacks.Profiler(steps=64)
    on, off = [], []
    for _ in range(REPEATS):
        fit = lambda **more: model.fit(x, y, verbose=0, **more)  # noqa: E731
        seconds(lambda fit=fit: fit(callbacks=[profiler]))
        on.append(profiler.step_seconds)
        off.append(seconds(fit) / steps)
    return statistics.median(on), statistics.median(off)


def main():
    """Print all features."""
    print(f"{'feature':44} {'with':>12} {'without':>12}  ratio")
    model, x, y = mlp()
    never = keras.callbacks.Profiler(first=10**9)
    fit = lambda **more: model.fit(x, y, verbose=0, **more)  # noqa: E731
    show(
        "fit, 400 steps, a Profiler that never measures",
        ratio(lambda: fit(callbacks=[never]), fit),
    )
    show("Profiler: one measured step of an MLP", profiles(model, x, y))
    show("the same, 2,048 units", profiles(*mlp(2048)))
    quiet = {"print_fn": lambda text: None}
    show(
        "summary(flops=True)",
        ratio(
            lambda: model.summary(flops=True, **quiet), lambda: model.summary(**quiet)
        ),
    )


if __name__ == "__main__":
    main()
