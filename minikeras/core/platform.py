"""The platform that JAX computes on: the only file that asks for it."""

import contextlib
import math
import os
import pathlib
from typing import Any

import jax
import numpy as np

from minikeras.core.late_import import late_import

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


def free_memory() -> int | None:
    """Bytes of memory that programs can still take; None where nobody knows.

    On an accelerator those of the first device that JAX may use and does not. On a CPU
    those of the machine, of the process's control group, or below its `RLIMIT_AS`,
    whichever are fewest.
    """
    if not is_cpu():
        stats = jax.local_devices()[0].memory_stats() or {}
        limit = stats.get("bytes_limit")
        return None if limit is None else limit - stats.get("bytes_in_use", 0)
    return min(filter(None, (_of_machine(), _of_group(), _of_process())), default=None)


def _of_machine():
    with contextlib.suppress(OSError), open("/proc/meminfo") as file:
        fields = dict(line.split(":") for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    with contextlib.suppress(ValueError, OSError, AttributeError):  # no Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def _of_group():
    """What the control group of a container, or of a batch system, leaves."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):
            folder = pathlib.Path("/sys/fs/cgroup")
            found = [int((folder / name).read_text()) for name in (limit, used)]
            return max(found[0] - found[1], 1)
    return None


def _of_process():
    with contextlib.suppress(ImportError, OSError):
        resource = late_import("resource")  # not on Windows
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
        if limit != resource.RLIM_INFINITY:
            return max(limit - pages * resource.getpagesize(), 1)
    return None


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialized array, which XLA reads in place on CPUs if it has 64 KiB."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < 1 << 16:  # XLA's copy takes less time than to find such an address
        return np.empty(shape, dtype)
    memory = np.empty(size + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
