"""Attention layers: outputs are averages of values, weighted by similarity."""
