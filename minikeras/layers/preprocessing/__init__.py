"""Layers that prepare the inputs of a model."""
