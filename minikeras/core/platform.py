"""The platform that JAX computes on: the only file that asks for it."""

import jax


def platform() -> str:
    """Name of the default platform: `"cpu"`, `"gpu"` or `"tpu"`."""
    return jax.default_backend()


def is_cpu() -> bool:
    """Do programs run on the CPU?"""
    # There XLA reads numpy's memory in place, and convolutions inside of a loop are ten
    # times slower than outside.
    return platform() == "cpu"


def memory_limit() -> int:
    """Bytes of memory of the first device; 0 where JAX does not know them."""
    # CPUs give None, some accelerators a dict without this entry.
    memory = jax.local_devices()[0].memory_stats() or {}
    return memory.get("bytes_limit", 0)
