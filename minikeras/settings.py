"""Global settings: float type, epsilon, image layout, logging, safety, caches."""

import contextlib
import hashlib
import os
import platform
from typing import Any

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "traceback_filtering": True,
    "safe_mode": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "flash_attention": None,
    "dtype_policy": None,
}
# `clear_session()` resets these, as in Keras. `floatx`, `epsilon`, the layout and the
# limits stay: a program sets them once, for all of its models.
_SESSION_SETTINGS = """interactive_logging traceback_filtering safe_mode flash_attention
    dtype_policy""".split()
_SESSION_DEFAULTS = {name: _settings[name] for name in _SESSION_SETTINGS}


def _choose(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Set a setting to one of the allowed values; ValueError for others."""
    if value not in allowed:
        raise ValueError(f"{name}: expected one of {list(allowed)}, got {value!r}.")
    _settings[name] = value


def backend() -> str:
    """Name of the array library: always `"jax"`."""
    return "jax"


def set_backend(backend: str) -> None:
    """Check the name of the backend: minikeras has only one.

    Args:
        backend: must be `"jax"`.

    Raises:
        ValueError: another name.
    """
    if backend != "jax":
        raise ValueError(
            f"set_backend: minikeras computes with JAX alone, got {backend!r}. "
            "Expected 'jax'."
        )


def is_nnx_enabled() -> bool:
    """Are Variables those of flax's nnx? Always False."""
    return False


def floatx() -> str:
    """The default float dtype of weights and inputs, `"float32"` at start."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`. The last needs
            JAX's 64-bit mode: `jax.config.update("jax_enable_x64", True)`.

    Raises:
        ValueError: unknown dtype, or float64 while JAX would truncate it.
    """
    # Keras sets float64 without a word and then computes in float32: its issue 18648.
    if value == "float64":
        import jax

        if not jax.config.jax_enable_x64:  # pyright: ignore
            raise ValueError(
                "set_floatx('float64'): JAX is in 32-bit mode and would truncate "
                "every value. Call jax.config.update('jax_enable_x64', True) first."
            )
    _choose("floatx", value, _FLOATS)


def epsilon() -> float:
    """The small number that keeps divisions finite, 1e-7 at start."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions finite.

    Args:
        value: float, 1e-7 at start.
    """
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Default image layout: `"channels_last"` or `"channels_first"`."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout.

    Args:
        data_format: `"channels_last"`, arrays (batch, height, width, channels), or
            `"channels_first"`, arrays (batch, channels, height, width).

    Raises:
        ValueError: another name.
    """
    _choose("image_data_format", str(data_format).lower(), _LAYOUTS)


def standardize_data_format(data_format: str | None) -> str:
    """Check the name of an image layout.

    Args:
        data_format: `"channels_last"` or `"channels_first"` in any case; None: the
            default layout.

    Returns:
        The name in lower case.

    Raises:
        ValueError: another name.

    >>> standardize_data_format("Channels_First")
    'channels_first'
    """
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in _LAYOUTS:
        raise ValueError(
            f"data_format: expected one of {list(_LAYOUTS)} or None, "
            f"got {data_format!r}."
        )
    return name


def default_dtype_policy() -> Any:
    """The `DTypePolicy` that was set for new layers; None: they follow `floatx()`."""
    return _settings["dtype_policy"]


def set_default_dtype_policy(policy: Any) -> None:
    """Set the `DTypePolicy` of new layers; None: they follow `floatx()`."""
    _settings["dtype_policy"] = policy


def reset_session() -> None:
    """Give the settings of a session their first values."""
    _settings.update(_SESSION_DEFAULTS)


def is_interactive_logging_enabled() -> bool:
    """Do progress bars go to standard output (else to `logging`)?"""
    return _settings["interactive_logging"]


def enable_interactive_logging() -> None:
    """Write progress to standard output."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Write progress to the `logging` module."""
    _settings["interactive_logging"] = False


def is_traceback_filtering_enabled() -> bool:
    """Are the library's frames between a call and its error left out of tracebacks?"""
    return _settings["traceback_filtering"]


def enable_traceback_filtering() -> None:
    """Leave the library's frames between a call and its error out of tracebacks."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Show every frame in tracebacks."""
    _settings["traceback_filtering"] = False


def enable_unsafe_deserialization() -> None:
    """Allow files to run code (bytecode of lambdas) when they are loaded.

    Only for files that come from somebody you trust: the code can do anything.
    """
    _settings["safe_mode"] = False


def is_safe_mode() -> bool:
    """Are files kept from running code when they are loaded? True unless allowed."""
    return _settings["safe_mode"] is not False


def max_epochs() -> int | None:
    """The most epochs of any `fit`; None: no limit."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of each `fit`, for quick tests of long scripts.

    Args:
        max_epochs: int; None: no limit.
    """
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """The most steps of any epoch; None: no limit."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of each epoch, for quick tests of long scripts.

    Args:
        max_steps_per_epoch: int; None: no limit.
    """
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


def enable_flash_attention() -> None:
    """Let attention use cuDNN's fused kernel wherever it can run, as at start."""
    _settings["flash_attention"] = None


def disable_flash_attention() -> None:
    """Never use a fused attention kernel unless a call asks for it."""
    _settings["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """None: fused kernels are used wherever they can run; False: never."""
    return _settings["flash_attention"]


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
