"""What JAX computes on: the one place that asks."""

import jax


def platform() -> str:
    """Name of the default platform: `"cpu"`, `"gpu"` or `"tpu"`."""
    return jax.default_backend()


def is_cpu() -> bool:
    """Do programs run on the CPU, which reads numpy's memory in place?"""
    return platform() == "cpu"


def memory_limit() -> int:
    """Bytes of memory of the first device; 0 where JAX does not know it."""
    memory = jax.local_devices()[0].memory_stats() or {}
    return memory.get("bytes_limit", 0)
