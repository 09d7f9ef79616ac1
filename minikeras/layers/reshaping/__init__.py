"""Layers that reorder, repeat, crop or pad entries."""
