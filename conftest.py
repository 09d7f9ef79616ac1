"""Settings every test needs before JAX is imported."""

import ctypes
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

# A worker compiles thousands of programs. Most of its memory is what the compiler has
# freed and the C library keeps: of 1.0 GB, 0.65 go back to the system when it is told
# to. The programs themselves are dropped only if that is not enough.
_FIRST_LIMIT, _GROWTH, _PROGRAMS_LIMIT = 1.0e9, 0.4e9, 3.0e9
_limit = [_FIRST_LIMIT]


def _memory():
    """Bytes that the process has in memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Let the garbage collector pass over the tests themselves: a million objects."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _doctest_names(doctest_namespace):
    """Give the examples of docstrings the names that users import: `keras` and `np`."""
    import numpy

    import minikeras

    doctest_namespace |= {"keras": minikeras, "np": numpy}


@pytest.fixture(autouse=True)
def _give_memory_back():
    """Give freed memory back to the system after a test, if the process has grown."""
    yield
    if _memory() > _limit[0]:
        _trim()
        if _memory() > _PROGRAMS_LIMIT:
            import jax

            jax.clear_caches()
            gc.collect()
            _trim()
        _limit[0] = max(_FIRST_LIMIT, _memory() + _GROWTH)


def _trim():
    """Let the C library return its free memory, where it is glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
