"""Layers that reduce windows of images and sequences."""
