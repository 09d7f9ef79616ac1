"""JaxLayer: plain JAX functions as a layer."""

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
    """Return the parameter names of `function`: `inputs` and some of `allowed`.

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


def arrays_of(tree):
    """Replace the Variables in a tree by their arrays."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, tree
    )


class JaxLayer(Layer):
    """A layer that computes with plain JAX functions.

    Args:
        call_fn: function of the outputs. Its parameters are `inputs` and any of
            `params`, `state`, `rng` and `training`, in any order. It returns the
            outputs, or (outputs, new state) if it has `state`. `rng` is a raw key, None
            in inference.
        init_fn: function of the initial weights. Its parameters are `inputs` (ones) and
            any of `rng` and `training`. It returns the params, or (params, state) if
            `call_fn` has `state`.
        params: tree of arrays, trainable weights; None calls `init_fn`.
        state: tree of arrays that `call_fn` replaces, not trained; None calls
            `init_fn`.
        seed: int, seed of the keys that `call_fn` gets; None draws one from Python's
            `random`.
        native_serialization_platforms: accepted and stored, without effect.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: a function has other parameters, or there are neither initial
            weights nor `init_fn`; in a call: the new state has another structure.

    >>> double = keras.layers.JaxLayer(lambda inputs: 2 * inputs)
    >>> double(np.ones(2)).tolist()
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
        self._mk_weight_names = {"params", "state"} & set(self._mk_call_names)
        if init_fn is not None:
            self._mk_init_names = argument_names(init_fn, "init_fn", _INIT_ARGUMENTS)
        elif self._mk_weight_names and params is None and state is None:
            raise ValueError(
                "JaxLayer: `call_fn` takes `params` or `state`, so give `init_fn`, or "
                "the trees themselves as `params=` and `state=`."
            )
        # Set before the trees: the layer lists its weights in the order in which it
        # finds them, which is now the order of the leaves.
        self._mk_leaves = []
        self.params = self._mk_as_variables(params, trainable=True)
        self.state = self._mk_as_variables(state, trainable=False)
        needs_keys = "rng" in self._mk_call_names
        self.seed_generator = SeedGenerator(seed) if needs_keys else None

    def _mk_as_variables(self, tree, trainable):
        """Replace the arrays and numbers in a tree by Variables."""

        def weight(leaf):
            """Make a Variable of an array or number; other leaves do not change."""
            if not isinstance(leaf, (int, float)) and not hasattr(leaf, "dtype"):
                return leaf  # a string, for example, is no weight
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
        """Create the weights with `init_fn`, unless they were given.

        Args:
            input_shape: shape of the inputs, or nested structure of shapes.
        """
        has_values = self.params is not None or self.state is not None
        if self.init_fn is None or not self._mk_weight_names or has_values:
            return
        inputs = map_shapes(
            lambda shape: jnp.ones([1 if n is None else n for n in shape]), input_shape
        )
        values = {"inputs": inputs, "training": True}
        if "rng" in self._mk_init_names:
            values["rng"] = self._mk_init_keys(SeedGenerator())
        # `build` may run in a trace; the weights must be concrete arrays.
        with jax.ensure_compile_time_eval():
            trees = self.init_fn(**{name: values[name] for name in self._mk_init_names})
        params, state = trees if self._mk_has_state else (trees, None)
        self.params = self._mk_as_variables(params, trainable=True)
        self.state = self._mk_as_variables(state, trainable=False)

    def _mk_init_keys(self, generator):
        """The `rng` of `init_fn`."""
        return generator.next(ordered=False)

    def _mk_call_keys(self, training):
        """The `rng` of `call_fn`."""
        return self.seed_generator.next() if training else None

    def call(self, inputs, training=False):
        """Return the outputs of `call_fn`, and assign the new state.

        Args:
            inputs: array, or nested structure of arrays.
            training: bool, passed on if `call_fn` has this parameter.
        """
        values = {
            "params": arrays_of(self.params),
            "state": arrays_of(self.state),
            "inputs": inputs,
            "training": training,
        }
        if self.seed_generator is not None:
            values["rng"] = self._mk_call_keys(training)
        outputs = self.call_fn(**{name: values[name] for name in self._mk_call_names})
        if not self._mk_has_state:
            return outputs
        outputs, state = outputs
        self._mk_replace_state(state)
        return outputs

    def _mk_replace_state(self, state):
        """Assign the arrays of a new state; ValueError for another structure."""
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
        """Return the functions; weights are stored elsewhere, seeds are not stored."""
        config = super().get_config()
        for name in ("params", "state", "seed"):
            del config[name]
        return config

    @classmethod
    def from_config(cls, config):
        """Create a layer from `get_config()`; the functions must be registered.

        Args:
            config: dict of `get_config()`.
        """
        config = dict(config)
        for name in ("call_fn", "init_fn"):
            if isinstance(config[name], dict):
                config[name] = deserialize_keras_object(config[name])
        return super().from_config(config)
