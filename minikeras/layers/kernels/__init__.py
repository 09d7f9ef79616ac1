"""What layers read their weight through: as it is stored, or adapted by LoRA."""
