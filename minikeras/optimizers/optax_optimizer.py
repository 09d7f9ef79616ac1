"""Any optax gradient transformation as an optimizer."""

import re

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.variable import unique_paths
from minikeras.optimizers.optimizer import Optimizer


class OptaxOptimizer(Optimizer):
    """p + learning_rate u, where u are the updates of an optax transformation.

    The leaves of optax's state are Variables, so they are saved and loaded (by their
    order) like those of other optimizers. A file cannot hold the transformation
    itself: after `load_model`, set `model.optimizer.transformation` again.

    Args:
        transformation: `optax.GradientTransformation` with its own learning rate; None
            if it is set later.
        learning_rate: further factor of the updates, which callbacks can change: float,
            `LearningRateSchedule`, or function of no arguments.
        **settings: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps and name, as in `Optimizer`.

    >>> import optax
    >>> optimizer = keras.optimizers.OptaxOptimizer(optax.sgd(0.5))
    """

    def __init__(self, transformation=None, learning_rate=1.0, **settings):
        super().__init__(learning_rate, **settings)
        self._mk_state_variables, self._mk_loaded_state = [], None
        self._mk_transformation = transformation

    @property
    def transformation(self):
        """The optax transformation. Assigning it restores a state that was loaded."""
        return self._mk_transformation

    @transformation.setter
    def transformation(self, value):
        self._mk_transformation = value
        if self.built and not self._mk_state_variables:
            self._mk_build_slots(self._mk_trainable_variables)
        if self._mk_loaded_state is not None:
            stored, self._mk_loaded_state = self._mk_loaded_state, None
            self.load_own_variables(stored)

    def _mk_build_slots(self, variables):
        """Create a Variable for each leaf of the state of the transformation."""
        if self._mk_transformation is None:
            return
        params = {path: v.value for path, v in unique_paths(variables).items()}
        # A Variable needs a value: `init` must not be traced if `build` is.
        with jax.core.eval_context():
            state = self._mk_transformation.init(params)
        for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]:
            name = "_".join(re.findall(r"\w+", jax.tree_util.keystr(path)))
            leaf = jnp.asarray(leaf)
            self._mk_state_variables.append(
                self.add_variable(
                    leaf.shape,
                    lambda *_, x=leaf, **__: x,
                    leaf.dtype,
                    name=name or "state",
                )
            )

    def _mk_apply_rule(self, variables, params, grads, state, rate, iteration):
        """Apply the transformation; return (new params, new state)."""
        if self._mk_transformation is None:
            raise ValueError(
                f"{self.name!r} was loaded from a file, which cannot hold an optax "
                "transformation: set `model.optimizer.transformation = optax...`, or "
                "compile the model again."
            )
        # optax needs all parameters of `init`: those without a gradient get zeros, and
        # their updates are dropped.
        every = unique_paths(self._mk_trainable_variables)
        key_of = {id(v): key for key, v in variables.items()}
        present = {i: key_of[id(v)] for i, v in every.items() if id(v) in key_of}
        old = {
            i: params[present[i]] if i in present else v.value for i, v in every.items()
        }
        grads = {
            i: grads[present[i]].astype(p.dtype) if i in present else jnp.zeros_like(p)
            for i, p in old.items()
        }
        paths = [self._mk_paths()[id(v)] for v in self._mk_state_variables]
        tree = jax.tree_util.tree_structure(
            jax.eval_shape(self._mk_transformation.init, old)
        )
        updates, tree = self._mk_transformation.update(
            grads, tree.unflatten([state[path] for path in paths]), old
        )
        new = {
            key: old[i] + (updates[i] * rate).astype(old[i].dtype)
            for i, key in present.items()
        }
        leaves = jax.tree_util.tree_leaves(tree)
        return new, state | dict(zip(paths, leaves, strict=True))

    def load_own_variables(self, store):
        """Read the state; without a transformation, keep it until one is set.

        Args:
            store: mapping that `save_own_variables` has written.
        """
        if self._mk_transformation is None:
            self._mk_loaded_state = {key: np.asarray(store[key]) for key in store}
        else:
            super().load_own_variables(store)
