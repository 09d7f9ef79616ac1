"""Learn from a table of mixed columns: numbers, categories, and crosses of them.

    python examples/table.py [--epochs 20]

The table describes the files of Python's own library: package, size, length of the
lines, first word. The question: does a file define a class?
"""

import argparse
import re
import sysconfig
from pathlib import Path

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.data import Dataset


def read_table():
    """Columns {name: list}, and the labels: does the file define a class?"""
    table = {"package": [], "kilobytes": [], "imports": [], "width": [], "start": []}
    labels = []
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if "site-packages" in path.parts or "test" in str(path.relative_to(root)):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        if lines:
            table["package"].append(path.relative_to(root).parts[0].split(".")[0])
            table["kilobytes"].append(len(text) / 1000)
            table["imports"].append(min(len(re.findall(r"^import", text, re.M)), 9))
            table["width"].append(float(np.mean([len(line) for line in lines])))
            table["start"].append(lines[0][:1])
            labels.append(float(bool(re.search(r"^class ", text, re.M))))
    return table, labels


def build_model(space):
    """A network on the encoded columns; its inputs are the raw ones."""
    x = layers.Dense(32, activation="relu")(space.get_encoded_features())
    x = layers.Dropout(0.3)(x)
    return keras.Model(space.get_inputs(), layers.Dense(1, activation="sigmoid")(x))


def main(epochs=20):
    """Train, and return the accuracy on every fifth file."""
    keras.utils.set_random_seed(1)
    rows = Dataset.from_tensor_slices(read_table())
    test = rows.shard(5, 0).batch(64)
    train = rows.enumerate().filter(lambda i, row: i % 5 != 0).map(lambda i, row: row)
    train = train.cache().shuffle(5000).batch(32)
    space = keras.utils.FeatureSpace(
        {
            "package": "string_hashed",
            "kilobytes": keras.utils.FeatureSpace.float_discretized(num_bins=20),
            "imports": "integer_categorical",
            "width": "float_normalized",
            "start": "string_categorical",
        },
        crosses=[("imports", "start")],
    )
    space.adapt(train.map(lambda columns, label: columns))
    model = build_model(space)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(train, epochs=epochs, verbose=2)
    accuracy = model.evaluate(test, verbose=0)[1]
    print(f"{accuracy:.2%} of the files are judged right.")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
