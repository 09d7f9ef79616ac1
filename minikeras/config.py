"""`keras.config`: the settings of the program, and the default dtype policy."""

from minikeras.compilation_cache import disable_compilation_cache
from minikeras.compilation_cache import enable_compilation_cache
from minikeras.core.dtype_policy import dtype_policy
from minikeras.core.dtype_policy import set_dtype_policy
from minikeras.settings import backend
from minikeras.settings import disable_flash_attention
from minikeras.settings import disable_interactive_logging
from minikeras.settings import disable_nan_tracing
from minikeras.settings import disable_op_determinism
from minikeras.settings import disable_traceback_filtering
from minikeras.settings import enable_flash_attention
from minikeras.settings import enable_interactive_logging
from minikeras.settings import enable_nan_tracing
from minikeras.settings import enable_op_determinism
from minikeras.settings import enable_traceback_filtering
from minikeras.settings import enable_unsafe_deserialization
from minikeras.settings import epsilon
from minikeras.settings import floatx
from minikeras.settings import image_data_format
from minikeras.settings import is_flash_attention_enabled
from minikeras.settings import is_interactive_logging_enabled
from minikeras.settings import is_nan_tracing_enabled
from minikeras.settings import is_nnx_enabled
from minikeras.settings import is_op_determinism_enabled
from minikeras.settings import is_safe_mode
from minikeras.settings import is_traceback_filtering_enabled
from minikeras.settings import max_epochs
from minikeras.settings import max_steps_per_epoch
from minikeras.settings import memory_limit
from minikeras.settings import set_backend
from minikeras.settings import set_epsilon
from minikeras.settings import set_floatx
from minikeras.settings import set_image_data_format
from minikeras.settings import set_max_epochs
from minikeras.settings import set_max_steps_per_epoch
from minikeras.settings import set_memory_limit
from minikeras.settings import standardize_data_format

__all__ = [
    "backend",
    "disable_compilation_cache",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_nan_tracing",
    "disable_op_determinism",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_compilation_cache",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_nan_tracing",
    "enable_op_determinism",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nan_tracing_enabled",
    "is_nnx_enabled",
    "is_op_determinism_enabled",
    "is_safe_mode",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "memory_limit",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "set_memory_limit",
    "standardize_data_format",
]
