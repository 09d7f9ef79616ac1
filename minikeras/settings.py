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
# Those that `clear_session()` sets back; the others are the program's.
_SESSION_SETTINGS = """interactive_logging traceback_filtering safe_mode flash_attention
    dtype_policy""".split()
_OF_A_SESSION = {name: _settings[name] for name in _SESSION_SETTINGS}


def _choose(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}: expected one of {list(allowed)}, got {value!r}.")
    _settings[name] = value


def backend() -> str:
    """Name of the array library: always `"jax"`."""
    return "jax"


def set_backend(backend: str) -> None:
    """Accepts "jax" only: minikeras has one backend."""
    if backend != "jax":
        raise ValueError(
            f"set_backend: minikeras computes with JAX alone, got {backend!r}. "
            "Expected 'jax'."
        )


def is_nnx_enabled() -> bool:
    """Are variables those of flax's nnx? Never."""
    return False


def floatx() -> str:
    """Default float dtype of weights and inputs, `"float32"` at start."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    `"float64"` needs JAX's 64-bit mode: `jax.config.update("jax_enable_x64", True)`.

    Raises:
        ValueError: unknown dtype, or float64 while JAX would truncate it.
    """
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
    """Set the small number that keeps divisions finite."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Default image layout: `"channels_last"` or `"channels_first"`."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout."""
    _choose("image_data_format", str(data_format).lower(), _LAYOUTS)


def standardize_data_format(data_format: str | None) -> str:
    """`None` -> the default layout; otherwise the checked, lower-case name."""
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in _LAYOUTS:
        raise ValueError(
            f"data_format: expected one of {list(_LAYOUTS)} or None, "
            f"got {data_format!r}."
        )
    return name


def default_dtype_policy():
    """The `DTypePolicy` that was set for new layers; None: they follow `floatx()`."""
    return _settings["dtype_policy"]


def set_default_dtype_policy(policy) -> None:
    """Set the `DTypePolicy` of new layers; None: they follow `floatx()`."""
    _settings["dtype_policy"] = policy


def reset_session() -> None:
    """Set back the settings that `clear_session()` sets back."""
    _settings.update(_OF_A_SESSION)


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
    """Are JAX's internal frames hidden in tracebacks?"""
    return _settings["traceback_filtering"]


def enable_traceback_filtering() -> None:
    """Hide internal frames in tracebacks."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Show every frame in tracebacks."""
    _settings["traceback_filtering"] = False


def enable_unsafe_deserialization() -> None:
    """Let files run code (Lambda bytecode) when they are loaded. Trust them first."""
    _settings["safe_mode"] = False


def is_safe_mode() -> bool:
    """Is loading safe unless a caller says otherwise? Unset means safe."""
    return _settings["safe_mode"] is not False


def max_epochs() -> int | None:
    """Upper bound on the epochs of any `fit`, or None."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Cap the epochs of every `fit` (for smoke tests of long scripts)."""
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """Upper bound on the steps of any epoch, or None."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Cap the steps of every epoch (for smoke tests of long scripts)."""
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


# Entries of the compilation cache, above which the oldest half is deleted.
_MOST_PROGRAMS = 4096


def enable_compilation_cache(directory: str | None = None) -> None:
    """Keep compiled programs on disk: the next run of a script does not compile.

    On at import, unless the environment has `MINIKERAS_CACHE=0`, or the user has
    set up JAX's own cache. Compiled programs are code: the folder is the user's alone.

    Args:
        directory: where; by default `minikeras` in the user's cache folder.

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
    # JAX keeps what took a second to compile; much of a first epoch took less.
    if jax.config.jax_persistent_cache_min_compile_time_secs == 1.0:  # pyright: ignore
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)


def disable_compilation_cache() -> None:
    """Compile anew in each run; call it before anything is compiled."""
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
    names = os.listdir(directory)
    if len(names) <= _MOST_PROGRAMS:
        return
    paths = [os.path.join(directory, name) for name in names]
    with contextlib.suppress(OSError):  # another run may be deleting, too
        for path in sorted(paths, key=os.path.getmtime)[: len(paths) // 2]:
            os.remove(path)


def _cache_as_the_environment_says() -> None:
    import jax

    if os.environ.get("MINIKERAS_CACHE", "1").lower() in ("0", "off", "false"):
        return
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore
        with contextlib.suppress(OSError):
            enable_compilation_cache()


_cache_as_the_environment_says()
