"""Attention: outputs that are averages of values, weighted by likeness."""
