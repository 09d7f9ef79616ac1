"""FlaxLayer: a Flax (linen) module as a layer."""

import inspect

from minikeras.core.late_import import late_import
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.core.jax_layer import JaxLayer


def module_functions(module, method):
    """Make `call_fn` and `init_fn` of a `JaxLayer` that runs the module.

    The collection "params" is trained. All other collections are the state of the layer
    and may change in each call. Keys are passed on as "params" and "dropout".
    """
    DenyList = late_import("flax.core").DenyList

    def apply(params, state, rng, inputs, **training):
        return module.apply(
            {**(params or {}), **(state or {})},
            inputs,
            rngs=rng,
            method=method,
            mutable=DenyList(["params"]),
            **training,
        )

    def initialize(rng, inputs, **training):
        variables = dict(module.init(rng, inputs, method=method, **training))
        params = {"params": variables.pop("params")} if "params" in variables else {}
        return params, variables

    def call_with_training(params, state, rng, inputs, training):
        return apply(params, state, rng, inputs, training=training)

    def call_without(params, state, rng, inputs):
        return apply(params, state, rng, inputs)

    def init_with_training(rng, inputs, training):
        return initialize(rng, inputs, training=training)

    def init_without(rng, inputs):
        return initialize(rng, inputs)

    function = type(module).__call__ if method is None else method
    if "training" in inspect.signature(function).parameters:
        return call_with_training, init_with_training
    return call_without, init_without


class FlaxLayer(JaxLayer):
    """Run a Flax module as a layer.

    Args:
        module: instance of `flax.linen.Module`. Files store it only if it has
            `get_config` and its class is registered.
        method: bound method, or f(module, inputs), to run; None takes `__call__`. It
            may have the parameter `training`.
        variables: dict of Flax collections, the initial weights; None initializes the
            module.
        **kwargs: `seed` of `JaxLayer`; `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Raises:
        TypeError: `module` is not a module, or `method` is not callable.
        ImportError: Flax is not installed.
    """

    def __init__(self, module, method=None, variables=None, **kwargs):
        if not hasattr(module, "apply"):
            raise TypeError(f"FlaxLayer: expected a Flax module, got {module!r}.")
        self.module, self.method = module, method
        call_fn, init_fn = module_functions(module, method)
        state = dict(variables or {})
        params = {"params": state.pop("params")} if "params" in state else {}
        if variables is None:
            params = state = None
        super().__init__(call_fn, init_fn, params=params, state=state, **kwargs)

    def _mk_init_keys(self, generator):
        params_key = generator.next(ordered=False)
        return {"params": params_key, "dropout": generator.next(ordered=False)}

    def _mk_call_keys(self, training):
        return {"dropout": self.seed_generator.next()} if training else {}

    def get_config(self):
        """Return the module, and the method by its name."""
        config = super().get_config()
        for name in ("call_fn", "init_fn", "variables"):
            del config[name]
        method = getattr(self.method, "__self__", None) and self.method.__name__
        return config | {
            "module": serialize_keras_object(self.module),
            "method": method or serialize_keras_object(self.method),
        }

    @classmethod
    def from_config(cls, config):
        """Create a layer from `get_config()`; the module's class must be registered.

        Args:
            config: dict of `get_config()`.
        """
        config = dict(config)
        module = config["module"] = deserialize_keras_object(config["module"])
        method = config.get("method")
        if isinstance(method, str):
            config["method"] = getattr(module, method)
        elif method is not None:
            config["method"] = deserialize_keras_object(method)
        return super(JaxLayer, cls).from_config(config)
