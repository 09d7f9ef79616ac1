"""Dense and embedding layers, inputs, masks, and layers that wrap others."""
