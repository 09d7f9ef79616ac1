"""What `compile` was given, in files."""

import warnings

from minikeras.core import registry
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)


class CompileConfig:
    """Mix-in of Trainer."""

    def get_compile_config(self):
        """The arguments of `compile`, for a file; None before it."""
        if self.compiled:
            given = dict(self._mk_compile_config, optimizer=self.optimizer)
            return {key: _serialized(value) for key, value in given.items()}
        return None

    def compile_from_config(self, config):
        """`compile` as `get_compile_config()` says."""
        if self._mk_overrides("compile") and not self._mk_has_own_config():
            warnings.warn(
                "The model overrides `compile()`: call it yourself, or define "
                "`compile_from_config()`, to train the loaded model.",
                stacklevel=2,
            )
            return
        if not config:
            return
        config = dict(config)
        for key, family in (
            ("optimizer", "optimizers"),
            ("loss", "losses"),
            ("metrics", "metrics"),
            ("weighted_metrics", "metrics"),
        ):
            config[key] = deserialize_keras_object(
                config.get(key), family=registry.family(family)
            )
        self.compile(**config)
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def _mk_has_own_config(self):
        return self._mk_overrides("get_compile_config")


def _serialized(value):
    """For the compile config: public functions by name, objects by config."""
    if isinstance(value, dict):
        return {key: _serialized(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_serialized(item) for item in value]
    return serialize_keras_object(value)
