"""Layers against overfitting: noise in training, penalties on activations."""
