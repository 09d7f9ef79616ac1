"""LossScaleOptimizer: a loss scale that adapts itself, for float16."""

import inspect

import jax
import jax.numpy as jnp

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.optimizers.gradients import to_dense
from minikeras.optimizers.optimizer import Optimizer

# Arguments of all optimizers that here belong to the inner optimizer.
_INNER_ARGUMENTS = set(inspect.signature(Optimizer).parameters)
_INNER_ARGUMENTS -= {"learning_rate", "name", "kwargs"}


def next_scale(scale, counter, growth_steps):
    """(scale, counter) after a step with finite gradients.

    The scale is doubled after `growth_steps` such steps in a row.
    """
    grown = counter + 1 == growth_steps
    return jnp.where(grown, scale * 2.0, scale), jnp.where(grown, 0, counter + 1)


class LossScaleOptimizer(Optimizer):
    """Multiply the loss by a scale, and divide the gradients by it.

    Without it, gradients below 6e-8 are 0 in float16. A step whose gradients are not
    all finite is skipped and halves the scale.

    Args:
        inner_optimizer: the `Optimizer` that updates the weights; its own
            `loss_scale_factor` is set to None.
        initial_scale: > 0; the first scale.
        dynamic_growth_steps: number of finite steps in a row that double the scale.
        name: name of the optimizer; by default the class name in snake case, made
            unique.
        **kwargs: none; other arguments of optimizers belong to `inner_optimizer`.

    Raises:
        ValueError: `inner_optimizer` is no optimizer, or an argument belongs to it.

    Source: Micikevicius et al., Mixed Precision Training, 2017.

    >>> sgd = keras.optimizers.SGD(0.1)
    >>> optimizer = keras.optimizers.LossScaleOptimizer(sgd, initial_scale=8.0)
    >>> float(optimizer.scale_loss(0.5))
    4.0
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
            if key in _INNER_ARGUMENTS:
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
        self._mk_store_arguments(
            initial_scale=initial_scale, dynamic_growth_steps=dynamic_growth_steps
        )

    def build(self, variables):
        """Create the scale's state and the inner optimizer's.

        Args:
            variables: list of weights (`Variable`s).
        """
        if self.built:
            return
        super().build(variables)
        self.step_counter = self._mk_add_scalar("step_counter", 0, "int32")
        self.dynamic_scale = self._mk_add_scalar(
            "dynamic_scale", float(self.initial_scale), None
        )
        self.inner_optimizer.build(variables)

    @property
    def variables(self):
        """The scale's Variables, then those of the inner optimizer."""
        return [*self._mk_variables, *self.inner_optimizer.variables]

    def check_finite(self, grads):
        """Return whether all entries of all gradients are finite.

        Args:
            grads: list of arrays.

        Returns:
            Scalar bool array.
        """
        return jnp.all(jnp.array([jnp.all(jnp.isfinite(g)) for g in grads], bool))

    def _mk_update(self, variables, params, grads, state):
        """Unscale the gradients, step if they are finite, and adapt the scale."""
        grads = to_dense(grads)
        paths = self._mk_paths()
        scale_path = paths[id(self.dynamic_scale)]
        count_path = paths[id(self.step_counter)]
        scale, count = state[scale_path], state[count_path]
        scaled = {
            k: g for k, g in grads.items() if not variables[k].overwrite_with_gradient
        }
        finite = self.check_finite(list(scaled.values()))

        def update():
            unscaled = {k: g / scale for k, g in scaled.items()}
            return self._mk_update_inner(
                self.inner_optimizer, variables, params, grads | unscaled, state
            )

        params, state = jax.lax.cond(finite, update, lambda: (params, state))
        grown, counted = next_scale(scale, count, self.dynamic_growth_steps)
        return params, state | {
            scale_path: jnp.where(finite, grown, scale / 2.0),
            count_path: jnp.where(finite, counted, 0),
        }

    def scale_loss(self, loss):
        """Return loss * scale.

        Args:
            loss: scalar array.
        """
        scale = self.dynamic_scale if self.built else self.initial_scale
        return loss * scale

    def finalize_variable_values(self, var_list):
        """Let the inner optimizer replace weights by their moving averages.

        Args:
            var_list: list of weights (`Variable`s).
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    @property
    def iterations(self):
        """Number of steps that were not skipped."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make an optimizer from a config, also from that of an older Keras version.

        Args:
            config: dict as `get_config()` returns it.
            custom_objects: {name: class or function} of your own that it names.
        """
        config = {
            key: value for key, value in config.items() if key not in _INNER_ARGUMENTS
        }
        config["inner_optimizer"] = deserialize_keras_object(
            config["inner_optimizer"], custom_objects
        )
        return cls(**config)
