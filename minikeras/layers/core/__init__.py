"""Dense, Embedding and what feeds or wraps other layers."""
