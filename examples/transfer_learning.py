"""Let a network that has learnt one thing learn another from few images.

    python examples/transfer_learning.py [--few 10] [--epochs 4]
    python examples/transfer_learning.py --folder photos --weights imagenet --few 20

`--folder` holds a folder of images for each class. Without it, handwritten digits are
written to such folders: a small network learns 0 to 4 from many images, and then 5 to 9
from a few of each. Three ways to learn these are compared:

- frozen: a new top learns, on features of the trained network that stay as they are;
- fine-tuned: then the last layers of the network learn, too, in small steps;
- from scratch: the same network with random weights learns as long as both together.

The digits are easy: with five times as many epochs the last way comes near. With a few
photos it does not.

`--weights` is "imagenet", or a file of the small network's weights, such as `--save`
keeps.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.applications import mobilenet
from minikeras.data import AUTOTUNE, Dataset


class Base(NamedTuple):
    """What a network gives features: MobileNet's size, and where they come from."""

    alpha: float
    size: int
    layer: str
    pooling: type


# Late features of a network of five classes know little else: inner ones are better.
# Those of a network of a thousand classes serve most things.
SMALL = Base(0.25, 32, "conv_pw_4_relu", layers.Flatten)
IMAGENET = Base(1.0, 224, "conv_pw_13_relu", layers.GlobalAveragePooling2D)


def write_digits(folder, digits):
    """Write the digits of some classes to `folder/digit_label/number.png`."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    images, labels = (
        np.concatenate([x_train, x_test]),
        np.concatenate([y_train, y_test]),
    )
    for i in np.flatnonzero(np.isin(labels, digits)):
        path = folder / f"digit_{labels[i]}" / f"{i:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, images[i][..., None] * 15.0, scale=False)


def find_images(folder, few=None):
    """The files of each class, mixed: the first few ones, and at most 150 others."""
    chosen, others = [], []
    for place in sorted(p for p in Path(folder).iterdir() if p.is_dir()):
        files = sorted(p for p in place.iterdir() if not p.name.startswith("."))
        files = [files[i] for i in np.random.permutation(len(files))]
        chosen.append(files[:few])
        others.append(files[len(chosen[-1]) :][:150])
    return chosen, others


def read_images(classes, size, train=False):
    """A data set of (images, labels), scaled for MobileNet, in batches of 10."""

    def read(path, label):
        image = keras.utils.load_img(str(path), target_size=(size, size))
        return mobilenet.preprocess_input(keras.utils.img_to_array(image)), label

    paths = [str(path) for files in classes for path in files]
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes])
    images = Dataset.from_tensor_slices((paths, labels))
    images = images.map(read, num_parallel_calls=AUTOTUNE)
    if train:  # files are decoded once, and mixed anew in each epoch
        images = images.cache().shuffle(len(paths))
    return images.batch(10).prefetch(AUTOTUNE)


def build_network(base, weights=None):
    """MobileNet without its top."""
    network = keras.applications.MobileNet(
        alpha=base.alpha,
        input_shape=(base.size, base.size, 3),
        include_top=False,
        weights=weights,
    )
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            # A short training is over before averages with 0.99 have come near the
            # statistics of the data.
            layer.momentum = 0.9
    return network


def add_top(network, pooling, classes, **arguments):
    """A model of a network, called with these arguments, and a top."""
    image = keras.Input(network.input_shape[1:])
    features = pooling()(network(image, **arguments))
    return keras.Model(image, layers.Dense(classes, "softmax")(features))


def train(model, images, epochs, learning_rate):
    """Compile the model, which freezes what is not trainable by now, and train it."""
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, epochs=epochs, verbose=0)


def train_base(path):
    """Let the small network learn the digits 0 to 4, and save its weights."""
    network = build_network(SMALL)
    model = add_top(network, layers.GlobalAveragePooling2D, 5)
    with tempfile.TemporaryDirectory() as folder:
        write_digits(Path(folder), range(5))
        chosen, others = find_images(folder, 150)
        train(model, read_images(chosen, SMALL.size, train=True), 8, 2e-3)
        accuracy = model.evaluate(read_images(others, SMALL.size), verbose=0)[1]
    print(f"Digits 0 to 4, which the base has learnt: {accuracy:.1%}")
    network.save_weights(path)


def compare(folder, base, weights, few, epochs):
    """The accuracies of the three ways, a dict."""
    chosen, others = find_images(folder, few)
    images = read_images(chosen, base.size, train=True)
    test = read_images(others, base.size)
    accuracies = {}

    def features_of(network):
        return keras.Model(network.input, network.get_layer(base.layer).output)

    def note(way, model):
        accuracies[way] = model.evaluate(test, verbose=0)[1]
        print(f"{way}: {accuracies[way]:.1%} of the other images are told right.")

    network = features_of(build_network(base, weights))
    network.trainable = False
    # training=False: batch normalization keeps its statistics, also when it is thawed.
    model = add_top(network, base.pooling, len(chosen), training=False)
    train(model, images, epochs, 1e-2)
    note("frozen", model)

    network.trainable = True
    for layer in network.layers[:-20]:
        layer.trainable = False
    train(model, images, epochs, 5e-4)
    note("fine-tuned", model)

    network = features_of(build_network(base))
    model = add_top(network, base.pooling, len(chosen))
    train(model, images, 2 * epochs, 1e-3)
    note("from scratch", model)
    return accuracies


def main(folder=None, weights=None, few=10, epochs=4, save=None):
    """Compare three ways to learn new classes; returns their accuracies, a dict."""
    keras.utils.set_random_seed(1)
    if weights is None and folder is not None:
        weights = "imagenet"
    with tempfile.TemporaryDirectory() as temporary:
        if weights is None:
            weights = Path(save or Path(temporary, "base.weights.h5"))
            train_base(weights)
        if folder is None:
            folder = Path(temporary, "new")
            write_digits(folder, range(5, 10))
        base = IMAGENET if weights == "imagenet" else SMALL
        return compare(folder, base, weights, few, epochs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="a folder of images for each class")
    parser.add_argument("--weights", help='"imagenet" or a file')
    parser.add_argument("--few", type=int, default=10, help="images of each class")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--save", help="where to keep the weights of the base")
    main(**vars(parser.parse_args()))
