"""Two modules run alike: their values, draws, exceptions; a model trained on each."""

import random
import re
import warnings

import numpy as np


def plain(value):
    """Lists in place of arrays, with the dtype; views of pandas become arrays."""
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "dtype"):
        value = np.asarray(value)
        return value.shape, str(value.dtype), value.tolist()
    return value


def outcome(function, module):
    """The result, both generators' next draws, and the kind of an exception."""
    np.random.seed(3)
    random.seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = plain(function(module))
        except Exception as error:
            result = type(error)
    return result, np.random.random(), random.random()


def assert_same(function, theirs, ours):
    """Run both; returns what came out."""
    expected = outcome(function, theirs)
    assert outcome(function, ours) == expected
    return expected[0]


def train(package, batches):
    """The losses of two epochs."""
    package.utils.set_random_seed(1)
    layers = package.layers
    stack = [layers.Input(batches[0][0].shape[1:]), layers.Flatten(), layers.Dense(3)]
    model = package.Sequential(stack)
    model.compile("sgd", "mse")
    return model.fit(batches, epochs=2, verbose=0).history["loss"]


def as_id(x):
    """An id without addresses, which differ between the processes of pytest-xdist."""
    return re.sub(r" at 0x\w+", "", str(x))
