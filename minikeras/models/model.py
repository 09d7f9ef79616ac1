"""Model: a layer that can be trained, saved and inspected."""

import inspect
from typing import Any

from minikeras.core import registry
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.shape_inference import keras_tensors, output_spec
from minikeras.layers.configuration import argument_value
from minikeras.layers.layer import Layer
from minikeras.layers.shapes import is_tensor_tree, map_leaves, map_shapes
from minikeras.models import summary as summaries
from minikeras.models.graph_config import rebuild
from minikeras.models.trainer import Trainer
from minikeras.saving import api


class Model(Trainer, Layer):
    """A network: a graph of layers, or a subclass with its own `call`.

    `Model(inputs, outputs)` is the graph that was recorded between KerasTensors. A
    subclass creates layers in `__init__` and calls them in
    `call(inputs, training=None, mask=None)`.

    Args:
        *args: `inputs` and `outputs`: KerasTensors made by `keras.Input`, and
            KerasTensors computed from them, in nested lists, tuples and dicts. None in
            a subclass.
        **kwargs: `inputs` and `outputs` by name; `name`, `trainable`, `dtype` and the
            other arguments of `keras.Layer`.

    Raises:
        ValueError: not KerasTensors, outputs that do not depend on the inputs alone, or
            two layers with one name.

    >>> x = keras.Input((4,))
    >>> keras.Model(x, keras.layers.Dense(2)(x)).count_params()
    10
    """

    _mk_is_model = True
    # `Functional`. It imports this module, so it sets this attribute itself.
    _mk_graph_class: Any

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_functional(args, kwargs):
            cls = Model._mk_graph_class
        return super().__new__(cls)._mk_remember_call(args, kwargs)

    def _mk_remember_call(self, args, kwargs):
        """Store the constructor's arguments for classes without a `get_config`."""
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
        """Compute the outputs; a subclass defines this method.

        Args:
            *args: the inputs.
            **kwargs: further arguments, such as `training` and `mask`.
        """
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    @property
    def layers(self) -> list[Layer]:
        """List of the layers held directly by the model."""
        return list(self._mk_layers)

    @layers.setter
    def layers(self, _):
        raise AttributeError(
            "`Model.layers` attribute is reserved: it lists the model's layers. Use "
            "another name."
        )

    def get_layer(self, name=None, index=None):
        """Return one layer of the model.

        Args:
            name: str, name of the layer; or give `index`.
            index: int, position in `layers`; or give `name`.

        Raises:
            ValueError: there is no such layer, or both or none of the arguments are
                given.
        """
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
        *,
        flops=False,
        memory=False,
    ):
        """Print a table of the layers, their output shapes and numbers of parameters.

        Args:
            line_length: int, width of the table in characters; None takes the default
                width or that of the terminal.
            positions: list of the right edges of the columns, as shares of the width;
                None for the defaults.
            print_fn: function that gets the text; None prints it.
            expand_nested: bool, whether to also list the layers of nested models.
            show_trainable: bool, whether to add a column that says which layers are
                trainable.
            layer_range: (first name, last name), regular expressions; None for all
                layers.
            flops: bool, whether to add the floating-point operations of each layer for
                one sample, in inference and in training. Where the model does not know
                the sizes of its inputs: their shapes, or a batch.
            memory: int, samples of the batch for which to add the bytes of each layer's
                outputs, of what it keeps for the backward pass, and what XLA allocates
                for a step; it compiles the steps. True takes 32.

        Raises:
            ValueError: `layer_range` names no layer, or sizes of inputs are not known.
        """
        summaries.print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
            flops=flops,
            memory=memory,
        )

    def build(self, input_shape=None):
        """Create the weights by tracing `call` on inputs of these shapes.

        Args:
            input_shape: shape of the inputs with the batch axis, or nested structure of
                shapes.

        Raises:
            ValueError: `input_shape` is None.
        """
        if input_shape is None:
            raise ValueError(
                f"build() of {self.name!r} needs the input shape(s), got None."
            )
        inputs = map_shapes(lambda s: KerasTensor(s, self.input_dtype), input_shape)
        output_spec(self.call, (inputs,), {})
        self.built = True

    def _mk_build_now(self, arguments):
        """Build from the arguments of a call; `build` traces calls with one alone."""
        arrays = [x for name, x in arguments.items() if name != "mask"]
        arrays = list(filter(is_tensor_tree, arrays))
        if type(self).build is not Model.build or len(arrays) < 2:
            return super()._mk_build_now(arguments)
        self._mk_build_by_run(arguments)
        first = map_leaves(lambda x: tuple(x.shape), arrays[0])
        self.built, self._mk_build_shapes = True, {"input_shape": first}

    def build_from_config(self, config):
        """Build from the shapes of `get_build_config()`.

        Args:
            config: dict with `input_shape` or `shapes_dict`.
        """
        shapes = config.get("input_shape", config.get("shapes_dict"))
        shapes = map_shapes(tuple, shapes)  # JSON has lists
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
        """Return the architecture as JSON text.

        Args:
            **kwargs: keyword arguments of `json.dumps`.
        """
        return api.model_to_json(self, **kwargs)

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Write architecture, weights and optimizer state to a file.

        Args:
            filepath: path that ends in `.keras`, or in `.h5` or `.hdf5` for the format
                of older versions; or a file object open for writing.
            overwrite: bool, whether to replace an existing file; False asks at the
                prompt.
            zipped: bool, whether to write one file, also for None; False writes a
                folder.
            **kwargs: `include_optimizer`, bool, whether to store the optimizer's state;
                `save_format` is not needed.

        Raises:
            ValueError: another ending of the path, or another argument.
        """
        api.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Write the weights to a file, or to several.

        Args:
            filepath: path that ends in `.weights.h5`, in `.weights.json` for several
                files, or in `.safetensors`.
            overwrite: bool, whether to replace an existing file; False asks at the
                prompt.
            max_shard_size: size of the largest file in GiB, with `.weights.json`; None
                writes one file.

        Raises:
            ValueError: another ending of the path, or a model that is not built.
        """
        api.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Read the weights from a file.

        Args:
            filepath: path that ends in `.weights.h5`, `.weights.json`, `.keras`,
                `.safetensors`, or `.h5` or `.hdf5` for files of older versions.
            skip_mismatch: bool, whether to keep the weights of layers that do not fit,
                with a warning, instead of raising an error.
            **kwargs: `objects_to_skip`, list of layers that stay as they are, for
                `.weights.h5`; `by_name`, bool, for `.h5`.

        Raises:
            FileError: there is no such file, it is damaged, or the weights do not fit.
            ValueError: its ending is another one, or the model is not built.
        """
        api.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a model from `get_config()`; its weights are new.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        keys = {"name", "layers", "input_layers", "output_layers"}
        with registry.CustomObjectScope(custom_objects):
            if keys <= set(config) and (
                cls is Model
                or issubclass(cls, Model._mk_graph_class)
                and has_functional_signature(cls)
            ):
                inputs, outputs = rebuild(config)
                rest = {k: v for k, v in config.items() if k not in keys}
                rest = {name: argument_value(value) for name, value in rest.items()}
                if rest.get("trainable") is True:  # which a subclass may not take
                    del rest["trainable"]
                return cls(inputs, outputs, name=config["name"], **rest)
            return super().from_config(config)

    def get_state_tree(self, value_format="backend_tensor"):
        """Return the values of all variables, as nested dicts by path.

        Args:
            value_format: `"backend_tensor"` for JAX arrays, `"numpy_array"` for numpy.

        Returns:
            {"trainable_variables", "non_trainable_variables", "optimizer_variables",
            "metrics_variables": nested dicts}.

        Raises:
            ValueError: an unknown `value_format`, or two variables with one path.
        """
        return {
            name: _tree(variables, value_format)
            for name, variables in self._mk_state_variables().items()
        }

    def set_state_tree(self, state_tree):
        """Assign the values of `get_state_tree()`; variables that it lacks keep theirs.

        Args:
            state_tree: dict in the form of `get_state_tree()`.
        """
        for name, variables in self._mk_state_variables().items():
            flat = _flat(state_tree.get(name, {}))
            for v in variables:
                if v.path in flat:
                    v.assign(flat[v.path])

    def _mk_state_variables(self):
        optimizer = getattr(self, "optimizer", None)
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": optimizer.variables if optimizer else [],
            "metrics_variables": self.metrics_variables,
        }


def _tree(variables, value_format):
    """{group: {…: {name: value}}} by the parts of the variables' paths."""
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
    """{path: value} of nested dicts."""
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
    """Replace Model by Functional among the bases of a user's class."""
    if cls is Model or issubclass(cls, functional):
        return
    cls.__bases__ = tuple(
        functional if base is Model else base for base in cls.__bases__
    )
    for base in cls.__bases__:
        if base is not functional and issubclass(base, Model):
            _insert_base(base, functional)


def has_functional_signature(cls):
    """Can the class be called as `cls(inputs, outputs, name=)`?"""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    names, kinds = [p.name for p in parameters], [p.kind for p in parameters]
    any_keyword = inspect.Parameter.VAR_KEYWORD in kinds
    if any_keyword and inspect.Parameter.VAR_POSITIONAL in kinds:
        return kinds[0] is inspect.Parameter.VAR_POSITIONAL
    return ("name" in names or any_keyword) and names[:2] == ["inputs", "outputs"]
