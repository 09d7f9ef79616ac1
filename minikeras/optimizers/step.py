"""One step of an optimizer: clipping, decay, the rule, averages, in Keras's order."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from minikeras.core.bridge import apply
from minikeras.core.variable import is_sparse, unique_paths
from minikeras.optimizers import gradients
from minikeras.optimizers.state import OptimizerState


class OptimizerStep(OptimizerState):
    """The step as pure functions on {key: array} dicts; base of `Optimizer`.

    The order is Keras's: unscale and accumulate the gradients, clip them, decay the
    weights, apply the rule, average the weights, apply the constraints.
    """

    update_step: Callable

    def _mk_update(self, variables, params, grads, state):
        """The whole step.

        Args:
            variables: {key: Variable} weights, among those of `build`.
            params, grads: {key: array} their values and gradients.
            state: {path: array}, keys of `unique_paths(self.variables)`.

        Returns:
            (new params, new state).
        """
        if any(map(is_sparse, grads.values())):
            grads = gradients.to_dense(grads)
        paths = self._mk_paths()
        # `count` counts gradients, `iteration` updates. As in Keras, a learning-rate
        # schedule is called with the first, Adam's bias correction with the second.
        count = state[paths[id(self._mk_iterations)]]
        rate = self._mk_rate(count, state.get(paths.get(id(self._mk_learning_rate))))
        if scale := self.loss_scale_factor:
            grads = {
                key: g if variables[key].overwrite_with_gradient else g / scale
                for key, g in grads.items()
            }
        steps = self.gradient_accumulation_steps
        iteration = count // steps if steps else count

        def update(grads, params, state):
            return self._mk_update_once(
                variables, params, grads, state, rate, iteration
            )

        if steps:
            params, state = self._mk_accumulate(
                variables, params, grads, state, count, update
            )
        else:
            params, state = update(grads, params, state)
        if self.use_ema:
            params, state = self._mk_average(variables, params, state, iteration)
        params = {
            key: p if (project := variables[key].constraint) is None else project(p)
            for key, p in params.items()
        }
        return params, state | {paths[id(self._mk_iterations)]: count + 1}

    def _mk_accumulate(self, variables, params, grads, state, count, update):
        """Accumulate the gradients; every n steps, call `update` with their mean."""
        steps = self.gradient_accumulation_steps
        slot_paths = self._mk_slot_paths(
            self._mk_accumulated_gradients, variables, self._mk_paths()
        )
        total, (params, state) = gradients.accumulate(
            {key: state[path] for key, path in slot_paths.items()},
            grads,
            {key for key, v in variables.items() if v.overwrite_with_gradient},
            steps,
            (count + 1) % steps == 0,
            update,
            params,
            state,
        )
        return params, state | {slot_paths[key]: value for key, value in total.items()}

    def _mk_update_once(self, variables, params, grads, state, rate, iteration):
        """Clip, decay, apply the rule; the weights of float8 scales are replaced."""
        replaced = {
            k: g for k, g in grads.items() if variables[k].overwrite_with_gradient
        }
        grads = {k: g for k, g in grads.items() if k not in replaced}
        clipped = self._clip_gradients(list(grads.values()))
        grads = dict(zip(grads, clipped, strict=True))
        own = {key: variables[key] for key in grads}
        decays = {key: self._mk_decay_of(v) for key, v in own.items()}
        old = {key: params[key] for key in grads}
        if any(decay is not None for decay in decays.values()):
            old = gradients.decay_weights(old, decays, rate)
        if self._mk_has_own_update_step():

            def run():
                for key, variable in own.items():
                    self.update_step(grads[key], variable, rate)

            new, state = self._mk_run_on_values(run, own, old, state)
        else:
            new, state = self._mk_apply_rule(own, old, grads, state, rate, iteration)
        return params | new | replaced, state

    def _clip_gradients(self, grads):
        """Clip a list of gradients by norm or value. (Users override this method.)"""
        named = dict(enumerate(grads))
        if self.clipnorm and self.clipnorm > 0:
            named = gradients.clip_by_norm(named, self.clipnorm)
        elif self.global_clipnorm and self.global_clipnorm > 0:
            named = gradients.clip_by_global_norm(named, self.global_clipnorm)
        elif self.clipvalue and self.clipvalue > 0:
            named = gradients.clip_by_value(named, self.clipvalue)
        return list(named.values())

    def _mk_transform(self) -> Any:
        """The update rule, a transformation of `rules.py`; None: there is none."""

    def _mk_apply_rule(self, variables, params, grads, state, rate, iteration):
        """Apply the rule of `_mk_transform`; return (new params, new state)."""
        rule = self._mk_transform()
        if rule is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no rule: override `update_step(gradient, "
                "variable, learning_rate)`."
            )
        paths = self._mk_paths()
        slot_paths = {
            slot: self._mk_slot_paths(column, variables, paths)
            for slot, column in self._mk_slots.items()
        }
        slots = jax.tree_util.tree_map(lambda path: state[path], slot_paths)
        deltas, slots = rule.update(
            grads, slots, params, learning_rate=rate, iteration=iteration
        )
        new = {key: params[key] + delta for key, delta in deltas.items()}
        paths, tree = jax.tree_util.tree_flatten(slot_paths)
        return new, state | dict(zip(paths, tree.flatten_up_to(slots), strict=True))

    def _mk_average(self, variables, params, state, iteration):
        """Move the averages, and every so often put them in the weights' place."""
        averages = self._mk_model_variables_moving_average
        slot_paths = self._mk_slot_paths(averages, variables, self._mk_paths())
        new = gradients.moving_average(
            {key: state[path] for key, path in slot_paths.items()},
            {key: params[key] for key in slot_paths},
            self.ema_momentum,
            iteration,
        )
        if frequency := self.ema_overwrite_frequency:
            now = (iteration + 1) % frequency == 0
            params = params | {k: jnp.where(now, a, params[k]) for k, a in new.items()}
        return params, state | {slot_paths[key]: value for key, value in new.items()}

    def _mk_run_on_values(self, run, variables, params, state):
        """Run code that assigns weights and state; return (params, state)."""
        bound = (dict(variables), unique_paths(self.variables))
        return apply(run, bound, (dict(params), dict(state)))[1]
