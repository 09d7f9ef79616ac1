"""Methods and attributes of Keras 1 and 2, while minikeras stands in for Keras.

`install()` puts them on models, layers and optimizers, `remove()` takes them off again.
"""

import functools
import itertools
import math
import os
import sys
from typing import Any

import jax

import minikeras
from minikeras import (
    activations,
    callbacks,
    layers,
    metrics,
    models,
    optimizers,
    saving,
)
from minikeras.core import registry
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.core.late_import import late_import
from minikeras.legacy import calls, custom_loops
from minikeras.legacy.notices import notice
from minikeras.models import graph as graphs
from minikeras.saving import api, atomic_files, h5_model, safety

# -- generators, classes --------------------------------------------------------------


def _steps(generator, samples):
    """(generator, steps) for a number of samples, by the size of its first batch."""
    if (size := getattr(generator, "batch_size", None)) is None:
        first = next(generator := iter(generator))
        generator = itertools.chain([first], generator)
        size = len(jax.tree_util.tree_leaves(first)[0])
    return generator, max(1, math.ceil(samples / size))


def fit_generator(
    self,
    generator,
    steps_per_epoch=None,
    epochs=1,
    *args,
    samples_per_epoch=None,
    nb_val_samples=None,
    **kwargs,
):
    """`fit` of batches from a generator, with the arguments of Keras 1 and 2."""
    notice("fit_generator", "write fit")
    names = "verbose callbacks validation_data validation_steps validation_freq"
    kwargs |= dict(zip(names.split(), args, strict=False))
    if samples_per_epoch is not None:
        generator, steps_per_epoch = _steps(generator, samples_per_epoch)
    if nb_val_samples is not None and not isinstance(
        kwargs.get("validation_data"), (list, tuple)
    ):
        kwargs["validation_data"], kwargs["validation_steps"] = _steps(
            kwargs["validation_data"], nb_val_samples
        )
    if (given := kwargs.get("class_weight")) and not hasattr(generator, "__getitem__"):
        generator = calls.weighted(generator, given)
        kwargs.pop("class_weight")
    kwargs = {"epochs": epochs, **kwargs}
    if "nb_epoch" in kwargs:
        kwargs.pop("epochs")
    return self.fit(generator, steps_per_epoch=steps_per_epoch, **kwargs)


def _of_generator(name):
    """`evaluate_generator` or `predict_generator`."""

    def method(
        self, generator, steps=None, callbacks=None, *args, val_samples=None, **kwargs
    ):
        notice(f"{name}_generator", f"write {name}")
        if val_samples is not None:
            generator, steps = _steps(generator, val_samples)
        kwargs = {"verbose": 0, **kwargs}
        run = getattr(self, name)
        return run(generator, steps=steps, callbacks=callbacks, **kwargs)

    method.__doc__ = f"`{name}` of batches from a generator."
    return method


def predict_classes(self, x, batch_size=32, verbose=0):
    """The likeliest class of each sample; of one output, whether it is above 1/2."""
    notice("predict_classes", "write model.predict(x).argmax(axis=-1)")
    found = self.predict(x, batch_size=batch_size, verbose=verbose)
    if found.shape[-1] > 1:
        return found.argmax(axis=-1)
    return (found > 0.5).astype("int32")


def predict_proba(self, x, batch_size=32, verbose=0):
    """`predict`."""
    notice("predict_proba", "write model.predict")
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def _compile(original):
    """`compile(optimizer, loss, metrics)`: today `loss_weights` stands third."""

    @functools.wraps(original)
    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        if args and _are_metrics(args[0]):
            notice("compile(optimizer, loss, metrics)", "write metrics=")
            names = "metrics loss_weights sample_weight_mode weighted_metrics"
            kwargs |= dict(zip(names.split(), args, strict=False))
            args = ()
        for name in {"metrics", "weighted_metrics"} & {*kwargs}:
            kwargs[name] = custom_loops.metrics_of_outputs(self, kwargs[name])
        return original(self, optimizer, loss, *args, **kwargs)

    return compile


def _are_metrics(x):
    """Names, functions or metrics, and no numbers."""
    leaves = jax.tree_util.tree_leaves(x)
    return bool(leaves) and all(isinstance(m, str) or callable(m) for m in leaves)


