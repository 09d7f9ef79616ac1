"""Lambda: a function as a layer."""

import inspect

from minikeras.core.serialization import (
    SafeModeScope,
    deserialize_keras_object,
    in_safe_mode,
    serialize_dict,
    serialize_keras_object,
)
from minikeras.core.shape_inference import output_spec
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import is_shape, map_shapes


class Lambda(Layer):
    """Wrap a function of arrays.

    A Python lambda is stored in files as bytecode, which is loaded only with
    `safe_mode=False`; a named function is stored by name and must be registered. To
    hold weights or to be sure that files load, subclass `Layer` instead.

    Args:
        function: f(inputs, **arguments), also given `mask` and `training` if it has
            such parameters.
        output_shape: shape of one sample's output, or f(input_shape) -> shape;
            None finds it by tracing.
        mask: the output's mask, or f(inputs, mask) -> mask.
        arguments: dict of further arguments.

    >>> import numpy as np
    >>> Lambda(lambda x: x * 2)(np.ones(3)).tolist()
    [2.0, 2.0, 2.0]
    """

    def __init__(
        self, function, output_shape=None, mask=None, arguments=None, **kwargs
    ):
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable, got {function!r}.")
        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self.output_shape = output_shape
        self.mask = mask
        self.supports_masking = self._mk_masks_itself = mask is not None
        parameters = inspect.signature(function).parameters
        self._mk_passed_on = [p for p in ("mask", "training") if p in parameters]

    def call(self, inputs, mask=None, training=None):
        """function(inputs, **arguments)"""
        given = {"mask": mask, "training": training}
        extra = {name: given[name] for name in self._mk_passed_on}
        return self.function(inputs, **(self.arguments | extra))

    def compute_mask(self, inputs, mask=None):
        """The given mask, or what the given function makes of the inputs' mask."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape):
        """`output_shape` with the batch size in front; traced if it was not given."""
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        batch = input_shape if is_shape(input_shape) else input_shape[0]
        return map_shapes(lambda shape: (batch[0], *shape), self.output_shape)

    def compute_output_spec(self, inputs, **kwargs):
        """The output as KerasTensors."""
        if self.output_shape is None:
            return output_spec(self.call, (inputs,), kwargs)
        return super().compute_output_spec(inputs, **kwargs)

    def get_config(self):
        """The constructor's arguments; absent ones are left out."""
        config = super().get_config()
        for key in ("function", "output_shape", "mask"):
            if (value := getattr(self, key)) is None:
                del config[key]
            elif callable(value) or key == "mask":
                config[key] = serialize_keras_object(value)
        return config | {"arguments": serialize_dict(self.arguments)}

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A new layer; `safe_mode=False` lets bytecode in the config run.

        Raises:
            ValueError: the config holds bytecode, and safe mode is on.
        """
        config = dict(config)
        with SafeModeScope(in_safe_mode() if safe_mode is None else safe_mode):
            for key in ("function", "output_shape", "mask", "arguments"):
                if isinstance(config.get(key), dict):
                    config[key] = deserialize_keras_object(config[key], custom_objects)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = map_shapes(tuple, config["output_shape"])
        return super().from_config(config)
