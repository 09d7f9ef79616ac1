"""Public data sets, returned as `(x_train, y_train), (x_test, y_test)`.

All but `digits` are downloaded, into the cache that Keras uses too.
"""

from minikeras.datasets import boston_housing
from minikeras.datasets import california_housing
from minikeras.datasets import cifar10
from minikeras.datasets import cifar100
from minikeras.datasets import digits
from minikeras.datasets import fashion_mnist
from minikeras.datasets import imdb
from minikeras.datasets import mnist
from minikeras.datasets import reuters
from minikeras.datasets.tfds import from_tfds

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "from_tfds",
    "imdb",
    "mnist",
    "reuters",
]