def _pool_of_two(original):
    """Average pooling had a default size, as max pooling has today."""

    @functools.wraps(original)
    def init(self, pool_size=2, *args, **kwargs):
        return original(self, pool_size, *args, **kwargs)

    return init


def _input(original):
    """`Input(tensor=x)` of a KerasTensor that was computed, or is an input, is x."""

    @functools.wraps(original)
    def Input(*args, tensor=None, **kwargs):
        if tensor is None or not graphs.is_recorded(tensor):
            return original(*args, tensor=tensor, **kwargs)
        return tensor

    return Input


# -- losses and metrics of a graph ----------------------------------------------------


class AddLoss(layers.Layer):
    """Adds its input to the losses of the model."""

    def call(self, x):
        self.add_loss(x)
        return x


class AddMetric(layers.Layer):
    """Averages its input over an epoch, under a name."""

    def __init__(self, metric_name, **kwargs):
        super().__init__(**kwargs)
        self.metric_name = metric_name
        self.metric = metrics.Mean(name=metric_name)

    def call(self, x):
        self.metric.update_state(x)
        return x


registry.register("keras.legacy.layers", {"AddLoss": AddLoss, "AddMetric": AddMetric})


def _extend_graph(self, tensors):
    """Let a Functional model compute KerasTensors besides its outputs."""
    if "_mk_graph" not in vars(self):
        raise ValueError(
            f"{type(self).__name__} {self.name!r} is no graph, so it has no "
            "KerasTensors. Call add_loss within `call()`, on what it computes."
        )
    added = vars(self).setdefault("_mk_added", [])
    added += tensors
    self._mk_graph = graph = graphs.Graph(self.inputs, [*self.outputs, *added])
    found = [op for op in graph.operations if isinstance(op, layers.Layer)]
    self._mk_graph_layers = found
    self._mk_programs = {}


def _add_loss(original):
    @functools.wraps(original)
    def add_loss(self, loss, *args, **kwargs):
        flat = loss if isinstance(loss, (list, tuple)) else [loss]
        symbolic = [x for x in flat if is_keras_tensor(x)]
        if symbolic:
            _extend_graph(self, [AddLoss()(x) for x in symbolic])
        for x in flat:
            if not is_keras_tensor(x):
                original(self, x)

    return add_loss


def add_metric(self, value, name=None, aggregation="mean", **kwargs):
    """Average a KerasTensor of the model, or an array in `call`, over an epoch."""
    name = name or "metric"
    if is_keras_tensor(value):
        return _extend_graph(self, [AddMetric(name)(value)])
    known = [m for m in self._mk_own_metrics() if m.name == name]
    if not known:
        # Made by the first call, when the layer takes no new state any more.
        known = [metrics.Mean(name=name)]
        self._mk_lock(False)
        setattr(self, f"metric_{name}", known[0])
        self._mk_lock()
    known[0].update_state(value)


def add_update(self, updates, *args, **kwargs):
    """Nothing: what is assigned in `call` is assigned."""


# -- files ----------------------------------------------------------------------------

_WEIGHTS = (".weights.h5", ".weights.json", ".safetensors")


def _save(original):
    @functools.wraps(original)
    def save(self, filepath, overwrite=True, *args, **kwargs):
        path = os.fspath(filepath) if isinstance(filepath, (str, os.PathLike)) else ""
        kind = kwargs.get("save_format")
        ends = path.endswith((".keras", ".h5", ".hdf5"))
        if not path or ends and kind is None or kwargs.get("zipped") is not None:
            return original(self, filepath, overwrite, *args, **kwargs)
        kwargs.pop("save_format", None)
        if ends:
            return original(self, filepath, overwrite, *args, **kwargs)
        notice(f"save({path!r})", "a .keras file is written there; end it so")
        _replace(path, lambda file: api.save_model(self, file, **kwargs))

    return save


def _replace(path, write):
    """Write a file beside its place, and rename it."""
    if folder := os.path.dirname(path):
        os.makedirs(folder, exist_ok=True)
    with atomic_files.replace_file(api.as_path(path, "save"), False) as file:
        write(file)


