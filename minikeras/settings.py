"""Global settings: float type, epsilon, image layout, logging, safety."""

import os
from typing import Any

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")

DETERMINISM_FLAG = "xla_gpu_deterministic_ops"  # of XLA
_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "nan_tracing": False,
    "op_determinism": False,
    "random_seed": None,
    "traceback_filtering": True,
    "safe_mode": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "memory_limit": None,
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


def is_op_determinism_enabled() -> bool:
    """Are programs compiled so that they give the same bits in each run?"""
    return _settings["op_determinism"]


def enable_op_determinism() -> None:
    """Compile programs on GPUs so that they give the same bits in each run.

    Some operations of GPUs, such as the gradient of an embedding, add in an order that
    changes from run to run, and the fastest kernels are chosen by timing them. Both are
    avoided from here on, which takes time. Call it before the first computation, as
    operations outside of training steps read XLA's flags only once. CPUs and TPUs give
    the same bits anyway. Seeds are set by `keras.utils.set_random_seed`.

    Source: the flag `xla_gpu_deterministic_ops` in xla.proto of OpenXLA.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if DETERMINISM_FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --{DETERMINISM_FLAG}=true".strip()
    _settings["op_determinism"] = True


def disable_op_determinism() -> None:
    """Compile the programs of steps for speed again, from the next model on."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    kept = [flag for flag in flags if DETERMINISM_FLAG not in flag]
    os.environ["XLA_FLAGS"] = " ".join(kept)
    _settings["op_determinism"] = False


def random_seed() -> int | None:
    """The seed that `keras.utils.set_random_seed` was last called with."""
    return _settings["random_seed"]


def note_random_seed(seed: int) -> None:
    """Keep a seed for reports."""
    _settings["random_seed"] = seed


def is_nan_tracing_enabled() -> bool:
    """Does `fit` say where a NaN or an infinity of the loss began?"""
    return _settings["nan_tracing"]


def enable_nan_tracing() -> None:
    """Let `fit` raise FloatingPointError at a loss that is NaN or infinite.

    The error names the layer, the operation, the pass, the step and the rows of the
    batch in which it began. The weights are those before that step. Until then, `fit`
    keeps a copy of its state and the last batches.
    """
    _settings["nan_tracing"] = True


def disable_nan_tracing() -> None:
    """Let `fit` go on with a loss that is NaN."""
    _settings["nan_tracing"] = False


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
    """Is running code from files forbidden? True unless the program allowed it."""
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


def memory_limit() -> int | None:
    """The bytes that a step of `batch_size="auto"` may take; None: what is free."""
    return _settings["memory_limit"]


def set_memory_limit(memory_limit: int | None) -> None:
    """Limit the memory that `batch_size="auto"` fills with a step.

    Args:
        memory_limit: bytes > 0, as `summary(memory=…)` counts them; None: what is free
            on the device.

    Raises:
        ValueError: something else.
    """
    is_number = isinstance(memory_limit, (int, float)) and memory_limit > 0
    if memory_limit is not None and (memory_limit is True or not is_number):
        raise ValueError(
            "set_memory_limit: expected a number of bytes > 0, such as 4 * 2**30, or "
            f"None, got {memory_limit!r}."
        )
    _settings["memory_limit"] = None if memory_limit is None else int(memory_limit)


def enable_flash_attention() -> None:
    """Let attention use cuDNN's fused kernel wherever it can run, as at start."""
    _settings["flash_attention"] = None


def disable_flash_attention() -> None:
    """Never use a fused attention kernel unless a call asks for it."""
    _settings["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """None: fused kernels are used wherever they can run; False: never."""
    return _settings["flash_attention"]
