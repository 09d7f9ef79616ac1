"""Who is measured. Each maker imports what it needs: imports are measured too."""

import importlib.util
import os
from collections.abc import Callable
from typing import NamedTuple


def _keras_style(package):
    def make(name, policy="float32"):
        import importlib

        from compat.bench.keras_style import Contender

        return Contender(importlib.import_module(package), name, policy)

    return make


def _by_hand(name, policy="float32", loops=None):
    from compat.bench.by_hand import LOOPS, Contender

    return Contender(name, policy, loops or LOOPS)


def _torch(name, policy="float32"):
    from compat.bench.torch_style import Contender

    return Contender(name, policy)


class Entry(NamedTuple):
    """One contender.

    Attributes:
        title: how tables call it.
        make: (workload's name, policy) -> a Contender.
        imports: the modules it starts with.
        needs: what must be installed.
        environment: variables of its process.
    """

    title: str
    make: Callable
    imports: tuple[str, ...]
    needs: tuple[str, ...]
    environment: dict[str, str] = {}

    @property
    def jax(self):
        """Does it compute with JAX?"""
        return "jax" in self.needs

    def missing(self):
        """Names of libraries that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


def _keras(title, backend, library):
    environment = {"KERAS_BACKEND": backend}
    needs = ("keras", library)
    return Entry(title, _keras_style("keras"), ("keras",), needs, environment)


CONTENDERS = {
    "ours": Entry("ours", _keras_style("minikeras"), ("minikeras",), ("jax",)),
    "hand": Entry("by hand", _by_hand, ("jax.numpy", "optax"), ("jax", "optax")),
    "keras": _keras("Keras-JAX", "jax", "jax"),
    "tensorflow": _keras("Keras-TF", "tensorflow", "tensorflow"),
    "torch": Entry("PyTorch", _torch, ("torch",), ("torch",)),
    "keras-torch": _keras("Keras-torch", "torch", "torch"),
}


def environment(who, cache=None):
    """Variables of a contender's process.

    Args:
        who: its name.
        cache: folder for compiled programs; None: nothing is kept or found.
    """
    found = {**os.environ, **CONTENDERS[who].environment}
    found["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # several share one GPU
    found["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    found["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if os.environ.get("JAX_PLATFORMS") == "cpu":  # then the others get no GPU either
        found["CUDA_VISIBLE_DEVICES"] = ""
    for name in [name for name in found if "_CACHE" in name]:
        del found[name]
    if cache is None:
        found["MINIKERAS_CACHE"] = "0"
        found["JAX_ENABLE_COMPILATION_CACHE"] = "false"
        return found
    found["XDG_CACHE_HOME"] = str(cache)
    if who != "ours":  # which keeps programs of its own accord, from 0.05 s on
        found["JAX_COMPILATION_CACHE_DIR"] = str(cache)
        found["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.05"
    return found
