"""Prepare and read a set of TensorFlow Datasets, without TensorFlow.

    pip install 'minikeras-jax[datasets]'
    python examples/tfds_set.py [--epochs 10]

The set is made of the handwritten digits that come with minikeras. A set that others
have published is read by the same call, `from_tfds("its name", data_dir=folder)`.
"""

import argparse
import tempfile

import tensorflow_datasets as tfds

import minikeras as keras
from minikeras import layers


class BundledDigits(tfds.core.GeneratorBasedBuilder):
    """How tensorflow-datasets gets the images: it finds this class by its name."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(8, 8, 1)),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        train, test = keras.datasets.digits.load_data()
        return {"train": self.examples(*train), "test": self.examples(*test)}

    def examples(self, images, labels):
        """Number and content of each sample."""
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield i, {"image": image[..., None] * 15, "label": int(label)}

    def _generate_examples(self):
        raise AssertionError("the splits have their own samples")


def main(epochs=10):
    """Train, and return the accuracy on the test images."""
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        train, test = keras.datasets.from_tfds(
            "bundled_digits", split=["train", "test"], data_dir=folder
        )
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Rescaling(1 / 255),
                layers.Flatten(),
                layers.Dense(64, activation="relu"),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        # `fit` reads the samples by number, and shuffles them as it does arrays.
        model.fit(train, batch_size=32, epochs=epochs, verbose=2)
        accuracy = model.evaluate(test, verbose=0)[1]
    print(f"{accuracy:.2%} of the test images are read right.")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    main(**vars(parser.parse_args()))
