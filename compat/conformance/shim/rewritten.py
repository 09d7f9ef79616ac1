"""Private helpers that tests use often, written again on public names alone.

`REWRITTEN` maps the place of a definition below keras.src to `f(target) -> object`.
"""

import collections
import os

from compat.conformance.shim.placeholders import Placeholder, PrivateKerasAPI


def _get_mask(target):
    def get_keras_mask(x):
        if hasattr(x, "_keras_mask"):
            return x._keras_mask
        if isinstance(x, target.KerasTensor):
            return None
        raise PrivateKerasAPI("get_keras_mask of a backend tensor")

    return get_keras_mask


def _set_mask(target):
    def set_keras_mask(x, mask):
        try:
            x._keras_mask = mask
        except AttributeError:
            raise PrivateKerasAPI("set_keras_mask on a backend tensor") from None

    return set_keras_mask


def _compute_output_spec(target):
    def compute_output_spec(fn, *args, **kwargs):
        class Call(target.Operation):
            def call(self, *args, **kwargs):
                return fn(*args, **kwargs)

        return Call().compute_output_spec(*args, **kwargs)

    return compute_output_spec


def _tracked(value):
    """The type that a layer gives to a container assigned to an attribute."""

    def make(target):
        layer = target.Layer()
        layer.some_attribute = value
        return type(layer.some_attribute)

    return make


def _trainer(target):
    """The class that gives Model its fit(), if it is a mixin of its own."""
    owner = next(c for c in target.Model.__mro__ if "fit" in vars(c))
    if issubclass(owner, target.Layer):
        return Placeholder("Trainer mixin", PrivateKerasAPI)
    return owner


def _functional(target):
    x = target.Input((1,))
    return type(target.Model(x, x))


def _save_model(target):
    def save_model(model, filepath, weights_format="h5", zipped=True):
        if weights_format != "h5" or hasattr(filepath, "write"):
            raise PrivateKerasAPI("saving_lib.save_model to a file object")
        return target.saving.save_model(model, filepath, zipped=zipped)

    return save_model


def _save_weights(target):
    return lambda model, filepath, **settings: model.save_weights(filepath, **settings)


def _load_weights(target):
    return lambda model, filepath, **settings: model.load_weights(filepath, **settings)


_H5 = "legacy.saving.legacy_h5_format"

REWRITTEN = {
    "backend.common.masking.get_keras_mask": _get_mask,
    "backend.common.masking.set_keras_mask": _set_mask,
    "backend.jax.core.compute_output_spec": _compute_output_spec,
    "backend.jax.trainer.JAXTrainer": _trainer,
    "backend.jax.core.random_seed_dtype": lambda target: lambda: "uint32",
    f"{_H5}.save_model_to_hdf5": lambda target: target.saving.save_model,
    f"{_H5}.load_model_from_hdf5": lambda target: target.saving.load_model,
    "models.functional.Functional": _functional,
    "saving.saving_lib.load_model": lambda target: target.saving.load_model,
    "saving.saving_lib.save_model": _save_model,
    "saving.saving_lib.save_weights_only": _save_weights,
    "saving.saving_lib.load_weights_only": _load_weights,
    "utils.tracking.TrackedDict": _tracked({}),
    "utils.tracking.TrackedList": _tracked([]),
    "utils.tracking.TrackedOrderedDict": _tracked(collections.OrderedDict()),
    "utils.tracking.TrackedSet": _tracked(set()),
    "utils.file_utils.join": lambda target: os.path.join,
    "utils.python_utils.removesuffix": lambda target: str.removesuffix,
    "utils.python_utils.removeprefix": lambda target: str.removeprefix,
}


def seed_generators(target, obj):
    """SeedGenerators below a layer, found by walking plain attributes."""
    found, seen, todo = [], set(), [obj]
    while todo:
        x = todo.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, target.random.SeedGenerator):
            found.append(x)
        elif isinstance(x, target.Layer):
            todo += list(vars(x).values())
        elif isinstance(x, (list, tuple, set)):
            todo += list(x)
        elif isinstance(x, dict):
            todo += list(x.values())
    return found
