"""A neuron from scratch: our own layer, trained batch by batch.

    python examples/perceptron.py [--steps 400]

One linear neuron learns to tell odd from even handwritten digits. It is a layer
written by hand, which shows all that a layer needs: weights and a formula.
"""

import argparse

import numpy as np

import minikeras as keras
from minikeras import ops


class Neuron(keras.Layer):
    """sigmoid(x · w + b): (batch, n) -> (batch, 1), the probability of "yes"."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 1), initializer="zeros")
        self.b = self.add_weight(shape=(1,), initializer="zeros")

    def call(self, x):
        return ops.sigmoid(ops.matmul(x, self.w) + self.b)


def load_odd_or_even():
    """Images as rows of 64 numbers in [0, 1]; the label 1 stands for odd."""
    parts = keras.datasets.digits.load_data()
    return [(x.reshape(len(x), 64) / 16, y % 2) for x, y in parts]


def main(steps=400):
    """Train for some steps; returns the test accuracy."""
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = load_odd_or_even()

    model = keras.Sequential([keras.Input((64,)), Neuron()])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.02

    for step in range(1, steps + 1):
        batch = np.random.randint(len(x_train), size=64)  # 64 samples by lot
        loss, accuracy = model.train_on_batch(x_train[batch], y_train[batch])
        if step % 100 == 0:
            print(f"step {step}: loss {loss:.3f}, accuracy {accuracy:.1%}")

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nTest accuracy: {accuracy:.1%}. What the neuron looks for:")
    draw(model.layers[-1].w.numpy().reshape(8, 8))
    return accuracy


def draw(weights):
    """The weights as a picture of text: + speaks for odd, - for even."""
    marks = np.digitize(weights, [-1.5, -0.5, 0.5, 1.5])
    for row in marks:
        print("   ", " ".join("= - · + #".split()[mark] for mark in row))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400, help="batches to train on")
    main(parser.parse_args().steps)
