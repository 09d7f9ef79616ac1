"""Settings and names of TensorFlow 1: `tf.config`, `tf.Session`, `tf.compat.v1`."""

import contextlib
import logging
import types

import jax
import numpy as np

from minikeras.core.variable import Variable


class Settings:
    """Takes any setting at any depth: they tune TensorFlow's own engine.

    Args:
        *args: not used.
        **kwargs: settings.
    """

    def __init__(self, *args, **kwargs):
        self.__dict__.update(kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = Settings()
        return self.__dict__[name]

    def __call__(self, *args, **kwargs):
        return None


def _devices(device_type=None):
    """JAX's devices of a kind, `"CPU"`, `"GPU"` or `"TPU"`."""
    return [
        types.SimpleNamespace(
            name=f"/physical_device:{d.platform.upper()}:{d.id}",
            device_type=d.platform.upper(),
        )
        for d in jax.devices()
        if device_type in (None, d.platform.upper())
    ]


def _nothing(*args, **kwargs):
    """Nothing: JAX has no such setting."""


_SETTERS = """set_logical_device_configuration set_memory_growth set_visible_devices
    set_soft_device_placement set_virtual_device_configuration enable_op_determinism
    enable_tensor_float_32_execution""".split()
_CONFIG = {name: _nothing for name in _SETTERS} | {
    "LogicalDeviceConfiguration": Settings,
    "VirtualDeviceConfiguration": Settings,
    "functions_run_eagerly": lambda: False,
    "get_visible_devices": _devices,
    "list_logical_devices": _devices,
    "list_physical_devices": _devices,
    "optimizer": Settings(),
    "run_functions_eagerly": _nothing,
    "threading": Settings(),
}
CONFIG = _CONFIG | {"experimental": types.SimpleNamespace(**_CONFIG)}


class Graph:
    """The only graph: functions run as they are called."""

    @contextlib.contextmanager
    def as_default(self):
        """A block that changes nothing."""
        yield self

    finalize = seed = _nothing


class Session:
    """A session whose tensors have their values already.

    Args:
        target: not used.
        graph: not used.
        config: not used: JAX takes memory by `XLA_PYTHON_CLIENT_PREALLOCATE`.
    """

    def __init__(self, target="", graph=None, config=None):
        self.graph = Graph()

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """The values of tensors, as NumPy's arrays.

        Args:
            fetches: tensor, Variable, None, or a tree of them.
            feed_dict: must be empty.
            options: not used.
            run_metadata: not used.
        """
        if feed_dict:
            raise NotImplementedError(
                "Session.run: there are no placeholders to feed. Write the computation "
                "as a function of its inputs, or use keras.backend.function."
            )
        if isinstance(fetches, (list, tuple)):
            return type(fetches)(self.run(x) for x in fetches)
        if isinstance(fetches, dict):
            return {k: self.run(x) for k, x in fetches.items()}
        is_value = isinstance(fetches, (jax.Array, Variable, np.ndarray))
        return np.asarray(fetches)[()] if is_value else fetches

    def as_default(self):
        """A block that changes nothing."""
        return contextlib.nullcontext(self)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    close = _nothing


_LOGGER = logging.getLogger("tensorflow")
LOGGING = {
    name: getattr(logging, name) for name in "DEBUG INFO WARN ERROR FATAL".split()
} | {
    "set_verbosity": _LOGGER.setLevel,
    "get_verbosity": _LOGGER.getEffectiveLevel,
    **{n: getattr(_LOGGER, n) for n in "debug info warning warn error fatal".split()},
}
AUTOGRAPH = {
    "experimental": types.SimpleNamespace(
        do_not_convert=lambda func=None: func or (lambda f: f)
    ),
    "set_verbosity": _nothing,
}


def gpu_device_name():
    """ "/device:GPU:0" if JAX has a GPU, else ""."""
    return "/device:GPU:0" if _devices("GPU") else ""


TEST = {
    "gpu_device_name": gpu_device_name,
    "is_built_with_cuda": lambda: bool(_devices("GPU")),
    "is_gpu_available": lambda *args, **kwargs: bool(_devices("GPU")),
}
# Names that TensorFlow 1 had at its top.
FUNCTIONS = {
    name: _nothing
    for name in """disable_eager_execution disable_v2_behavior enable_eager_execution
    enable_v2_behavior global_variables_initializer initialize_all_variables
    local_variables_initializer reset_default_graph tables_initializer""".split()
} | {
    "ConfigProto": Settings,
    "GPUOptions": Settings,
    "InteractiveSession": Session,
    "OptimizerOptions": Settings,
    "RunOptions": Settings,
    "Session": Session,
    "executing_eagerly": lambda: True,
    "get_default_graph": Graph,
    "get_default_session": Session,
    "get_logger": lambda: _LOGGER,
}
