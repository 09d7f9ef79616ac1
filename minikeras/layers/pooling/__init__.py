"""Pooling layers: they reduce windows of images and sequences."""
