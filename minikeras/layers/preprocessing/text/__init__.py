"""Layers of text."""
