"""Image layers: minikeras beside Keras on JAX, eager and in `fit`.

    python -m compat.bench.image_layers [--only RandomZoom] [--repeats N] [--fit]

Both take turns in one process, the best turn counts. Eager: one call on a batch, as in
a loop over data. With `--fit`: a step of a small convolutional network that begins with
the layer. In Keras some of these layers keep the whole step from being compiled.
"""

import argparse
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

import minikeras

PACKAGES = {"minikeras": minikeras, "Keras": keras}
SIZE = 64
# {title: arguments}
LAYERS = {
    "AugMix": {},
    "AutoContrast": {},
    "CenterCrop": {"height": 48, "width": 48},
    "ContrastLimitedAdaptiveHistogramEqualization": {},
    "CutMix": {},
    "Equalization": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2, "contrast_factor": 0.2, "saturation_factor": 0.2,
        "hue_factor": 0.2,
    },
    "RandomContrast": {"factor": 0.2},
    "RandomCrop": {"height": 48, "width": 48},
    "RandomElasticTransform": {"factor": 0.9},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {"factor": 0.9},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.2},
    "RandomSharpness": {"factor": 0.5},
    "RandomShear": {"x_factor": 0.2, "y_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.2},
    "Resizing": {"height": 48, "width": 48},
    "Solarization": {},
}  # fmt: skip


def data(rows):
    """Images in 0..255 and one-hot labels."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (rows, SIZE, SIZE, 3)).astype("float32")
    return images, np.eye(4, dtype="float32")[rng.integers(0, 4, rows)]


def eager(package, name, settings):
    """A function that calls the layer on a batch."""
    images, labels = data(16)
    layer = getattr(package.layers, name)(**settings)
    mixes = name in ("CutMix", "MixUp")
    inputs = {"images": images, "labels": labels} if mixes else images

    def run():
        out = layer(inputs, training=True)
        return jax.block_until_ready(out)

    return run, 1


def in_fit(package, name, settings):
    """A function that trains for an epoch, and its steps."""
    images, labels = data(128)
    layers = package.layers
    model = package.Sequential(
        [
            package.Input((SIZE, SIZE, 3)),
            getattr(layers, name)(**settings),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, "softmax"),
        ]
    )
    model.compile("sgd", "categorical_crossentropy")
    return lambda: model.fit(images, labels, batch_size=16, verbose=0), 8


def measure(name, settings, how, repeats):
    """[best milliseconds of each package]."""
    made = [how(package, name, settings) for package in PACKAGES.values()]
    for function, _ in made:
        function()  # compiles
        function()
    best = [float("inf")] * len(made)
    for _ in range(repeats):
        for i, (function, steps) in enumerate(made):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], (time.perf_counter() - start) / steps * 1e3)
    return best


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=LAYERS, default=[*LAYERS])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    how = in_fit if arguments.fit else eager
    what = "ms a step of fit" if arguments.fit else "ms an eager call"
    what += f", 16 images {SIZE} x {SIZE}"
    print(f"{what:46}" + "".join(f"{n:>11}" for n in PACKAGES))
    for name in arguments.only:
        if arguments.fit and name in ("CutMix", "MixUp"):
            continue  # they change the labels, too: only in a data set
        try:
            ours, theirs = measure(name, LAYERS[name], how, arguments.repeats)
        except Exception as error:
            print(f"{name:46} fails: {error}"[:120])
            continue
        print(f"{name:46}{ours:11.2f}{theirs:11.2f}{theirs / ours:9.1f}x", flush=True)


if __name__ == "__main__":
    main()
