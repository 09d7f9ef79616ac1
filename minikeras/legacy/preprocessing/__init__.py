"""Text, sequences and images as Keras 1 and 2 preprocessed them."""

from minikeras.legacy.preprocessing import image
from minikeras.legacy.preprocessing import sequence
from minikeras.legacy.preprocessing import text

__all__ = ["image", "sequence", "text"]
