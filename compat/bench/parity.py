"""What `minikeras parity` costs: its time beside that of both programs alone.

python -m compat.bench.parity [--repeats N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

SCRIPTS = {
    "fit of an MLP": """
x = np.random.normal(size=(8192, 64)).astype("float32")
model = keras.Sequential([keras.Input((64,)), layers.Dense(256, "relu"),
                          layers.Dropout(0.2), layers.Dense(3)])
model.compile("adam", "mse")
model.fit(x, x[:, :3], epochs=3, verbose=0, validation_split=0.1)
model.predict(x, verbose=0)
""",
    "fit of a convnet": """
x = np.random.normal(size=(1024, 28, 28, 1)).astype("float32")
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(16, 3), layers.ReLU(),
                          layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)])
model.compile("adam", "mse")
model.fit(x, np.zeros((1024, 10)), epochs=3, verbose=0)
""",
    "1,000 calls of train_on_batch, 500 of the model": """
x = np.random.normal(size=(32, 16)).astype("float32")
model = keras.Sequential([keras.Input((16,)), layers.Dense(32), layers.Dense(2)])
model.compile("adam", "mse")
for _ in range(1000):
    model.train_on_batch(x, x[:, :2])
for _ in range(500):
    model(x)
""",
}
HEAD = "import numpy as np\nimport keras\nfrom keras import layers\n"


def seconds(*command, folder):
    """Wall time of a command."""
    begin = time.perf_counter()
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(f"{'seconds, medians':50}{'Keras':>8}{'here':>8}{'parity':>8}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, source in SCRIPTS.items():
            path = os.path.join(folder, "script.py")
            with open(path, "w") as file:
                file.write(HEAD + source)
            commands = (
                [path],
                ["-m", "minikeras", "run", path],
                ["-m", "minikeras", "parity", path],
            )
            for command in commands:  # fills the caches of compiled programs
                seconds(*command, folder=folder)
            times = [
                [seconds(*command, folder=folder) for command in commands]
                for _ in range(repeats)
            ]
            theirs, ours, parity = map(statistics.median, zip(*times, strict=True))
            ratio = parity / (theirs + ours)
            print(f"{name:50}{theirs:8.2f}{ours:8.2f}{parity:8.2f}{ratio:8.2f}")


if __name__ == "__main__":
    main()
