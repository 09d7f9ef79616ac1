"""`batch_size="auto"` beside the largest batch whose step really stays below a limit.

`python -m tests.stress.batch_sizes --megabytes 300`

For each model a process of its own runs steps of a size and tells how much memory the
second one took at most. Halving finds the largest size below the limit; "auto" should
lie within 10 % of it, and not above.
"""

import argparse
import os
import subprocess
import sys

# Without these, the C library keeps pages that the program has given back.
QUIET = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
KINDS = ("mlp", "convnet", "transformer")


def model_of(kind):
    """(a compiled model, shape of a sample)."""
    import minikeras as keras

    layers = keras.layers
    if kind == "mlp":
        hidden = [layers.Dense(1024, "relu") for _ in range(4)]
        model = keras.Sequential([keras.Input((1024,)), *hidden, layers.Dense(1)])
    elif kind == "convnet":
        hidden = [layers.Conv2D(32, 3, activation="relu", padding="same")]
        hidden += [layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu")]
        tail = [layers.GlobalAveragePooling2D(), layers.Dense(1)]
        model = keras.Sequential([keras.Input((64, 64, 3)), *hidden, *tail])
    else:
        x = keras.Input((64, 64))
        y = layers.Add()([x, layers.MultiHeadAttention(4, 16)(x, x)])
        y = layers.Dense(64)(layers.Dense(256, "gelu")(layers.LayerNormalization()(y)))
        model = keras.Model(x, layers.Dense(1)(layers.GlobalAveragePooling1D()(y)))
    model.compile("adam", "mse")
    return model, model.input_shape[1:]


def field(name):
    """A field of this process's status, in bytes."""
    with open("/proc/self/status") as file:
        return 1024 * next(int(x.split()[1]) for x in file if x.startswith(name))


def child(kind, size, limit):
    """Print the bytes that a step of `size` takes; of size 0, what "auto" chooses."""
    import numpy as np

    import minikeras as keras

    model, shape = model_of(kind)
    x = np.ones((size or 100_000, *shape), "float32")
    y = np.ones((len(x), 1), "float32")
    if not size:
        from minikeras.data import get_adapter
        from minikeras.training.batch_size import auto_batch_size

        keras.config.set_memory_limit(limit)
        print(auto_batch_size(model, "train_step", get_adapter(x, y), 0))
        return
    model.train_on_batch(x, y)
    state = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    held = sum(v.value.nbytes for v in state) + x.nbytes + y.nbytes
    before = field("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    model.train_on_batch(x, y)
    print(field("VmHWM") - before + held)


def run(*arguments):
    command = [sys.executable, "-m", "tests.stress.batch_sizes", "--child"]
    answer = subprocess.run(
        [*command, *map(str, arguments)],
        env={**os.environ, **QUIET, "JAX_PLATFORMS": "cpu"},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(answer.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, size, limit = options.child
        child(kind, int(size), int(limit))
        return 0
    limit, faults = options.megabytes * 10**6, 0
    for kind in options.kinds:
        chosen = run(kind, 0, limit)
        low, high = 1, 2 * chosen
        while high - low > max(1, chosen // 50):
            middle = (low + high) // 2
            fits = run(kind, middle, limit) <= limit
            low, high = (middle, high) if fits else (low, middle)
        good = 0.9 * low <= chosen <= high
        faults += not good
        print(f"{kind}: auto {chosen}, measured {low}: {chosen / low:.2f}", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
