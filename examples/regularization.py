"""Four ways against overfitting, compared on digits with some wrong labels.

    python examples/regularization.py [--epochs 60]

A third of the training labels are wrong. A large network learns them all by heart,
the wrong ones too, and pays for it on the test images, whose labels are right.
A penalty on the weights, dropout, batch normalization and stopping early: the table
shows how much each of them helps (one of them does not).
"""

import argparse

import numpy as np

import minikeras as keras
from minikeras import layers


def build_model(penalty=None, dropout=0.0, normalize=False):
    """Two hidden layers of 256 units, with what is to be tried."""
    model = keras.Sequential([keras.Input((8, 8)), layers.Flatten()])
    for _ in range(2):
        model.add(layers.Dense(256, kernel_regularizer=penalty))
        if normalize:
            model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        if dropout:
            model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def early_stopping():
    """Stop when the validation loss has not fallen for ten epochs; go back to it."""
    return keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)


# name -> (arguments of build_model, callbacks)
TRIALS = {
    "nothing": ({}, []),
    "L2 penalty": ({"penalty": keras.regularizers.L2(1e-2)}, []),
    "dropout": ({"dropout": 0.5}, []),
    "batch normalization": ({"normalize": True}, []),
    "early stopping": ({}, [early_stopping]),
    "dropout and normalization": ({"dropout": 0.5, "normalize": True}, []),
}


def load_noisy(share=1 / 3):
    """The digits in [0, 1], a share of the training labels replaced at random."""
    (x_train, y_train), test = keras.datasets.digits.load_data()
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y_train)) < share
    y_train = np.where(
        wrong, (y_train + rng.integers(1, 10, len(y_train))) % 10, y_train
    )
    return (x_train / 16, y_train), (test[0] / 16, test[1])


def main(epochs=60, names=tuple(TRIALS)):
    """Run the trials called `names`; returns {name: test accuracy}."""
    (x_train, y_train), (x_test, y_test) = load_noisy()
    results = {}
    print(f"{'against overfitting':28}{'epochs':>6}{'training':>10}{'test':>8}")
    for name in names:
        options, makers = TRIALS[name]
        keras.utils.set_random_seed(0)  # every trial starts from the same numbers
        model = build_model(**options)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            x_train,
            y_train,
            batch_size=64,
            epochs=epochs,
            validation_split=0.2,
            callbacks=[make() for make in makers],
            verbose=0,
        )
        _, training = model.evaluate(x_train, y_train, verbose=0)
        _, test = model.evaluate(x_test, y_test, verbose=0)
        print(f"{name:28}{len(history.epoch):6}{training:10.1%}{test:8.1%}")
        results[name] = test
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="most passes to make")
    main(parser.parse_args().epochs)
