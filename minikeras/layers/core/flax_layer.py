"""FlaxLayer: a module of Flax (linen) as a layer."""

import inspect

from minikeras.core.late_import import late_import
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.core.jax_layer import JaxLayer


def module_functions(module, method):
    """`call_fn` and `init_fn` of a `JaxLayer` that runs the module.

    The collection "params" is what the layer trains; all others are its state, and
    may change in each call. Keys are passed on as "params" and "dropout".
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
    """A Flax module as a layer.

    Args:
        module: instance of `flax.linen.Module`. To be stored in files it needs
            `get_config`, and its class must be registered.
        method: which method to run: a bound one, or f(module, inputs); `__call__` by
            default. It may take `training`.
        variables: dict of Flax collections to start from.
        **kwargs: further arguments of `JaxLayer`, such as `seed`.

    Raises:
        TypeError: `module` is no module, or `method` is not callable.
        ImportError: Flax is not installed.
    """

    def __init__(self, module, method=None, variables=None, **kwargs):
        if not hasattr(module, "apply"):
            raise TypeError(f"FlaxLayer: expected a Flax module, got {module!r}.")
        self.module, self.method = module, method
        call_fn, init_fn = module_functions(module, method)
        given = dict(variables or {})
        params = {"params": given.pop("params")} if "params" in given else {}
        if variables is None:
            params = given = None
        super().__init__(call_fn, init_fn, params=params, state=given, **kwargs)

    def _mk_init_keys(self, generator):
        first, second = generator.next(ordered=False), generator.next(ordered=False)
        return {"params": first, "dropout": second}

    def _mk_call_keys(self, training):
        return {"dropout": self.seed_generator.next()} if training else {}

    def get_config(self):
        """The module, and the method by its name."""
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
        """A new layer; the module's class must be registered."""
        config = dict(config)
        module = config["module"] = deserialize_keras_object(config["module"])
        method = config.get("method")
        if isinstance(method, str):
            config["method"] = getattr(module, method)
        elif method is not None:
            config["method"] = deserialize_keras_object(method)
        return super(JaxLayer, cls).from_config(config)
