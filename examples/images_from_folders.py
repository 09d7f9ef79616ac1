"""Read images from folders, a folder for each class, and augment them while training.

    python examples/images_from_folders.py [--epochs 15]

Writes the handwritten digits that come with minikeras to PNG files first, as if
somebody had sorted photos into folders.
"""

import argparse
import tempfile
from pathlib import Path

import minikeras as keras
from minikeras import layers
from minikeras.data import AUTOTUNE


def write_images(folder):
    """Write each digit to `folder/part/class/number.png`."""
    parts = zip(("train", "test"), keras.datasets.digits.load_data(), strict=True)
    for part, (images, labels) in parts:
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            path = folder / part / f"digit_{label}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            keras.utils.save_img(path, image[..., None] * 15.0, scale=False)


def read_images(folder, part):
    """Batches of images (n, 8, 8, 1) in 0..255, and their labels."""
    return keras.utils.image_dataset_from_directory(
        folder / part, color_mode="grayscale", image_size=(8, 8), seed=1, verbose=False
    )


def build_model(classes):
    """A small convolutional network, whose first layers change the images."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            # In training alone; they are part of the step that XLA compiles.
            layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            layers.RandomRotation(0.03, fill_mode="constant"),
            layers.RandomZoom(0.1, fill_mode="constant"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def main(epochs=15):
    """Train, and return the accuracy on the test images."""
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder)
        train = read_images(folder, "train")
        model = build_model(len(train.class_names))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        # Files are decoded once, kept, and mixed anew for each epoch.
        train = train.cache().shuffle(50).prefetch(AUTOTUNE)
        model.fit(train, epochs=epochs, verbose=2)
        accuracy = model.evaluate(read_images(folder, "test"), verbose=0)[1]
    print(f"{accuracy:.2%} of the test images are read right.")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    main(**vars(parser.parse_args()))
