"""Data on its way to `fit`: folders of images, text, and augmentation on the host.

    python -m compat.bench.data [folder] [text] [host]

- folder: 2,000 JPEG files to batches, `image_dataset_from_directory` here, beside
  Keras's Grain path (of which `--files` limits the files: it compiles per image size).
- text: TextVectorization of a million words; beside TensorFlow's where a Python with
  it is named by MINIKERAS_TENSORFLOW_PYTHON.
- host: an epoch of an MNIST-sized convolutional network on batches that are augmented
  on the host, beside the same epoch on ready batches: does the device wait?
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np

FILES, SIZE = 2000, (160, 160)
WORDS, ROW = 1_000_000, 100


def write_jpegs(folder, count):
    """Write noise of several sizes as JPEG files, in two folders."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(count):
        path = pathlib.Path(folder, "ab"[i % 2], f"{i}.jpg")
        path.parent.mkdir(exist_ok=True)
        small = rng.integers(0, 255, (15, 20, 3), dtype="uint8")
        size = (200 + 10 * (i % 5), 180 + 10 * (i % 3))
        Image.fromarray(small).resize(size).save(path, quality=90)


def time_of(batches):
    """(seconds, images) of one pass."""
    start, images = time.perf_counter(), 0
    for x, _ in batches:
        images += len(x)
    return time.perf_counter() - start, images


def folder(files_of_keras):
    """Print how many images a second come from a folder."""
    import keras

    import minikeras

    with tempfile.TemporaryDirectory() as name:
        write_jpegs(name, FILES)
        for title, more in (("Pillow", {}), ("simplejpeg", {"decoder": "simplejpeg"})):
            try:
                data = minikeras.utils.image_dataset_from_directory(
                    name, image_size=SIZE, verbose=False, **more
                )
                best = min(time_of(data.batches()) for _ in range(3))
            except ImportError:
                continue
            print(f"minikeras, {title}: {best[1] / best[0]:.0f} images a second")
    with tempfile.TemporaryDirectory() as name:
        write_jpegs(name, files_of_keras)
        data = keras.utils.image_dataset_from_directory(
            name, image_size=SIZE, format="grain", verbose=False
        )
        best = min(time_of(data) for _ in range(2))
        print(f"Keras, Grain: {best[1] / best[0]:.0f} images a second, warm")


def texts():
    """Rows of random words of a vocabulary with Zipf's law."""
    rng = np.random.default_rng(0)
    ranks = np.minimum(rng.zipf(1.3, WORDS), 50_000)
    words = np.char.add("Word", ranks.astype(str))
    return np.array([" ".join(row) + "!" for row in words.reshape(-1, ROW)])


def vectorize(keras):
    """Print how long `adapt` and calls of TextVectorization take."""
    rows = texts()
    batches = [rows[i : i + 500] for i in range(0, len(rows), 500)]
    layer = keras.layers.TextVectorization(20_000, output_sequence_length=ROW)
    start = time.perf_counter()
    layer.adapt(rows)
    adapted = time.perf_counter() - start
    layer(batches[0])
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for batch in batches:
            np.asarray(layer(batch))
        best = min(best, time.perf_counter() - start)
    times = f"adapt {adapted:.2f} s, calls {best:.2f} s"
    print(f"{keras.__name__}: {times}, {WORDS:.0e} words")


def text():
    """`vectorize` here, and in a Python with TensorFlow."""
    import minikeras

    vectorize(minikeras)
    python = os.environ.get("MINIKERAS_TENSORFLOW_PYTHON")
    if python:
        code = "import compat.bench.data as d, keras; d.vectorize(keras)"
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        subprocess.run([python, "-c", code], env={**os.environ, **quiet}, check=True)


def host():
    """Print epochs with and without augmentation on the host."""
    import minikeras as keras
    from minikeras.data import AUTOTUNE, Dataset

    rng = np.random.default_rng(0)
    x = rng.random((12_800, 28, 28, 1), dtype="float32")
    y = rng.integers(0, 10, len(x))
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    augment = keras.Sequential(
        [layers.RandomFlip(), layers.RandomTranslation(0.1, 0.1)]
    )
    plain = Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(128)
    changed = plain.map(lambda a, b: (augment(a, training=True), b), AUTOTUNE)
    contenders = {"arrays": None, "Dataset": plain, "augmented": changed.prefetch(2)}
    best = dict.fromkeys(contenders, float("inf"))
    for turn in range(4):
        for title, data in contenders.items():
            arguments = (
                {"x": x, "y": y, "batch_size": 128} if data is None else {"x": data}
            )
            start = time.perf_counter()
            model.fit(**arguments, verbose=0)
            if turn:
                best[title] = min(best[title], time.perf_counter() - start)
    steps = len(x) // 128
    print(", ".join(f"{t}: {s / steps * 1e3:.2f} ms a step" for t, s in best.items()))
    alone = min(time_of(changed.batches())[0] for _ in range(2))
    print(f"making the augmented batches alone: {alone / steps * 1e3:.2f} ms each")


def main():
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ("folder", "text", "host")
    parser.add_argument("parts", nargs="*", default=parts, choices=[*parts, []])
    parser.add_argument("--files", type=int, default=200, help="for Keras")
    arguments = parser.parse_args()
    if "folder" in arguments.parts:
        folder(arguments.files)
    if "text" in arguments.parts:
        text()
    if "host" in arguments.parts:
        host()


if __name__ == "__main__":
    main()
