"""Fuzzed files: valid ones with random changes, through all doors.

`python -m tests.stress.fuzz_files --count 20000 --seed 0 [--jobs 2]`

A file is read, or a FileError says why not; without a file, a ValueError or TypeError.
Anything else is a fault: another error, a crash, 5 seconds, 1 GiB more memory, a file
outside. Processes of their own read the files; where one ends, the next takes over.
`--show NUMBER` makes a case again and reads it in this process; `--keep` keeps it.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings

SECONDS, GROWTH = 5, 1 << 30


# Valid files.


def _models(keras):
    """Small models of all kinds, by name."""
    layers, ops = keras.layers, keras.ops
    dense = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, "relu", name="a"),
            layers.Dense(2, name="b"),
        ]
    )
    dense.compile("adam", "mse", metrics=["mae", keras.metrics.AUC(num_thresholds=5)])
    dense.optimizer.build(dense.trainable_variables)
    x = keras.Input((4, 3), name="x")
    shared = layers.Dense(3, name="shared", kernel_regularizer="l2")
    y = shared(x) + ops.sum(shared(shared(x))[:, 1:], axis=1, keepdims=True)
    graph = keras.Model(x, [layers.Flatten()(y), layers.Concatenate()([x, y])])
    graph.compile(keras.optimizers.SGD(0.1, momentum=0.5), ["mse", "mae"])
    words = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Embedding(6, 2, mask_zero=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.RNN([layers.GRUCell(2), layers.SimpleRNNCell(1)]),
        ]
    )
    images = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(2, 2, name="c"),
            layers.BatchNormalization(),
            layers.SpectralNormalization(layers.Conv2D(1, 2)),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
        ]
    )
    q, k = keras.Input((3, 4)), keras.Input((2, 4))
    attention = layers.MultiHeadAttention(2, 2)(q, k, k)
    inner = keras.Sequential([keras.Input((3, 4)), layers.LayerNormalization()])
    nested = keras.Model({"q": q, "k": k}, {"out": inner(attention)}, name="nested")
    texts = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot"),
            layers.Normalization(mean=[1.0] * 3, variance=[2.0] * 3),
            layers.Discretization([0.0, 1.0]),
        ]
    )
    return {name: model for name, model in locals().items() if hasattr(model, "fit")}


def _old_files(base):
    """Two HDF5 files of Keras 2, in the old and the new layout of groups."""
    training = {"optimizer_config": {"class_name": "SGD", "config": {"lr": 1.0}}}
    training |= {"loss": "mse", "metrics": ["mae"]}

    def fill(file):
        base.fill_legacy(file, training=training)

    return [base.h5_bytes(fill), base.h5_bytes(fill, libver="latest")]


def _compressed(file):
    """Weights in chunks, one of which is compressed."""
    from tests.saving.hostile import base

    base.fill_weights(file)
    del file["layers/dense/vars/0"]
    kernel = base.arrays("a")[0]
    file.create_dataset("layers/dense/vars/0", data=kernel, compression=9)


def _valid(keras, folder):
    """{kind: [(content, model)]} of valid files."""
    from tests.saving.hostile import base

    found = collections.defaultdict(list)
    for name, model in _models(keras).items():
        path = folder / f"{name}.keras"
        model.save(path)
        found["keras"].append((path.read_bytes(), model))
        found["json"].append((json.loads(model.to_json()), model))
        model.save_weights(folder / f"{name}.weights.h5")
        weights = (folder / f"{name}.weights.h5").read_bytes()
        found["weights"].append((weights, model))
        try:
            model.save(folder / f"{name}.h5")
            found["h5"].append(((folder / f"{name}.h5").read_bytes(), model))
        except ValueError:
            pass  # a model that the old layout cannot hold
    dense = found["weights"][0][1]
    found["h5"] += [(data, dense) for data in _old_files(base)]
    found["weights"].append((base.h5_bytes(_compressed), dense))
    return found


# A case.


def _zip_changed(rng, data):
    """A `.keras` file, changed as a whole or in one member."""
    import zipfile

    from tests.saving.hostile import archives, mutations

    if rng.random() < 0.2:
        return mutations.bytes_changed(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[""] = None
    name = rng.choice([*parts, "config.json", "config.json", "model.weights.h5"])
    del parts[""]
    if not name:  # a member less, or twice, or with another name
        chosen = rng.choice([*parts])
        content = parts.pop(chosen)
        new = rng.choice(("../x", "config.json", "x", "assets/x/y", chosen + "/"))
        pairs = [*parts.items(), *rng.choice(([], [(new, content)]))]
    else:
        old = parts[name]
        if rng.random() < 0.2 or not name.endswith((".json", ".h5")):
            parts[name] = mutations.bytes_changed(rng, old)
        elif name.endswith(".json"):
            value = mutations.json_changed(rng, json.loads(old))
            parts[name] = mutations.json_bytes(value)
        else:
            parts[name] = mutations.h5_changed(rng, old)
        pairs = list(parts.items())
    return archives.raw_zip(*(archives.member(*pair) for pair in pairs))


def _h5_file_changed(rng, data):
    from tests.saving.hostile import mutations

    change = mutations.bytes_changed if rng.random() < 0.4 else mutations.h5_changed
    return change(rng, data)


def _reader(keras, kind, content, model, path):
    """The call that reads the content, and whether it reads a file."""
    if kind == "keras":
        path.write_bytes(content)
        return lambda: keras.models.load_model(path)
    if kind == "keras weights":
        path.write_bytes(content)
        return lambda: model.load_weights(path)
    if kind == "skip":
        path = path.with_suffix(".weights.h5")
        path.write_bytes(content)
        return lambda: model.load_weights(path, skip_mismatch=True)
    if kind == "weights":
        path = path.with_suffix(".weights.h5")
        path.write_bytes(content)
        return lambda: model.load_weights(path)
    if kind == "h5":
        path = path.with_suffix(".h5")
        path.write_bytes(content)
        return lambda: keras.models.load_model(path)
    if kind == "h5 weights":
        path = path.with_suffix(".h5")
        path.write_bytes(content)
        return lambda: model.load_weights(path)
    if kind == "editor":
        path.write_bytes(content)
        return lambda: keras.saving.KerasFileEditor(path).summary()
    if kind == "json":
        return lambda: keras.models.model_from_json(content)
    return lambda: keras.saving.deserialize_keras_object(content)


# Which valid file a door takes; doors that read most of a file come more often.
_DOORS = {
    **{"keras": "keras", "weights": "weights", "h5": "h5", "json": "json"},
    **{"keras weights": "keras", "skip": "weights", "h5 weights": "h5"},
    **{"editor": "keras", "object": "json"},
}
_OFTEN = ("keras", "keras", "keras", "h5", "h5", "weights", "json", *_DOORS)


def make(keras, valid, seed, number):
    """(door, changed content, model) of a case: the same for the same numbers."""
    from tests.saving.hostile import mutations

    rng = random.Random(f"{seed} {number}")
    door = rng.choice(_OFTEN)
    content, model = rng.choice(valid[_DOORS[door]])
    if _DOORS[door] == "keras":
        content = _zip_changed(rng, content)
    elif _DOORS[door] == "json":
        content = mutations.json_changed(rng, content)
        if door == "json":
            content = mutations.json_bytes(content)
            if rng.random() < 0.1:
                content = mutations.bytes_changed(rng, content)
    else:
        content = _h5_file_changed(rng, content)
    return door, content, model


def fault(error, door):
    """What is wrong with how a call ended; None: it is as it should be."""
    names = error and [cls.__name__ for cls in type(error).__mro__]
    if error is None or "FileError" in names:
        return None
    if door in ("json", "object") and {"ValueError", "TypeError"} & {*names}:
        return None
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/minikeras/" in f.filename] or frames
    where = f"{own[-1].filename.rpartition('/minikeras/')[2]}:{own[-1].lineno}"
    return f"{door}: {type(error).__name__} at {where}: {str(error)[:150]}"


# The processes.


def work(options):
    """Read cases; print a line for each fault, and one at the begin of each case."""
    import minikeras as keras
    from tests.saving.hostile import watch

    warnings.simplefilter("ignore")
    watch.import_late_ones()
    with tempfile.TemporaryDirectory() as root:
        inside, outside = pathlib.Path(root) / "inside", pathlib.Path(root) / "outside"
        inside.mkdir(), outside.mkdir()
        tempfile.tempdir = str(inside)
        valid = _valid(keras, inside)
        watched = watch.Watch(inside, outside)
        watch.limit_memory(3 * GROWTH)
        for number in range(options.first, options.count, options.step):
            print(number, flush=True)
            door, content, model = make(keras, valid, options.seed, number)
            folder = inside / "case"
            folder.mkdir()
            call = _reader(keras, door, content, model, folder / "m.keras")
            error = None
            watch.forget_peak()
            before = watch.peak_bytes()
            with watch.time_limit(SECONDS), watched() as events:
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        call()
                except Exception as raised:
                    error = raised
            grown = watch.peak_bytes() - before
            found = [fault(error, door)]
            found += [f"{door}: {text}" for text in sorted(set(events))]
            if grown > GROWTH:
                found.append(f"{door}: {grown >> 20} MiB: {str(error)[:150]}")
            for text in found:
                if text:
                    print(json.dumps(text), flush=True)
            shutil.rmtree(folder)


def attend(options, first, faults):
    """Keep a process at work on every `jobs`-th case until all are done."""
    number, step = first, options.jobs
    while number < options.count:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.stress.fuzz_files", "--work"),
                *("--first", str(number), "--step", str(step)),
                *("--count", str(options.count), "--seed", str(options.seed)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # What is compiled is kept by JAX alone, where it is told to.
            env={**os.environ, "MINIKERAS_CACHE": "0"},
        )
        heard, last = [], None
        reader = threading.Thread(target=lambda p=process, h=heard: h.extend(p.stderr))
        reader.start()
        for line in process.stdout:
            if line.startswith('"'):
                faults.append((last, json.loads(line)))
                print(last, faults[-1][1], flush=True)
            else:
                last = int(line)
        code = process.wait()
        reader.join()
        if code == 0:
            return
        if last is None:
            raise RuntimeError("".join(heard)[-2000:])
        ours = [x for x in heard if "/minikeras/" in x or x[:1] not in " FTP"]
        reason = "hang" if any("Timeout" in x for x in heard) else f"crash {code}"
        text = f"{reason}: {(ours or heard or ['?'])[0].strip()[:200]}"
        faults.append((last, text))
        print(last, text, flush=True)
        number = last + step


def show(options):
    """Make one case, keep it if asked, and read it here."""
    import minikeras as keras

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        valid = _valid(keras, folder)
        door, content, model = make(keras, valid, options.seed, options.show)
        print(door, model.name, len(content))
        if options.keep:
            data = (
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            pathlib.Path(options.keep).write_bytes(data)
        print(_reader(keras, door, content, model, folder / "case.keras")())


def main():
    """Run, and print the faults by kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--count", type=int, default=20_000, help="cases")
    add("--seed", type=int, default=0)
    add("--jobs", type=int, default=2, help="processes")
    add("--first", type=int, default=0, help="number of the first case")
    add("--show", type=int, metavar="NUMBER", help="one case, in this process")
    add("--keep", metavar="FILE", help="where `--show` writes the case")
    add("--work", action="store_true", help=argparse.SUPPRESS)
    add("--step", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options)
    if options.show is not None:
        return show(options)
    faults: list = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as threads:
        firsts = range(options.first, options.first + options.jobs)
        list(threads.map(lambda first: attend(options, first, faults), firsts))
    kinds = collections.defaultdict(list)
    for number, text in faults:
        kinds[re.sub(r"'[^']*'|0x\w+|\d+\b(?!:)|/tmp\S*", "…", text)[:110]].append(
            number
        )
    count = options.count - options.first
    print(f"{count} files: {len(faults)} faults, {len(kinds)} kinds")
    for text, numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):6}  {text}  e.g. {numbers[:3]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
