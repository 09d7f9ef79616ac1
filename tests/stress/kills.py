"""kill -9 at random moments of saving: a file or folder is the old or the new one.

`python -m tests.stress.kills --count 100`
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

CHILD = """
import sys
import numpy as np
import minikeras as keras
path, zipped, number = sys.argv[1], sys.argv[2] == "file", int(sys.argv[3])
print("go", flush=True)
while True:
    number += 1
    model = keras.Sequential(
        [keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(4))],
        name=f"number_{number}",
    )
    for v in model.weights:
        v.assign(np.full(v.shape, number, "float32"))
    model.save(path, zipped=zipped)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    import minikeras as keras

    rng, seen = random.Random(0), set()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("file", "folder"):
            path = pathlib.Path(folder) / f"{kind}.keras"
            there = path if kind == "file" else path / "config.json"
            number = 0
            if kind == "folder":
                path.mkdir()
                (path / "notes.txt").write_text("mine")
            for _ in range(options.count // 2):
                child = subprocess.Popen(
                    [sys.executable, "-c", CHILD, str(path), kind, str(number)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                child.stdout.readline()
                while not there.exists():  # the first save
                    time.sleep(0.01)
                time.sleep(rng.uniform(0.0, 1.0))
                child.kill()
                child.wait()
                model = keras.models.load_model(path)
                number = int(model.name.rpartition("_")[2])
                values = {float(x) for w in model.get_weights() for x in w.flat}
                assert values == {number}, (model.name, values)
                seen.add((kind, number))
        assert (path / "notes.txt").read_text() == "mine"
    print(f"{options.count} kills: each left a whole model, {len(seen)} different ones")


if __name__ == "__main__":
    main()
