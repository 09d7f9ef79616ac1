"""`keras.preprocessing.sequence`: sequences of one length."""

from minikeras.data.sequences import pad_sequences

__all__ = ["pad_sequences"]
