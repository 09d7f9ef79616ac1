"""What a program runs on: versions, devices and settings, for reports and files."""

import functools
import importlib.metadata
import os
import platform
import sys
from typing import Any

import jax

from minikeras import settings
from minikeras.version import KERAS_VERSION, __version__

_PACKAGES = ("jax", "jaxlib", "numpy", "optax", "h5py", "grain")


def environment() -> dict[str, Any]:
    """Versions, devices and settings that results may depend on, ready for JSON."""
    devices = [d.device_kind for d in jax.local_devices()]
    return {
        "minikeras": __version__,
        "keras_api": KERAS_VERSION,
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
        "system": platform.platform(),
        "devices": {kind: devices.count(kind) for kind in dict.fromkeys(devices)},
        "processes": jax.process_count(),
        "floatx": settings.floatx(),
        "x64": bool(jax.config.jax_enable_x64),  # pyright: ignore
        "matmul_precision": jax.config.jax_default_matmul_precision,  # pyright: ignore
        "op_determinism": settings.is_op_determinism_enabled(),
        "random_seed": settings.random_seed(),
    }


@functools.cache
def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def environment_report() -> str:
    """The environment as text, one line each, to put into a report of a result or bug.

    Versions, devices, settings and the seed are those of `environment()`, which a
    `.keras` file holds, too. Added are processors and the variables of JAX and XLA.

    >>> "jaxlib" in environment_report()
    True
    """
    found = environment() | {"processors": os.cpu_count(), "program": sys.argv[0]}
    variables = {k: v for k, v in os.environ.items() if k.startswith(("JAX_", "XLA_"))}
    lines = {**found, **dict(sorted(variables.items()))}
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {value}" for name, value in lines.items())
