"""One table of small models, each built and trained by the same lines of code.

A case is a function of the package, `keras` or `minikeras`: it returns a compiled
model and the arguments of `fit`. Between them the cases cross optimizers, schedules,
noise, normalization, regularizers, losses, metrics, callbacks, kinds of models and
sources of data. `cases_stacks.py` and `cases_graphs.py` fill the table.
"""

import numpy as np

CASES = {}


def case(function):
    """Enter a case in the table."""
    CASES[function.__name__] = function
    return function


def data(*shape, seed=0):
    """Random floats, asymmetric and of unequal columns."""
    rng = np.random.default_rng([seed, *shape])
    x = rng.normal(0.3, 1.0, shape) * np.linspace(0.5, 1.5, shape[-1])
    return x.astype("float32")


def classes(rows, count, seed=1):
    """Random labels, the first classes more frequent."""
    rng = np.random.default_rng([seed, rows])
    return np.minimum(rng.geometric(0.5, rows) - 1, count - 1).astype("int32")


def one_hot(labels, count):
    return np.eye(count, dtype="float32")[labels]


ROWS = 44  # with batches of 16: two whole ones and a partial one
# For networks that compile for seconds: no partial batch, also after a split of 0.25.
WHOLE_ROWS = 64
X = data(ROWS, 5)
LABELS = classes(ROWS, 3)
TARGETS = (X @ data(5, 2, seed=3) + data(ROWS, 2, seed=4)).astype("float32")
BINARY = (TARGETS[:, :1] > 0.2).astype("float32")
WEIGHTS = np.linspace(0.2, 2.0, ROWS).astype("float32")
BASE = {"epochs": 5, "batch_size": 16, "verbose": 0}
