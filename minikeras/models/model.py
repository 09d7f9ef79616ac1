"""Model: a layer that can be trained, saved and looked into."""

import inspect
from typing import Any

from minikeras.core import registry
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.shape_inference import keras_tensors, output_spec
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import map_shapes
from minikeras.models import summary as summaries
from minikeras.models.graph_config import rebuild
from minikeras.models.trainer import Trainer
from minikeras.saving import api


class Model(Trainer, Layer):
    """A network: a graph of layers, or a subclass with its own `call`.

    `Model(inputs, outputs)` gives a `Functional` model: the graph that was recorded
    between two (nests of) KerasTensors. A subclass makes layers in `__init__` and
    uses them in `call(inputs, training=None, mask=None)`.

    Args:
        inputs: KerasTensor(s) made by `keras.Input`, in any nest.
        outputs: KerasTensor(s) computed from them.
        name: unique by default.

    >>> from minikeras import Input, layers
    >>> x = Input((4,))
    >>> Model(x, layers.Dense(2)(x)).count_params()
    10
    """

    # `Functional`, which stands on this class and enters itself here.
    _mk_graph_class: Any

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            cls = Model._mk_graph_class
        return super().__new__(cls)._mk_remember(args, kwargs)

    def _mk_remember(self, args, kwargs):
        self.__dict__["_mk_init_arguments"] = (args, kwargs)
        return self

    def __init__(self, *args, **kwargs):
        Trainer.__init__(self)
        if _is_functional(args, kwargs):
            functional = Model._mk_graph_class
            _insert_base(type(self), functional)
            functional.__init__(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)

    def call(self, *args, **kwargs):
        """The computation; a subclass defines it."""
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    @property
    def layers(self):
        """Layers held directly by the model."""
        return list(self._mk_layers)

    @layers.setter
    def layers(self, _):
        raise AttributeError(
            "`Model.layers` attribute is reserved: it lists the model's layers. Use "
            "another name."
        )

    def get_layer(self, name=None, index=None):
        """The layer called `name`, or number `index`; ValueError if there is none."""
        if (name is None) == (index is None):
            raise ValueError(
                "get_layer: give either a layer's name or its index, got "
                f"name={name!r}, index={index!r}."
            )
        if index is not None:
            if index >= len(self.layers):
                raise ValueError(
                    f"get_layer: there is no layer {index}; the model has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        names = [layer.name for layer in self.layers]
        if name not in names:
            raise ValueError(
                f"No such layer: {name!r}. Existing layers are: {names}."
                f"{registry.did_you_mean(name, names)}"
            )
        return self.layers[names.index(name)]

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ):
        """Print a table of the layers, their output shapes and parameters.

        Args:
            line_length: width of the table in characters.
            positions: share of each column in it.
            print_fn: called with the text; prints it by default.
            expand_nested: show the layers of nested models too?
            show_trainable: show which layers are trainable?
            layer_range: (first name, last name), as regular expressions.
        """
        summaries.print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def build(self, input_shape=None):
        """Create the weights by tracing `call` on inputs of the given shape(s)."""
        if input_shape is None:
            raise ValueError(
                f"build() of {self.name!r} needs the input shape(s), got None."
            )
        inputs = map_shapes(lambda s: KerasTensor(s, self.input_dtype), input_shape)
        output_spec(self.call, (inputs,), {})
        self.built = True

    def build_from_config(self, config):
        """Build from the input shape(s) of a saved model."""
        shapes = config.get("input_shape", config.get("shapes_dict"))
        if shapes is None:
            return
        if "shapes_dict" in config or isinstance(shapes, dict):
            named = {k.removesuffix("_shape"): v for k, v in shapes.items()}
            specs = {
                k: map_shapes(lambda s: KerasTensor(s, self.input_dtype), v)
                for k, v in named.items()
            }
            if "shapes_dict" in config:
                output_spec(self.call, (), specs)
                self.built = True
                return
        self.build(shapes)
        self._mk_build_shapes = {"input_shape": shapes}

    def to_json(self, **kwargs):
        """The architecture as JSON text; `kwargs` go to `json.dumps`."""
        return api.model_to_json(self, **kwargs)

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Write the model to a `.keras` file.

        Args:
            filepath: path that ends in `.keras`.
            overwrite: replace an existing file, or ask at the prompt?
            zipped: one file (default), or a folder when False.
        """
        api.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Write the weights to a `.weights.h5` file."""
        api.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Read the weights from a `.weights.h5` or `.keras` file.

        Args:
            filepath: the file.
            skip_mismatch: leave layers alone whose weights do not fit, with a
                warning, instead of raising?
        """
        api.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model from `get_config()`."""
        keys = {"name", "layers", "input_layers", "output_layers"}
        with registry.CustomObjectScope(custom_objects):
            if keys <= set(config) and (
                cls is Model
                or issubclass(cls, Model._mk_graph_class)
                and same_signature(cls)
            ):
                inputs, outputs = rebuild(config)
                own = {k: v for k, v in config.items() if k not in keys}
                return cls(inputs, outputs, name=config["name"], **own)
            return super().from_config(config)

    def get_state_tree(self, value_format="backend_tensor"):
        """{"trainable_variables", …: nested dicts by path} of the variables' values.

        Args:
            value_format: "backend_tensor" for arrays, "numpy_array" for numpy.
        """
        return {
            name: _tree(variables, value_format)
            for name, variables in self._mk_state_variables().items()
        }

    def set_state_tree(self, state_tree):
        """Assign the values of `get_state_tree()`."""
        for name, variables in self._mk_state_variables().items():
            flat = _flat(state_tree.get(name, {}))
            for v in variables:
                if v.path in flat:
                    v.assign(flat[v.path])

    def _mk_state_variables(self):
        optimizer = self.optimizer
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": optimizer.variables if optimizer else [],
            "metrics_variables": self.metrics_variables,
        }


def _tree(variables, value_format):
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(
            "value_format: expected 'backend_tensor' or 'numpy_array', got "
            f"{value_format!r}."
        )
    tree: dict = {}
    for v in variables:
        *groups, name = v.path.split("/")
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        if name in branch:
            raise ValueError(
                f"The following variable path is found twice in the model: {v.path!r}. "
                "Give layers or variables other names."
            )
        branch[name] = v.value if value_format == "backend_tensor" else v.numpy()
    return tree


def _flat(tree, prefix=""):
    flat = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _is_functional(args, kwargs):
    """Were `inputs` and `outputs` given, by position or by name?"""
    given = len(args) + sum(key in kwargs for key in ("inputs", "outputs"))
    if "inputs" in kwargs and "outputs" in kwargs:
        return True
    return given >= 2 and bool(args) and bool(keras_tensors((args, kwargs)))


def _insert_base(cls, functional):
    """Put Functional in the place of Model among the bases of a user's class."""
    if cls is Model or issubclass(cls, functional):
        return
    cls.__bases__ = tuple(
        functional if base is Model else base for base in cls.__bases__
    )
    for base in cls.__bases__:
        if base is not functional and issubclass(base, Model):
            _insert_base(base, functional)


def same_signature(cls):
    """Can `cls(inputs, outputs, name=)` be called, as Functional's own?"""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    kinds = [p.kind for p in own]
    if {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= set(kinds):
        return kinds[0] is inspect.Parameter.VAR_POSITIONAL
    named = "name" in [p.name for p in own] or inspect.Parameter.VAR_KEYWORD in kinds
    return named and [p.name for p in own[:2]] == ["inputs", "outputs"]
