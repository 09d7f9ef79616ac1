"""The progress bar under the module name that Keras has for it."""

from minikeras.callbacks.progbar import Progbar

__all__ = ["Progbar"]