def _save_weights(original):
    @functools.wraps(original)
    def save_weights(self, filepath, overwrite=True, *args, **kwargs):
        path, kind = os.fspath(filepath), kwargs.pop("save_format", None)
        if path.endswith(_WEIGHTS) or not self.built:
            return original(self, filepath, overwrite, *args, **kwargs)
        if not path.endswith((".h5", ".hdf5")) and kind != "h5":
            notice(
                f"save_weights({path!r})", "HDF5 is written there; end it .weights.h5"
            )

        def write(file):
            with late_import("h5py").File(file, "w") as h5:
                h5_model.write_weights(self, h5)

        _replace(path, write)

    return save_weights


def _load_weights(original):
    @functools.wraps(original)
    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        path = os.fspath(filepath)
        known = path.endswith((*_WEIGHTS, ".keras", ".h5", ".hdf5"))
        if known or not os.path.isfile(path):
            return original(self, filepath, skip_mismatch, **kwargs)
        with (
            safety.open_regular(path) as file,
            safety.open_h5_contents(file) as (h5, _),
        ):
            h5_model.load_weights(self, h5, skip_mismatch, **kwargs)

    return load_weights


def _save_model(original):
    @functools.wraps(original)
    def save_model(model, filepath, overwrite=True, *args, **kwargs):
        return model.save(filepath, overwrite, *args, **kwargs)

    return save_model


def _on_epoch_end(original):
    """`ModelCheckpoint(period=n)`: only after every n-th epoch."""

    @functools.wraps(original)
    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % getattr(self, "period", 1) == 0:
            original(self, epoch, logs)

    return on_epoch_end


def _of_checkpoint(original):
    both = calls.old_accuracy_wrapper(_on_epoch_end(original))
    both.__wrapped__ = original  # what `remove` puts back
    return both


def _init_with_period(original):
    @functools.wraps(original)
    def init(self, *args, period=1, options=None, **kwargs):
        original(self, *args, **kwargs)
        self.period = period
        if period != 1:
            notice("ModelCheckpoint(period=)", "save_freq= counts batches instead")

    return init


# -- attributes -----------------------------------------------------------------------


class _Attribute:
    """An attribute that is computed, unless the object has one of its own."""

    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner=None):
        return self if instance is None else self.function(instance)


def _shape(tensors):
    shapes = [x.shape for x in jax.tree_util.tree_leaves(tensors)]
    return shapes[0] if len(shapes) == 1 else shapes


def _at(kind, what=lambda x: x):
    """`get_input_at` and the like."""

    def method(self, node_index):
        nodes = self._mk_inbound_nodes
        if not -len(nodes) <= node_index < len(nodes):
            raise ValueError(
                f"Layer {self.name!r} was called on {len(nodes)} KerasTensors, so it "
                f"has no node {node_index}."
            )
        tensors = getattr(nodes[node_index], f"{kind}_tensors")
        return what(tensors[0] if len(tensors) == 1 else tensors)

    return method


def _set_lr(self, value):
    self.learning_rate = value


def _set_weights(self, weights):
    """Assign the arrays of `get_weights` to the state of an optimizer."""
    for variable, value in zip(self.variables, weights, strict=True):
        variable.assign(value)


def _to_yaml(self, **kwargs):
    raise RuntimeError(
        "to_yaml: reading YAML runs code, so Keras has dropped it. Use model.to_json()."
    )


