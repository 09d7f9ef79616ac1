"""The arguments of `compile` as a config for files."""

import warnings

import jax

from minikeras import optimizers
from minikeras.core import registry
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)


class CompileConfig:
    """Mix-in of Trainer: settings of `compile`, and its arguments as a config."""

    @property
    def run_eagerly(self):
        """Whether the steps run without being compiled."""
        return self._mk_run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value):
        self._mk_run_eagerly = bool(value)

    @property
    def jit_compile(self):
        """Whether the steps are compiled."""
        return self._mk_jit_compile

    @jit_compile.setter
    def jit_compile(self, value):
        self._mk_jit_compile = bool(value)

    def get_compile_config(self):
        """Return the arguments of `compile` as a JSON-ready dict, None without them."""
        if self.compiled:
            arguments = dict(self._mk_compile_config, optimizer=self.optimizer)
            return {key: _serialized(value) for key, value in arguments.items()}
        return None

    def compile_from_config(self, config):
        """Call `compile` with the arguments of a config, and build the optimizer.

        A model that overrides `compile` must override this method or
        `get_compile_config`; otherwise it is left uncompiled, with a warning.

        Args:
            config: dict of `get_compile_config()`, or None.
        """
        if self._mk_overrides("compile") and not self._mk_has_own_config():
            warnings.warn(
                "`compile()` was not called as part of model loading because the "
                "model's `compile()` method is custom. Call it yourself, or define "
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
        """Does a subclass override `get_compile_config`?"""
        return self._mk_overrides("get_compile_config")


def has_loss(loss):
    """Is there any loss in the nested lists and dicts?"""

    def is_leaf(x):
        return x is None or not isinstance(x, (list, tuple, dict))

    leaves = jax.tree_util.tree_leaves(loss, is_leaf=is_leaf)
    return any(leaf is not None for leaf in leaves)


def with_loss_scale(optimizer):
    """The optimizer in a `LossScaleOptimizer`, unless it is None or is one."""
    wrapper = optimizers.LossScaleOptimizer
    if optimizer is None or isinstance(optimizer, wrapper):
        return optimizer
    return wrapper(optimizer, name="loss_scale_optimizer")


def _serialized(value):
    """Objects as configs, public functions by name, in lists and dicts."""
    if isinstance(value, dict):
        return {key: _serialized(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_serialized(item) for item in value]
    return serialize_keras_object(value)
