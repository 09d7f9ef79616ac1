"""Settings every test needs before JAX is imported."""

import gc
import os
from pathlib import Path

import pytest

# Tests compare with Keras on the CPU; set JAX_PLATFORMS to run them elsewhere.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")
# Most of the suite's time is compilation: programs are kept between runs.
_CACHE = Path(__file__).resolve().parent / ".cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")

# A worker compiles thousands of programs, and JAX keeps them all: up to 4.4 GB. They
# are dropped at the first number of bytes, and again after each further growth.
_FIRST_LIMIT, _GROWTH = 1.6e9, 0.5e9
_limit = [_FIRST_LIMIT]


def _memory():
    """Bytes that the process has in memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True, scope="session")
def _doctest_names(doctest_namespace):
    """Give the examples of docstrings the names that users import: `keras` and `np`."""
    import numpy

    import minikeras

    doctest_namespace |= {"keras": minikeras, "np": numpy}


@pytest.fixture(autouse=True)
def _drop_programs():
    """Drop compiled programs after a test, if the process has grown large."""
    yield
    if _memory() > _limit[0]:
        import jax

        jax.clear_caches()
        gc.collect()
        # The allocator keeps some of the memory: without a new limit every test
        # would drop the programs of the next one.
        _limit[0] = max(_FIRST_LIMIT, _memory() + _GROWTH)