_MADE = tuple(
    f"{start}make_{what}_function"
    for start in ("", "_")
    for what in ("train", "test", "predict")
)
# {class: {name: value}} of what is added.
_ADDED = {
    models.Model: {
        "compiled_loss": custom_loops.compiled_loss,
        "compiled_metrics": property(custom_loops.CompiledMetrics),
        "evaluate_generator": _of_generator("evaluate"),
        "fit_generator": fit_generator,
        "predict_generator": _of_generator("predict"),
        "reset_states": custom_loops.reset_states,
        **dict.fromkeys(_MADE, custom_loops.make_function),
        "to_yaml": _to_yaml,
    },
    models.Sequential: {
        "predict_classes": predict_classes,
        "predict_proba": predict_proba,
    },
    layers.Layer: {
        "add_metric": add_metric,
        "add_update": add_update,
        "get_input_at": _at("input"),
        "get_input_shape_at": _at("input", _shape),
        "get_output_at": _at("output"),
        "get_output_shape_at": _at("output", _shape),
        "inbound_nodes": _Attribute(lambda self: self._mk_inbound_nodes),
        "input_shape": _Attribute(lambda self: _shape(self.input)),
        "outbound_nodes": _Attribute(lambda self: self._outbound_nodes),
        "output_shape": _Attribute(lambda self: _shape(self.output)),
        "updates": _Attribute(lambda self: []),
    },
    metrics.Metric: {"reset_states": lambda self: self.reset_state()},
    optimizers.Optimizer: {
        "get_weights": lambda self: [v.numpy() for v in self.variables],
        "lr": property(lambda self: self.learning_rate, _set_lr),
        "get_updates": custom_loops.get_updates,
        "minimize": custom_loops.minimize,
        "set_weights": _set_weights,
        "weights": property(lambda self: self.variables),
    },
}
# {class or module: {name: function that wraps what is there}}.
_TRAINER = next(cls for cls in models.Model.__mro__ if "compile" in vars(cls))
_POOLING = next(c for c in layers.AveragePooling2D.__mro__ if "__init__" in vars(c))
_BUILDING = next(c for c in layers.Layer.__mro__ if "add_weight" in vars(c))
_UTILS = sys.modules["minikeras.utils"]  # which imports this module itself
_WRAPPED: dict[Any, dict[str, Any]] = {
    _TRAINER: {"compile": _compile},
    _POOLING: {"__init__": _pool_of_two},
    layers.Layer: {"add_loss": _add_loss},
    _BUILDING: {
        "add_variable": calls.add_weight_wrapper,
        "add_weight": calls.add_weight_wrapper,
    },
    models.Model: {
        "load_weights": _load_weights,
        "save": _save,
        "save_weights": _save_weights,
    },
    callbacks.ModelCheckpoint: {
        "__init__": _init_with_period,
        "_mk_check_ending": lambda original: functools.wraps(original)(
            lambda self: None
        ),
        "on_epoch_end": _of_checkpoint,
    },
    callbacks.EarlyStopping: {"on_epoch_end": calls.old_accuracy_wrapper},
    callbacks.ReduceLROnPlateau: {"on_epoch_end": calls.old_accuracy_wrapper},
    activations: {"relu": calls.relu_wrapper},
    _UTILS: {"to_categorical": calls.to_categorical_wrapper},
    callbacks.History: {"__init__": calls.history_wrapper},
    layers: {"Input": _input},
    minikeras: {"Input": _input},
    models: {"save_model": _save_model},
    saving: {"save_model": _save_model},
}
# {method or attribute: what to write today}, for those who read scripts.
METHODS = {
    "add_metric": "a keras.metrics.Metric in compile or in a layer",
    "add_update": "nothing, assignments in call() count",
    "evaluate_generator": "evaluate",
    "fit_generator": "fit",
    "get_input_at": "layer.input",
    "get_output_at": "layer.output",
    "lr": "optimizer.learning_rate",
    "predict_classes": "model.predict(x).argmax(axis=-1)",
    "predict_generator": "predict",
    "predict_proba": "predict",
    "to_yaml": "to_json",
}


def install() -> None:
    """Give models, layers and optimizers what they had in Keras 1 and 2."""
    if "fit_generator" in vars(models.Model):
        return
    for owner, members in _ADDED.items():
        for name, value in members.items():
            setattr(owner, name, value)
    for owner, members in _WRAPPED.items():
        for name, wrap in members.items():
            setattr(owner, name, wrap(vars(owner)[name]))


def remove() -> None:
    """Undo `install`; what was installed after it must be gone already."""
    if "fit_generator" not in vars(models.Model):
        return
    for owner, members in _ADDED.items():
        for name in members:
            delattr(owner, name)
    for owner, members in _WRAPPED.items():
        for name in members:
            setattr(owner, name, vars(owner)[name].__wrapped__)
