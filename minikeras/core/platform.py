"""The platform that JAX computes on: the only file that asks for it."""

import contextlib
import math
import os
from typing import Any

import jax
import numpy as np

# Bytes. XLA on a CPU reads a numpy array in place if it starts at such an address.
ALIGNMENT = 64


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


def memory_in_use() -> int:
    """Bytes in use on the first device; 0 where nobody knows them.

    For CPUs, of which JAX tells nothing, those of the process: the resident ones, which
    Linux tells.
    """
    memory = {}
    with contextlib.suppress(NotImplementedError, RuntimeError):  # of some plugins
        memory = jax.local_devices()[0].memory_stats() or {}
    if "bytes_in_use" not in memory:
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return memory.get("bytes_in_use", 0)


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialized array, which XLA reads in place on CPUs if it has 64 KiB."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < 1 << 16:  # XLA's copy takes less time than to find such an address
        return np.empty(shape, dtype)
    memory = np.empty(size + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
