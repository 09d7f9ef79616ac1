"""Tell where a piece of text comes from: a model whose input are strings.

    python examples/text_from_folders.py [--epochs 8]

The texts are functions of Python's own library, the classes the packages that they are
from. They are written to files first, a folder for each class.
"""

import argparse
import importlib
import inspect
import pkgutil
import tempfile
from pathlib import Path

import minikeras as keras
from minikeras import layers

PACKAGES = ("asyncio", "email", "unittest")


def functions_of(package):
    """The source of each function and method in a package."""
    folder = importlib.import_module(package).__path__
    for module in pkgutil.iter_modules(folder, f"{package}."):
        if "windows" in module.name or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        owners = [loaded, *(c for _, c in inspect.getmembers(loaded, inspect.isclass))]
        for owner in owners:
            for _, function in inspect.getmembers(owner, inspect.isfunction):
                if function.__module__ == module.name:
                    yield inspect.getsource(function)


def write_texts(folder):
    """Write each function to `folder/package/number.txt`."""
    for package in PACKAGES:
        (folder / package).mkdir()
        for i, source in enumerate(dict.fromkeys(functions_of(package))):
            (folder / package / f"{i}.txt").write_text(source)


def build_model(texts):
    """A classifier of strings: words, their vectors, the mean of these."""
    words = layers.TextVectorization(max_tokens=2000, output_sequence_length=120)
    words.adapt(texts)
    return keras.Sequential(
        [
            keras.Input((), dtype="string"),
            # On the host, in the thread that reads the files. The rest is compiled.
            words,
            layers.Embedding(2000, 32, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.2),
            layers.Dense(len(PACKAGES), activation="softmax"),
        ]
    )


def main(epochs=8):
    """Train, and return the accuracy on texts that the model has not seen."""
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as name:
        write_texts(Path(name))
        train, test = keras.utils.text_dataset_from_directory(
            name, validation_split=0.2, subset="both", seed=1, verbose=False
        )
        model = build_model(train.map(lambda text, label: text))
        optimizer = keras.optimizers.Adam(0.01)
        model.compile(
            optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        model.fit(train, epochs=epochs, verbose=2)
        accuracy = model.evaluate(test, verbose=0)[1]
    print(f"{accuracy:.2%} of the functions are given to the right package.")
    said = model.predict(["await self.loop.sock_recv(sock, n)"], verbose=0)[0]
    print({name: round(float(p), 2) for name, p in zip(PACKAGES, said, strict=True)})
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    main(**vars(parser.parse_args()))
