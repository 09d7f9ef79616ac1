"""Layers of numbers and categories."""
