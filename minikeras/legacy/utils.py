"""Utilities that Keras 3 has not."""

import math

from minikeras.core.late_import import late_import
from minikeras.legacy.notices import notice


def probas_to_classes(y_pred):
    """(samples, classes) probabilities -> class numbers; of one output, 0 or 1."""
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return (y_pred > 0.5).astype("int32")


def multi_gpu_model(model, gpus=None, *args, **kwargs):
    """The model itself: it runs on one device, and trains the same."""
    notice("multi_gpu_model", "use keras.distribution; the model runs on one device")
    return model


def HDF5Matrix(datapath, dataset, start=0, end=None, normalizer=None):
    """Rows of a data set of an HDF5 file, as an array.

    Args:
        datapath: path of the file.
        dataset: name of the data set.
        start, end: first row, and the one after the last.
        normalizer: function of the array, or None.
    """
    notice("HDF5Matrix", "read with h5py; all rows are in memory")
    with late_import("h5py").File(datapath, "r") as file:
        array = file[dataset][start:end]
    return array if normalizer is None else normalizer(array)


def count_params(weights):
    """Number of entries of all weights."""
    return sum(math.prod(w.shape) for w in weights)


def print_summary(model, **kwargs):
    """`model.summary()`."""
    model.summary(**kwargs)


categorical_probas_to_classes = probas_to_classes
__all__ = """HDF5Matrix categorical_probas_to_classes count_params multi_gpu_model
    print_summary probas_to_classes""".split()
