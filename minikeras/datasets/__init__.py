"""Small data sets, returned as `(x_train, y_train), (x_test, y_test)`."""

from minikeras.datasets import digits

__all__ = ["digits"]
