"""Sequential: a model whose layers follow each other."""

import itertools

from minikeras.core import registry
from minikeras.core.bridge import Frame
from minikeras.core.members import Alias
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.tree import is_shape
from minikeras.layers.call_signature import signature_of
from minikeras.layers.core.input_layer import InputLayer
from minikeras.layers.layer import Layer
from minikeras.models import inputs as model_inputs
from minikeras.models.functional import Functional
from minikeras.models.model import Model
from minikeras.saving.upgrades import upgrade_layers


class Sequential(Model):
    """A stack of layers, each with one input and one output.

    Args:
        layers: list of layers, or None. If it starts with an `Input`, or with a layer
            that has `input_shape=`, the weights are created at once; otherwise the
            first call creates them.
        trainable: bool, whether optimizers update the weights.
        name: str, unique name; None makes one.

    Raises:
        ValueError: something other than a layer, or two layers with one name.

    >>> layers = [keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)]
    >>> keras.Sequential(layers).output_shape
    (None, 1)
    """

    _mk_untracked = frozenset({"_mk_functional", "_mk_calls"})
    _mk_calls: tuple | list = ()  # [(layer, its output)] of the last build

    _functional = Alias("_mk_functional")

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(trainable=trainable, name=name)
        self._mk_functional = None
        self._mk_stack = []
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._mk_rebuild()

    @property
    def layers(self) -> list[Layer]:
        """List of the layers, without the input."""
        stack = self._mk_stack
        return stack[1:] if stack and isinstance(stack[0], InputLayer) else stack[:]

    @layers.setter
    def layers(self, _):
        raise AttributeError(
            "`Sequential.layers` attribute is reserved. Use `add()` and `pop()`."
        )

    def add(self, layer, rebuild=True):
        """Add a layer on top of the stack.

        Args:
            layer: a `keras.Layer`, or an `Input` in an empty stack.
            rebuild: bool, whether to create the weights now if the input shape is
                known.

        Raises:
            ValueError: not a layer, a second input, or a name that is already used.
        """
        layer = _as_layer(layer)
        if not self._mk_stack:
            shape = getattr(layer, "_mk_input_shape_arg", None)
            if shape is not None and not isinstance(layer, InputLayer):
                self._mk_stack.append(
                    InputLayer(batch_shape=shape, dtype=_dtype(layer))
                )
        elif isinstance(layer, InputLayer):
            raise ValueError(
                f"Sequential {self.name!r} has already been configured with an input "
                f"or layers; {layer.name!r} cannot be its input any more."
            )
        if any(layer.name == own.name for own in self._mk_stack):
            raise ValueError(
                f"Layers of a Sequential should have unique names; {layer.name!r} is "
                f"already in {[x.name for x in self._mk_stack]}."
            )
        self._mk_stack.append(layer)
        if rebuild:
            self._mk_rebuild()
        else:
            self.built, self._mk_functional = False, None

    def pop(self, rebuild=True):
        """Remove the top layer and return it.

        Args:
            rebuild: bool, whether to build the shorter stack now if the input shape is
                known.

        Raises:
            ValueError: the stack is empty.
        """
        if not self._mk_stack:
            raise ValueError(f"Sequential {self.name!r} has no layers to pop.")
        layer = self._mk_stack.pop()
        self.built, self._mk_functional = False, None
        if rebuild:
            self._mk_rebuild()
        return layer

    def _mk_rebuild(self):
        """Build the stack if its input shape is known."""
        self.built, self._mk_functional = False, None
        if len(self._mk_stack) > 1 and isinstance(self._mk_stack[0], InputLayer):
            self.build(self._mk_stack[0].batch_shape)
        elif self._mk_stack and hasattr(self._mk_stack[0], "inputs"):
            first = self._mk_stack[0]
            if getattr(first, "built", False) and len(first.inputs or ()) == 1:
                shape, dtype = first.inputs[0].shape, first.inputs[0].dtype
                self._mk_stack.insert(0, InputLayer(batch_shape=shape, dtype=dtype))
                self.build(shape)

    def build(self, input_shape=None):
        """Create the weights.

        Args:
            input_shape: shape of the input with the batch axis; None if the stack
                starts with an `Input`.

        Raises:
            ValueError: no layers, no shape, or a shape that contradicts the `Input`.
        """
        input_shape = tuple(input_shape) if is_shape(input_shape) else input_shape
        if input_shape is not None and not is_shape(input_shape):
            return  # several inputs: the first call builds the layers
        if not self._mk_stack:
            raise ValueError(
                f"Sequential {self.name!r} cannot be built: no layers. Call `add()` "
                "first."
            )
        if isinstance(self._mk_stack[0], InputLayer):
            if input_shape not in (None, self._mk_stack[0].batch_shape):
                raise ValueError(
                    f"Sequential {self.name!r} has already been configured for inputs "
                    f"of shape {self._mk_stack[0].batch_shape}, not {input_shape}."
                )
        elif input_shape is None:
            raise ValueError(f"build() of {self.name!r} needs the input's shape.")
        else:
            dtype = _dtype(self._mk_stack[0])
            self._mk_stack.insert(0, InputLayer(batch_shape=input_shape, dtype=dtype))
        inputs = self._mk_stack[0].output
        # Layers below the new ones are not called again: each has one node, so that
        # its `output` lies on the way to the model's.
        pairs = zip(self._mk_calls, self._mk_stack, strict=False)
        same = itertools.takewhile(lambda pair: pair[0][0] is pair[1], pairs)
        calls = [call for call, _ in same] or [(self._mk_stack[0], inputs)]
        for layer in self._mk_stack[1:]:
            _check_one_argument(layer)
        for layer in self._mk_stack[len(calls) :]:
            try:
                calls.append((layer, layer(calls[-1][1])))
            except NotImplementedError:  # a layer without symbolic form: no graph
                return
        self._mk_calls, outputs = calls, calls[-1][1]
        self._mk_functional = Functional(inputs, outputs)
        self.built = True

    def call(self, inputs, training=None, mask=None):
        """Return the output of the last layer.

        Args:
            inputs: array (batch, ...).
            training: bool, passed to the layers; None keeps their defaults.
            mask: mask of the inputs, not used.
        """
        x = inputs
        if self._mk_functional is not None:
            own = self._mk_functional._mk_inputs
            if getattr(x, "ndim", None) != own.ndim or x.dtype != own.dtype:
                x = model_inputs.standardize(own, x)[id(own)]
        mode = {} if training is None else {"training": training}
        with Frame(**mode):
            for layer in self.layers:
                x = layer(x)
        return x

    def compute_output_spec(self, inputs, training=None, mask=None):
        """Return the output as a KerasTensor.

        Args:
            inputs: KerasTensor (batch, ...).
            training: bool or None, passed to the layers.
            mask: mask of the inputs, or None.
        """
        if self._mk_functional is not None:
            return self._mk_functional.compute_output_spec(inputs, training, mask)
        return super().compute_output_spec(inputs, training=training, mask=mask)

    @property
    def input_shape(self):
        """Shape of the input; AttributeError while the model is not built."""
        return self._mk_graph_attribute("input_shape")

    @property
    def output_shape(self):
        """Shape of the output; AttributeError while the model is not built."""
        return self._mk_graph_attribute("output_shape")

    @property
    def inputs(self):
        """List of the input KerasTensor; AttributeError if the model is not built."""
        return self._mk_graph_attribute("inputs")

    @property
    def outputs(self):
        """List of the output KerasTensor; AttributeError if the model is not built."""
        return self._mk_graph_attribute("outputs")

    @property
    def input(self):
        """The input KerasTensor; AttributeError while the model is not built."""
        return self._mk_graph_attribute("input")

    @property
    def output(self):
        """The output KerasTensor; AttributeError while the model is not built."""
        return self._mk_graph_attribute("output")

    @property
    def input_dtype(self):
        """Dtype of the input, which is that of the first layer."""
        return _dtype(self._mk_stack[0]) if self._mk_stack else super().input_dtype

    def _mk_graph_attribute(self, name):
        """An attribute of the stack's Functional model; AttributeError without one."""
        if self._mk_functional is None:
            raise AttributeError(
                f"Sequential {self.name!r} has no {name} yet: it is not built. Begin "
                "with keras.Input(shape), call it on data or call `build(shape)`."
            )
        return getattr(self._mk_functional, name)

    def get_config(self):
        """Return the layers as a JSON-ready dict."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._mk_stack],
        }
        if self._mk_functional is not None:
            config["build_input_shape"] = self._mk_stack[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a model from `get_config()`; its weights are new.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        config = upgrade_layers("Sequential", config)
        if "name" not in config or "layers" not in config:
            if cls is not Sequential:
                return cls(**config)
            raise ValueError(
                "A Sequential model configuration must be a dictionary containing the "
                f"'name' and 'layers' keys, got {config!r:.200}."
            )
        family = registry.family("layers")
        model = cls(name=config["name"])
        for entry in config["layers"]:
            if not isinstance(entry, dict) or "config" not in entry:
                raise ValueError(
                    f"Expected a dictionary containing a 'config' key: {entry!r:.99}"
                )
            layer = deserialize_keras_object(entry, custom_objects, family=family)
            model.add(layer, rebuild=False)
        model._mk_rebuild()
        shape = config.get("build_input_shape")
        if not model.built and shape and model._mk_stack and is_shape(shape):
            model.build(tuple(shape))
        # As in Keras, `trainable` of the config is not read: the layers have theirs.
        return model


def _as_layer(layer):
    """Return the layer, or the input layer of a KerasTensor made by `Input`."""
    if hasattr(layer, "_keras_history"):
        layer = layer._keras_history[0]
    if not isinstance(layer, Layer):
        raise ValueError(
            "Only instances of `keras.Layer` can be added to a Sequential, got "
            f"{layer!r} ({type(layer).__name__})."
        )
    return layer


def _check_one_argument(layer):
    """Raise ValueError if the layer needs arguments besides its input."""
    required = signature_of(layer).required
    if required:
        raise ValueError(
            f"Layers of a Sequential can only have a single required positional "
            f"argument, the input; {layer.name!r} also asks for {required}."
        )


def _dtype(layer):
    """Dtype of the inputs that the first layer expects."""
    dtype = getattr(layer, "input_dtype", None)
    return layer.dtype if isinstance(layer, InputLayer) else dtype


registry.register("keras", {"Sequential": Sequential})
