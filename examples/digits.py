"""Train a small convolutional network to read handwritten digits.

    python examples/digits.py [--epochs 15] [--out FOLDER]

Trains on the 1,797 real digits that come with minikeras, saves the model to
`digits.keras`, loads it again, and draws what it learnt to `digits.png`.
"""

import argparse
from pathlib import Path

import numpy as np

import minikeras as keras
from minikeras import layers


def build_model():
    """A convolutional network for 8x8 grey images, about 36,000 weights."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),  # the pixels are integers from 0 to 16
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 8x8 -> 4x4
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),  # 4x4 -> 2x2
            layers.Flatten(),
            layers.Dropout(0.3),  # while training: forget 30 % of the features
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),  # one probability per digit
        ]
    )


def draw(path, images, labels, probabilities, history):
    """Ten digits with what the model says, above the curves of the training."""
    import matplotlib

    matplotlib.use("Agg")  # draw to a file, no window needed
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(9, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.2, 1], hspace=0.06)
    top.suptitle("Ten test digits and what the model takes them for")
    bottom.suptitle("How it learnt")

    for i, axes in enumerate(top.subplots(2, 5).flat):
        axes.imshow(images[i], cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        said = probabilities[i].argmax()
        right = said == labels[i]
        axes.set_title(
            f"{said}" if right else f"{said}, but is {labels[i]}",
            color="seagreen" if right else "crimson",
            weight="bold",
        )
        axes.set_xlabel(f"{probabilities[i].max():.0%} sure", color="dimgray")

    epochs = range(1, len(history["loss"]) + 1)
    curves = bottom.subplots(1, 2)
    for axes, name in zip(curves, ("loss", "accuracy"), strict=True):
        axes.plot(epochs, history[name], label="training", color="tab:blue")
        axes.plot(
            epochs, history[f"val_{name}"], label="validation", color="tab:orange"
        )
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.margins(x=0.02)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    curves[0].set_ylim(bottom=0)
    curves[1].set_ylim(top=1.005)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(epochs=15, out="."):
    """Train, evaluate, save, reload, predict and draw; returns the test accuracy."""
    out = Path(out)
    keras.utils.set_random_seed(0)  # the same weights and batches on every run

    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    print(f"{len(x_train)} training and {len(x_test)} test images of 8x8 pixels")
    # Convolutions expect a last axis of channels: grey images have one.
    x_train, x_test = x_train[..., np.newaxis], x_test[..., np.newaxis]

    model = build_model()
    model.summary()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=2e-3),
        loss="sparse_categorical_crossentropy",  # the labels are integers
        metrics=["accuracy"],
    )
    # A tenth of the training images is kept aside to watch the training with.
    history = model.fit(
        x_train, y_train, batch_size=32, epochs=epochs, validation_split=0.1
    )

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nTest accuracy: {accuracy:.2%} (loss {loss:.3f})")

    model.save(out / "digits.keras")
    restored = keras.models.load_model(out / "digits.keras")
    probabilities = restored.predict(x_test, verbose=0)
    same = np.array_equal(probabilities, model.predict(x_test, verbose=0))
    if not same:
        raise SystemExit("The reloaded model does not predict what the saved one did.")
    print(f"Saved to {out / 'digits.keras'}; the reloaded model predicts the same.")
    print("First test digits:", *y_test[:10])
    print("    the model says:", *probabilities[:10].argmax(axis=-1))

    draw(
        out / "digits.png", x_test[:10, ..., 0], y_test, probabilities, history.history
    )
    print(f"Drew them to {out / 'digits.png'}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15, help="passes over the data")
    parser.add_argument("--out", default=".", help="folder for the files it writes")
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.out)
