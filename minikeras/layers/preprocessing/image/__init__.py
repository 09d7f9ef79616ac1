"""Layers that resize, crop and augment images, with their labels, boxes and masks."""
