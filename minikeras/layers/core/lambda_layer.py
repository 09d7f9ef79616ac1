"""Lambda: a Python function as a layer."""

import inspect

from minikeras.core.serialization import (
    SafeModeScope,
    deserialize_keras_object,
    in_safe_mode,
    serialize_dict,
    serialize_keras_object,
)
from minikeras.core.shape_inference import output_spec
from minikeras.core.tree import is_shape
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import map_shapes


class Lambda(Layer):
    """Apply a function: f(inputs, **arguments).

    Files store a Python lambda as bytecode, which is loaded only with
    `safe_mode=False`. They store a named function by its name, which must be
    registered. Subclass `keras.Layer` for a layer with weights, or one that is loaded
    safely.

    Args:
        function: f(inputs, **arguments). If it has parameters `mask` or `training`, it
            gets these too.
        output_shape: shape of the output without the batch axis, or f(input_shape) ->
            shape with it; None finds the shape by tracing.
        mask: mask of the output, or f(inputs, mask) -> mask; None for no mask.
        arguments: dict of further arguments of `function`; None for no arguments.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        TypeError: `function` is not callable.

    >>> keras.layers.Lambda(lambda x: x * 2)(np.ones(3)).tolist()
    [2.0, 2.0, 2.0]
    """

    _mk_has_user_code = True

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
        self._mk_passed_arguments = [p for p in ("mask", "training") if p in parameters]

    def call(self, inputs, mask=None, training=None):
        """Return function(inputs, **arguments).

        Args:
            inputs: array, or nested structure of arrays.
            mask: mask of the inputs, passed on if the function has this parameter.
            training: bool, passed on if the function has this parameter.
        """
        values = {"mask": mask, "training": training}
        passed = {name: values[name] for name in self._mk_passed_arguments}
        return self.function(inputs, **(self.arguments | passed))

    def compute_mask(self, inputs, mask=None):
        """Return `mask` of the constructor, or its result if it is a function.

        Args:
            inputs: inputs of the layer.
            mask: their mask, or None.
        """
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape):
        """Return the output shape with the batch size, by tracing if it is not given.

        Args:
            input_shape: shape of the inputs, or nested structure of shapes.
        """
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        batch = input_shape if is_shape(input_shape) else input_shape[0]
        return map_shapes(lambda shape: (batch[0], *shape), self.output_shape)

    def compute_output_spec(self, inputs, **kwargs):
        """Return the output as KerasTensor(s).

        Args:
            inputs: KerasTensor, or nested structure of them.
            **kwargs: other arguments of `call`.
        """
        if self.output_shape is None:
            return output_spec(self.call, (inputs,), kwargs)
        return super().compute_output_spec(inputs, **kwargs)

    def get_config(self):
        """Return the constructor's arguments without those that are None."""
        config = super().get_config()
        for key in ("function", "output_shape", "mask"):
            if (value := getattr(self, key)) is None:
                del config[key]
            elif callable(value) or key == "mask":
                config[key] = serialize_keras_object(value)
        return config | {"arguments": serialize_dict(self.arguments)}

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """Create a layer from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
            safe_mode: bool, whether to reject bytecode in the config; None takes the
                setting of the current call.

        Raises:
            ValueError: the config contains bytecode, and safe mode is on.
        """
        config = dict(config)
        with SafeModeScope(in_safe_mode() if safe_mode is None else safe_mode):
            for key in ("function", "output_shape", "mask", "arguments"):
                if isinstance(config.get(key), dict):
                    config[key] = deserialize_keras_object(config[key], custom_objects)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = map_shapes(tuple, config["output_shape"])
        return super().from_config(config)
