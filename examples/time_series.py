"""Forecast a chaotic time series from windows of its past.

    python examples/time_series.py [--epochs 10]

The series is that of Mackey and Glass 1977 (doi:10.1126/science.267326), a model of
the number of blood cells, and a standard test of forecasts.
"""

import argparse

import numpy as np

import minikeras as keras
from minikeras import layers

PAST, AHEAD = 24, 6  # steps that the model sees, and how far ahead it looks


def mackey_glass(steps, delay=17):
    """dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)^10) - 0.1 x(t), by Euler."""
    x = [1.2] * (delay + 1)
    for _ in range(steps + 300):
        past = x[-delay - 1]
        x.append(x[-1] + 0.2 * past / (1 + past**10) - 0.1 * x[-1])
    return np.array(x[-steps:], "float32")


def windows(series, shuffle):
    """Batches of pasts (n, PAST, 1), and of the values that come AHEAD steps later."""
    return keras.utils.timeseries_dataset_from_array(
        series[: -PAST - AHEAD + 1, None],
        series[PAST + AHEAD - 1 :],
        sequence_length=PAST,
        batch_size=64,
        shuffle=shuffle,
        seed=1,
    )


def main(epochs=10):
    """Train, and return the errors of the model and of "it stays as it is"."""
    keras.utils.set_random_seed(1)
    series = mackey_glass(3000)
    train, test = series[:2400], series[2400:]
    model = keras.Sequential([keras.Input((PAST, 1)), layers.GRU(24), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mae")
    model.fit(windows(train, shuffle=True), epochs=epochs, verbose=2)
    error = model.evaluate(windows(test, shuffle=False), verbose=0)
    naive = float(np.mean(np.abs(test[AHEAD:] - test[:-AHEAD])))
    print(f"Mean error {error:.3f}; of the last value as the forecast {naive:.3f}.")
    return error, naive


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    main(**vars(parser.parse_args()))
