"""kill -9 at random moments of saving: a file or folder is the old or the new one.

`python -m tests.stress.kills --count 100 [--kinds file folder]`

What a killed save leaves is deleted by the next. A disk that is full is an error that
names the path, and the old file stays.
"""

import argparse
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

# How each kind saves a model, and the names of its files.
KINDS = {
    "file": ("model.save(path)", "model.keras"),
    "folder": ("model.save(path, zipped=False)", "folder"),
    "h5": ("model.save(path)", "old.h5"),
    "weights": ("model.save_weights(path)", "model.weights.h5"),
    "shards": ("model.save_weights(path, max_shard_size=3e-5)", "model.weights.json"),
    "checkpoint": ("checkpoint(model)", "best.keras"),
    "weight checkpoint": ("checkpoint(model)", "best.weights.h5"),
}
CHILD = """
import sys
import numpy as np
import minikeras as keras
path, number = sys.argv[1], int(sys.argv[2])

def checkpoint(model):
    callback = keras.callbacks.ModelCheckpoint(path, save_weights_only=".w" in path)
    callback.set_model(model)
    callback.on_epoch_end(number, {{}})

while True:
    number += 1
    model = keras.Sequential(
        [keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(4))],
        name=f"number_{{number}}",
    )
    for v in model.weights:
        v.assign(np.full(v.shape, number, "float32"))
    print("begin", flush=True)
    {save}
    print("end", flush=True)
"""


def network(keras):
    """The model of the child, to load weights into."""
    return keras.Sequential(
        [keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(4))]
    )


def load(keras, path, blank):
    """(number, values) of what is at a path; a model of weights has no number."""
    if ".weights" in path.name:
        blank.load_weights(path)
        model = blank
    else:
        model = keras.models.load_model(path)
    values = {float(x) for w in model.get_weights() for x in w.flat}
    assert len(values) == 1, f"{path.name}: {sorted(values)[:5]}"
    (number,) = values
    assert model is blank or model.name == f"number_{number:.0f}", (model.name, values)
    return int(number)


def leftovers(folder):
    """Names of temporary files."""
    return [p.name for p in folder.rglob("*") if p.name.startswith(".")]


def kill_saves(keras, kind, folder, count, rng):
    """Kill processes that save; the numbers of the models that were there."""
    save, name = KINDS[kind]
    path, seen, number, left, begin = folder / name, set(), 0, 0, 0.0
    if kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    blank = network(keras)
    for _ in range(count):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD.format(save=save), str(path), str(number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for expected in ("begin", "end", "begin"):
            assert child.stdout.readline().strip() == expected, f"{kind}: no save"
            if expected == "begin":
                begin = time.perf_counter()
            else:
                seconds = time.perf_counter() - begin
        time.sleep(rng.uniform(0.0, 1.1 * seconds))
        child.kill()
        child.wait()
        number = load(keras, path, blank)
        seen.add(number)
        left += bool(leftovers(folder))
    time.sleep(1.2)  # a younger file may be about to be locked
    tidy(keras, kind, path)
    assert not leftovers(folder), leftovers(folder)
    if kind == "folder":
        assert (path / "notes.txt").read_text() == "mine"
    return seen, left


def tidy(keras, kind, path):
    """One more save, here."""
    model = network(keras)
    if kind == "shards":
        model.save_weights(path, max_shard_size=3e-5)
    elif ".weights" in path.name:
        model.save_weights(path)
    else:
        model.save(path, zipped=False if kind == "folder" else None)


def fill_disk(keras, kind, folder):
    """Save where a file may have 20 kB: what the error says, and what is there."""
    _, name = KINDS[kind]
    path = folder / name
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        tidy(keras, kind, path)
    except OSError as error:
        assert str(folder) in str(error), error  # of a shard: its own name
    else:
        raise AssertionError(f"{kind}: no error on a full disk")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    after = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert before == after, f"{kind}: a save to a full disk changed files"


def main():
    """Kill, load, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS])
    options = parser.parse_args()
    import minikeras as keras

    problems: list = []
    rng, each = random.Random(0), -(-options.count // len(options.kinds))
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            seen, left = kill_saves(keras, kind, folder, each, rng)
            try:
                fill_disk(keras, kind, folder)
            except Exception as error:
                problems.append(f"{kind}, full disk: {error!r}")
        print(
            f"{kind}: {each} kills, each left a whole model, {len(seen)} different "
            f"ones; {left} left temporary files, which the next save deleted",
            flush=True,
        )
    if problems:
        print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
