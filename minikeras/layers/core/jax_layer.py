"""JaxLayer: functions written in plain JAX as a layer."""

import inspect

import jax
import jax.numpy as jnp

from minikeras.core.serialization import deserialize_keras_object
from minikeras.core.variable import Variable
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import map_shapes
from minikeras.random.seed_generator import SeedGenerator

_CALL_ARGUMENTS = ("params", "state", "rng", "inputs", "training")
_INIT_ARGUMENTS = ("rng", "inputs", "training")


def argument_names(function, role, allowed):
    """Names of the parameters of `function`: some of `allowed`, `"inputs"` with them.

    Raises:
        ValueError: another parameter, or no `inputs`.
    """
    names = list(inspect.signature(function).parameters)
    if "inputs" not in names:
        raise ValueError(
            f"JaxLayer: `{role}` must have the argument `inputs`, it has {names}."
        )
    if unknown := [name for name in names if name not in allowed]:
        raise ValueError(
            f"JaxLayer: `{role}` has the argument `{unknown[0]}`, but may only have "
            f"some of {list(allowed)}."
        )
    return names


def values_of(tree):
    """Tree of Variables (and what else it holds) -> tree of their arrays."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, tree
    )


class JaxLayer(Layer):
    """A layer made of JAX functions.

    Args:
        call_fn: computes the outputs. Its arguments are some of `params`, `state`,
            `rng`, `inputs`, `training`, in any order; it returns the outputs, or
            (outputs, new state) if it takes `state`. `rng` is a raw key, or None when
            not training.
        init_fn: makes the trees of initial arrays. Its arguments are some of `rng`,
            `inputs` (of ones), `training`; it returns the params, or (params, state)
            if `call_fn` takes `state`.
        params, state: trees of arrays to start from instead: trainable weights, and
            weights that `call_fn` replaces.
        seed: of the keys that `call_fn` gets.
        native_serialization_platforms: reserved.

    Raises:
        ValueError: a function has other arguments, or there is nothing to start from;
            the new state has another structure than the old one.

    >>> double = JaxLayer(lambda inputs: 2 * inputs)
    >>> double(jnp.ones(2)).tolist()
    [2.0, 2.0]
    """

    def __init__(
        self,
        call_fn,
        init_fn=None,
        params=None,
        state=None,
        seed=None,
        native_serialization_platforms=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.call_fn, self.init_fn, self.seed = call_fn, init_fn, seed
        self.native_serialization_platforms = native_serialization_platforms
        self._mk_call_names = argument_names(call_fn, "call_fn", _CALL_ARGUMENTS)
        self._mk_has_state = "state" in self._mk_call_names
        self._mk_starts = {"params", "state"} & set(self._mk_call_names)
        if init_fn is not None:
            self._mk_init_names = argument_names(init_fn, "init_fn", _INIT_ARGUMENTS)
        elif self._mk_starts and params is None and state is None:
            raise ValueError(
                "JaxLayer: `call_fn` takes `params` or `state`, so give `init_fn`, or "
                "the trees themselves as `params=` and `state=`."
            )
        self._mk_leaves = []  # before the trees: this is the order of the weights
        self.params = self._mk_as_variables(params, trainable=True)
        self.state = self._mk_as_variables(state, trainable=False)
        needs_keys = "rng" in self._mk_call_names
        self.seed_generator = SeedGenerator(seed) if needs_keys else None

    def _mk_as_variables(self, tree, trainable):
        """The tree with Variables in place of its arrays and numbers."""

        def weight(leaf):
            if not isinstance(leaf, (int, float)) and not hasattr(leaf, "dtype"):
                return leaf  # such as a string
            value = jnp.asarray(leaf)
            if jnp.issubdtype(value.dtype, jnp.floating):
                value = value.astype(self.variable_dtype)
            variable = self.add_weight(
                shape=value.shape,
                initializer=lambda shape, dtype: value,
                dtype=value.dtype,
                trainable=trainable,
            )
            self._mk_leaves.append(variable)
            return variable

        return jax.tree_util.tree_map(weight, tree)

    def build(self, input_shape):
        """Create the weights with `init_fn`, unless they were given."""
        given = self.params is not None or self.state is not None
        if self.init_fn is None or not self._mk_starts or given:
            return
        inputs = map_shapes(
            lambda shape: jnp.ones([1 if n is None else n for n in shape]), input_shape
        )
        given = {"inputs": inputs, "training": True}
        if "rng" in self._mk_init_names:
            given["rng"] = self._mk_init_keys(SeedGenerator())
        with jax.ensure_compile_time_eval():
            made = self.init_fn(**{name: given[name] for name in self._mk_init_names})
        params, state = made if self._mk_has_state else (made, None)
        self.params = self._mk_as_variables(params, trainable=True)
        self.state = self._mk_as_variables(state, trainable=False)

    def _mk_init_keys(self, generator):
        return generator.next(ordered=False)

    def _mk_call_keys(self, training):
        return self.seed_generator.next() if training else None

    def call(self, inputs, training=False):
        """call_fn(params, state, rng, inputs, training)"""
        given = {"inputs": inputs, "training": training}
        given |= {"params": values_of(self.params), "state": values_of(self.state)}
        if self.seed_generator is not None:
            given["rng"] = self._mk_call_keys(training)
        outputs = self.call_fn(**{name: given[name] for name in self._mk_call_names})
        if not self._mk_has_state:
            return outputs
        outputs, state = outputs
        self._mk_replace_state(state)
        return outputs

    def _mk_replace_state(self, state):
        old, new = map(jax.tree_util.tree_structure, (self.state, state))
        if old != new:
            raise ValueError(
                f"{self.path}: `call_fn` returned a state of the structure {new}, but "
                f"the layer's is {old}."
            )
        pairs = zip(*map(jax.tree_util.tree_leaves, (self.state, state)), strict=True)
        for leaf, value in pairs:
            if isinstance(leaf, Variable):
                leaf.assign(value)

    def get_config(self):
        """The functions; weights are stored elsewhere, and seeds are not."""
        config = super().get_config()
        for name in ("params", "state", "seed"):
            del config[name]
        return config

    @classmethod
    def from_config(cls, config):
        """A new layer; the functions must be registered."""
        config = dict(config)
        for name in ("call_fn", "init_fn"):
            if isinstance(config[name], dict):
                config[name] = deserialize_keras_object(config[name])
        return super().from_config(config)
