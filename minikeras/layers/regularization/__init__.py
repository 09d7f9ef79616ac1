"""Layers that are random, or add a loss, while they train."""
