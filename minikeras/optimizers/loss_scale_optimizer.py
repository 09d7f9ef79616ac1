"""A loss scale that finds itself, for float16."""

import inspect

import jax
import jax.numpy as jnp

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.optimizers.gradients import dense
from minikeras.optimizers.optimizer import Optimizer

# What every optimizer takes, and this one leaves to the inner optimizer.
_COMMON = set(inspect.signature(Optimizer).parameters) - {
    *("learning_rate", "name", "kwargs")
}


def next_scale(scale, counter, growth_steps):
    """After a step with finite gradients: doubled every `growth_steps` of them."""
    grown = counter + 1 == growth_steps
    return jnp.where(grown, scale * 2.0, scale), jnp.where(grown, 0, counter + 1)


class LossScaleOptimizer(Optimizer):
    """The inner optimizer, with a loss multiplied by a scale and gradients divided.

    Small float16 gradients would vanish without it. A step whose gradients are not
    finite is left out and halves the scale.

    Args:
        inner_optimizer: the optimizer; its own `loss_scale_factor` is set to None.
        initial_scale: > 0.
        dynamic_growth_steps: after so many finite steps the scale doubles.
        name: unique by default.

    Raises:
        ValueError: an argument that belongs to the inner optimizer, or no optimizer.

    Source: Micikevicius et al., Mixed Precision Training, 2017.
    """

    def __init__(
        self,
        inner_optimizer,
        initial_scale=2.0**15,
        dynamic_growth_steps=2000,
        name=None,
        **kwargs,
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer: dynamic=False does not exist. For a fixed scale, "
                "set `loss_scale_factor` of the inner optimizer."
            )
        for key in kwargs:
            if key in _COMMON:
                raise ValueError(
                    f"LossScaleOptimizer does not take `{key}`: set it on the "
                    "`inner_optimizer`."
                )
        if kwargs:
            names = ", ".join(f"`{key}`" for key in kwargs)
            raise ValueError(f"LossScaleOptimizer: unknown arguments: {names}.")
        if not isinstance(inner_optimizer, Optimizer):
            raise ValueError(
                "LossScaleOptimizer: `inner_optimizer` must be an optimizer, got "
                f"{inner_optimizer!r}. Try keras.optimizers.get(...) of it."
            )
        super().__init__(0.0, name=name)
        inner_optimizer.loss_scale_factor = None
        self.inner_optimizer = inner_optimizer
        self._mk_set(
            initial_scale=initial_scale, dynamic_growth_steps=dynamic_growth_steps
        )

    def build(self, variables):
        """Create the scale's state, and the inner optimizer's."""
        if self.built:
            return
        super().build(variables)
        self.step_counter = self._mk_counter("step_counter", 0, "int32")
        self.dynamic_scale = self._mk_counter("dynamic_scale", self.initial_scale, None)
        self.inner_optimizer.build(variables)

    @property
    def variables(self):
        """Its own, then the inner optimizer's."""
        return [*self._mk_variables, *self.inner_optimizer.variables]

    def check_finite(self, grads):
        """Are all entries of all gradients finite?"""
        return jnp.all(jnp.array([jnp.all(jnp.isfinite(g)) for g in grads], bool))

    def _mk_update(self, variables, params, grads, state):
        grads = dense(grads)
        paths = self._mk_paths()
        at_scale, at_count = (
            paths[id(v)] for v in (self.dynamic_scale, self.step_counter)
        )
        scale, count = state[at_scale], state[at_count]
        scaled = {
            k: g for k, g in grads.items() if not variables[k].overwrite_with_gradient
        }
        finite = self.check_finite(list(scaled.values()))

        def follow():
            unscaled = {k: g / scale for k, g in scaled.items()}
            return self._mk_update_inner(
                self.inner_optimizer, variables, params, grads | unscaled, state
            )

        params, state = jax.lax.cond(finite, follow, lambda: (params, state))
        grown, counted = next_scale(scale, count, self.dynamic_growth_steps)
        return params, state | {
            at_scale: jnp.where(finite, grown, scale / 2.0),
            at_count: jnp.where(finite, counted, 0),
        }

    def scale_loss(self, loss):
        """loss * scale."""
        scale = self.dynamic_scale if self.built else self.initial_scale
        return loss * scale

    def finalize_variable_values(self, var_list):
        """See the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)

    @property
    def iterations(self):
        """Number of steps that were not left out."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    def get_config(self):
        """The constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new optimizer from `get_config()`, also of older Keras versions."""
        config = {key: value for key, value in config.items() if key not in _COMMON}
        config["inner_optimizer"] = deserialize_keras_object(
            config["inner_optimizer"], custom_objects
        )
        return cls(**config)
