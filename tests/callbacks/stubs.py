"""A stand-in for a model, as far as callbacks look at one."""

import numpy as np


class Optimizer:
    def __init__(self, learning_rate=0.1):
        self._mk_rate = np.float32(learning_rate)

    @property
    def learning_rate(self):
        return self._mk_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._mk_rate = np.float32(value)


class Metric:
    def __init__(self, name, direction=None, metrics=None):
        self.name = name
        self._mk_direction = direction
        if metrics is not None:
            self.metrics = metrics


class Model:
    """Its weights are the number of the epoch they come from."""

    def __init__(self, metrics=()):
        self.metrics = list(metrics)
        self.optimizer = Optimizer()
        self.stop_training = False
        self.weights = None
        self.saved = []

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite=True):
        self.saved.append(str(path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(f"weights {path}")


def train(callback, values, monitor="loss", model=None):
    """Run the hooks of `fit` with these values of one metric; epochs run."""
    model = Model() if model is None else model
    callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin({})
    epochs = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        model.weights = epoch
        callback.on_epoch_end(epoch, {monitor: value})
        epochs.append(epoch)
        if model.stop_training:
            break
    callback.on_train_end({})
    return len(epochs)
