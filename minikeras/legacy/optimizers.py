"""Optimizers under the names of Keras 1 and 2."""

from minikeras import optimizers as today

adadelta, adagrad, adam, adamax = (
    today.Adadelta,
    today.Adagrad,
    today.Adam,
    today.Adamax,
)
nadam, rmsprop, sgd = today.Nadam, today.RMSprop, today.SGD

__all__ = ["adadelta", "adagrad", "adam", "adamax", "nadam", "rmsprop", "sgd"]
