"""Compiled programs on disk: the second run of a script compiles very little."""

import contextlib
import hashlib
import os
import platform

# Entries of the compilation cache, above which the oldest half is deleted. JAX itself
# deletes none, and scripts that change leave programs that nobody loads again.
_MOST_PROGRAMS = 4096


def enable_compilation_cache(directory: str | None = None) -> None:
    """Keep compiled programs on disk, so that the next run of a script loads them.

    On at import, unless the environment has `MINIKERAS_CACHE=0`, or the user has
    set up JAX's own cache. Compiled programs are code: only the user may read and write
    the folder.

    Args:
        directory: path of the folder; None: `minikeras` in the user's cache folder.

    Raises:
        OSError: the folder cannot be made, or belongs to somebody else.
    """
    import jax

    if directory is None:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        directory = os.path.join(home, "minikeras", f"programs-{_machine()}")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and os.stat(directory).st_uid != os.getuid():
        raise PermissionError(
            f"enable_compilation_cache: {directory!r} belongs to another user, who "
            "could put any code there. Choose a folder of your own."
        )
    _prune(directory)
    jax.config.update("jax_compilation_cache_dir", directory)
    # JAX keeps programs that took a second to compile; most of a first epoch's took
    # less. With 0.05 s, a second run of an MLP's first epoch took 0.58 s, not 1.45.
    if jax.config.jax_persistent_cache_min_compile_time_secs == 1.0:  # pyright: ignore
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)


def disable_compilation_cache() -> None:
    """Compile again in each run; call it before anything is compiled."""
    import jax

    jax.config.update("jax_compilation_cache_dir", None)


def _machine() -> str:
    """A name for the processor: another may lack instructions that programs use."""
    facts = platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo", "rb") as file:
        lines = file.read(8192).split(b"\n\n")[0].splitlines()
        facts += str([x for x in lines if x.startswith((b"flags", b"model name"))])
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def _prune(directory: str) -> None:
    """Delete the oldest half of the programs if there are too many."""
    names = os.listdir(directory)
    if len(names) <= _MOST_PROGRAMS:
        return
    paths = [os.path.join(directory, name) for name in names]
    with contextlib.suppress(OSError):  # another run may be deleting, too
        for path in sorted(paths, key=os.path.getmtime)[: len(paths) // 2]:
            os.remove(path)


def _enable_cache_by_default() -> None:
    """Turn the cache on, unless the environment or the user's settings forbid it."""
    import jax

    if os.environ.get("MINIKERAS_CACHE", "1").lower() in ("0", "off", "false"):
        return
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore
        # Without a home, or on a disk that is read-only, programs are compiled again.
        with contextlib.suppress(OSError):
            enable_compilation_cache()


_enable_cache_by_default()
