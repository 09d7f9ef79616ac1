"""Find the images that look alike: nearest neighbours among the features of a network.

    python examples/features.py
    python examples/features.py --folder photos --weights imagenet

A network that has learnt to tell images apart turns each one into a vector. Images of
the same thing have vectors of nearly the same direction, also of things that the
network was never trained on. `--folder` holds a folder of images for each class.
Without it the script writes handwritten digits to such a folder, and first trains a
small network on other digits.

`--weights` is "imagenet", or a file of weights of the small network without its top.
Images in 0..255 are resized and scaled as the network wants them.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.applications import mobilenet


def write_digits(folder, images, labels):
    """Write each digit to `folder/digit_label/number.png`."""
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"digit_{label}" / f"{i:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, image[..., None] * 15.0, scale=False)


def read_images(folder, size, shuffle=False):
    """A data set of (images, labels), scaled for MobileNet; the paths of its files."""
    images = keras.utils.image_dataset_from_directory(
        folder,
        image_size=(size, size),
        shuffle=shuffle,
        format="minikeras",
        verbose=False,
    )
    scaled = images.map(lambda x, label: (mobilenet.preprocess_input(x), label))
    return scaled, images.file_paths


def build_network(weights):
    """MobileNet without its top; its features are one vector (n, channels)."""
    is_small = weights != "imagenet"
    return keras.applications.MobileNet(
        alpha=0.25 if is_small else 1.0,
        input_shape=(32, 32, 3) if is_small else (224, 224, 3),
        include_top=False,
        pooling="avg",
        weights=weights,
    )


def train(network, images, classes, epochs):
    """Train the network, with a top that is thrown away afterwards."""
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            # A short training is over before averages with 0.99 have come near the
            # statistics of the data.
            layer.momentum = 0.9
    model = keras.Sequential([network, layers.Dense(classes, activation="softmax")])
    optimizer = keras.optimizers.Adam(2e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, epochs=epochs, verbose=2)


def nearest(features, count):
    """Indices (n, count) of the vectors of the nearest directions, nearest first."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)  # nobody is their own neighbour
    return np.argsort(-cosines, axis=1)[:, :count]


def compare(name, features, paths, count):
    """Print neighbours of some images, and return the share of the same class."""
    classes = np.array([Path(path).parent.name for path in paths])
    found = nearest(features, count)
    share = float((classes[found] == classes[:, None]).mean())
    print(f"\n{name}, vectors of {features.shape[1]} numbers:")
    for i in np.linspace(0, len(paths) - 1, 5, dtype=int):
        names = ("/".join(Path(paths[j]).parts[-2:]) for j in (i, *found[i]))
        print("  {} is like {}".format(next(names), ", ".join(names)))
    print(f"  {share:.1%} of the {count} nearest images are of the same class.")
    return share


def main(folder=None, weights=None, layer="conv_pw_6_relu", neighbours=5, epochs=6):
    """Compare images by two kinds of features.

    Returns:
        The share of neighbours of the same class by the network's last features, and
        by those of the inner layer.
    """
    keras.utils.set_random_seed(1)
    if weights is None and folder is not None:
        weights = "imagenet"
    network = build_network(weights)
    size = network.input_shape[1]
    # Functional networks are graphs: any tensor in them can be an output.
    inner = layers.GlobalAveragePooling2D()(network.get_layer(layer).output)
    both = keras.Model(network.input, [network.output, inner])
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            known, others = keras.datasets.digits.load_data()
            folder = Path(temporary, "test")
            write_digits(folder, *others)
            if weights is None:
                write_digits(Path(temporary, "train"), *known)
                images, _ = read_images(Path(temporary, "train"), size, shuffle=True)
                train(network, images, 10, epochs)
        images, paths = read_images(folder, size)
        last, inner = both.predict(images, verbose=0)
    shares = [
        compare("The last features", last, paths, neighbours),
        compare(f"Features of {layer}", inner, paths, neighbours),
    ]
    return shares


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="a folder of images for each class")
    parser.add_argument("--weights", help='"imagenet" or a file')
    parser.add_argument("--layer", default="conv_pw_6_relu", help="an inner layer")
    parser.add_argument("--neighbours", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6)
    main(**vars(parser.parse_args()))
