"""The progress bar, under its public name."""

from minikeras.callbacks.progbar import Progbar

__all__ = ["Progbar"]
