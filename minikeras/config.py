"""Global settings: float type, epsilon, image layout, logging and safety."""

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
}


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


def dtype_policy():
    """The `DTypePolicy` that new layers take by default."""
    from minikeras.core import dtypes

    return dtypes.dtype_policy()


def set_dtype_policy(policy) -> None:
    """Set the default policy: a name such as `"mixed_bfloat16"`, or a policy."""
    from minikeras.core import dtypes

    dtypes.set_dtype_policy(policy)


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
