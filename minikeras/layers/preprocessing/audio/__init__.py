"""Layers of audio signals."""
