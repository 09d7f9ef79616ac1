"""Grad-CAM: show which part of an image speaks for the class that a network sees.

    python examples/grad_cam.py [--epochs 5] [--out grad_cam.png]
    python examples/grad_cam.py --weights imagenet --image photo.jpg

The features of the last convolution still have a place. Each of their channels counts
by the mean gradient of the class's score with respect to it; the weighted sum of the
channels, where it is positive, is the heat.

Without `--image` a small network learns which handwritten digit lies somewhere on a
noisy canvas, and explains what it says of canvases with a digit in a corner. With it,
MobileNet explains its best class, one of ImageNet. Drawing needs Matplotlib
(`pip install 'minikeras-jax[plot]'`).

Source: R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
gradient-based localization", arXiv:1610.02391.
"""

import argparse
from pathlib import Path

import jax
import numpy as np

import minikeras as keras
from minikeras import layers, ops
from minikeras.applications import mobilenet

CANVAS, DIGIT = 64, 16


def put_on_canvas(digit, top, left, generator):
    """A canvas (64, 64, 1) of noise in 0..1 with a digit of 16 x 16 pixels on it."""
    canvas = generator.uniform(0, 0.25, (CANVAS, CANVAS, 1))
    place = canvas[top : top + DIGIT, left : left + DIGIT, 0]
    np.maximum(place, digit.repeat(2, axis=0).repeat(2, axis=1) / 16, out=place)
    return canvas.astype("float32")


def put_anywhere(digits, generator):
    """Canvases (n, 64, 64, 1), each with a digit somewhere."""
    places = generator.integers(0, CANVAS - DIGIT + 1, (len(digits), 2))
    pairs = zip(digits, places, strict=True)
    return np.stack([put_on_canvas(d, *place, generator) for d, place in pairs])


def train_network(epochs, generator):
    """A network that tells which digit is on a canvas; it gives scores, no softmax."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [
            keras.Input((CANVAS, CANVAS, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="last"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
    model.fit(put_anywhere(x_train, generator), y_train, epochs=epochs, verbose=2)
    accuracy = model.evaluate(put_anywhere(x_test, generator), y_test, verbose=0)[1]
    print(f"{accuracy:.2%} of the test canvases are read right.")
    return model


def split(model, layer):
    """Two models: images -> features of the layer, and features -> scores."""
    features = model.get_layer(layer).output
    return keras.Model(model.inputs[0], features), keras.Model(features, model.output)


def heat_map(to_features, to_scores, image):
    """Where in an image the reasons for its best class are.

    Args:
        to_features, to_scores: the two halves of a network, of `split`.
        image: array (height, width, channels), scaled as the network wants it.

    Returns:
        Heat (height, width) in 0..1, and the scores (classes,).
    """
    features = to_features(image[None])
    scores = np.asarray(to_scores(features)[0])
    best = scores.argmax()
    gradient = jax.grad(lambda x: to_scores(x)[0, best])(features)
    weights = ops.mean(gradient, axis=(1, 2), keepdims=True)
    heat = ops.relu(ops.sum(features * weights, axis=-1, keepdims=True))
    heat = np.asarray(ops.image.resize(heat, image.shape[:2])[0, ..., 0])
    return heat / max(heat.max(), 1e-9), scores


def draw(path, image, heat, title):
    """The image, and beside it the image below its heat."""
    try:
        import matplotlib
    except ImportError:
        print("Nothing is drawn: pip install 'minikeras-jax[plot]'")
        return
    matplotlib.use("Agg")  # draw to a file, no window needed
    from matplotlib import pyplot as plt

    figure, both = plt.subplots(1, 2, figsize=(8, 4.4), layout="constrained")
    for axes in both:
        axes.imshow(image.squeeze(), cmap="gray")
        axes.set_axis_off()
    both[1].imshow(heat, cmap="inferno", alpha=0.6, vmin=0, vmax=1)
    figure.suptitle(title)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"Drew it to {path}")


def explain_digits(epochs, out):
    """Explain canvases with a digit; returns the share of the heat that is on it."""
    generator = np.random.default_rng(1)
    halves = split(train_network(epochs, generator), "last")
    _, (digits, labels) = keras.datasets.digits.load_data()
    top, left = 4, CANVAS - DIGIT - 4  # in the corner on the upper right
    shares = []
    for digit, label in zip(digits[:12], labels, strict=False):
        canvas = put_on_canvas(digit, top, left, generator)
        heat, scores = heat_map(*halves, canvas)
        on_it = heat[top : top + DIGIT, left : left + DIGIT].sum()
        shares.append(on_it / max(heat.sum(), 1e-9))
        said = f"A {label} that is taken for a {scores.argmax()}"
        print(f"{said}: {shares[-1]:.0%} of the heat is on it.")
        if len(shares) == 1:
            draw(out, canvas, heat, said)
    share = float(np.mean(shares))
    print(f"On {DIGIT**2 / CANVAS**2:.0%} of the canvas is {share:.0%} of the heat.")
    return share


def explain_photo(path, weights, layer, out):
    """Explain the best class of a photo; returns the names of the best classes."""
    # Without softmax: the score of a class does not fall since others rise.
    model = keras.applications.MobileNet(weights=weights, classifier_activation=None)
    size = model.input_shape[1:3]
    photo = keras.utils.load_img(path, target_size=size, interpolation="bilinear")
    photo = keras.utils.img_to_array(photo)
    scaled = mobilenet.preprocess_input(photo.copy())  # it changes the array in place
    heat, scores = heat_map(*split(model, layer), scaled)
    best = mobilenet.decode_predictions(ops.softmax(scores[None]), top=5)[0]
    for _, name, probability in best:
        print(f"{probability:6.1%} {name}")
    draw(out, photo / 255, heat, best[0][1])
    return [name for _, name, _ in best]


def main(
    image=None,
    weights="imagenet",
    layer="conv_pw_13_relu",
    epochs=5,
    out="grad_cam.png",
):
    """Explain bundled pictures, or the user's; returns what the two functions do."""
    keras.utils.set_random_seed(1)
    if image is None:
        return explain_digits(epochs, Path(out))
    return explain_photo(image, weights, layer, Path(out))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="a photo")
    parser.add_argument("--weights", default="imagenet", help='"imagenet" or a file')
    parser.add_argument("--layer", default="conv_pw_13_relu", help="of MobileNet")
    parser.add_argument("--epochs", type=int, default=5, help="of the small network")
    parser.add_argument("--out", default="grad_cam.png", help="where to draw")
    main(**vars(parser.parse_args()))
