"""Layers that move, repeat, cut or pad entries."""
