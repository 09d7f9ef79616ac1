"""Models of Keras as models of minikeras, and back, in memory.

The structure travels as a config, as it does in files; the values of all Variables, the
seeds among them, as arrays. Functions need no file, so they are carried over as they
are: the same Python function works on the arrays of both.
"""

import contextlib
import operator
import tempfile
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import minikeras
from minikeras.core import serialization
from minikeras.core.late_import import late_import, restored_random_state

_PACKAGES = ("keras", "minikeras")
_sublayers = operator.methodcaller("_flatten_layers")


def from_keras(model: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a minikeras model of one of Keras.

    It has the same structure, weights, flags, state of random generators and settings
    of `compile`, the state of the optimizer too, so that training goes on from there.
    Metrics begin anew, as after a file is loaded.

    Args:
        model: Keras model or layer, which stays as it is.
        custom_objects: {name of a class or function of yours in the model: what takes
            its place in minikeras}. Python functions are carried over without it.

    Returns:
        A minikeras model or layer.

    Raises:
        TypeError: no model or layer of Keras.
        ImportError: Keras is not installed.
        ValueError: a class has no counterpart, or cannot be made from its config.
    """
    keras = real_keras("from_keras")
    _check_is_layer("from_keras", model, keras, "Keras")
    return _exchange("from_keras", model, keras, minikeras, custom_objects)


def to_keras(model: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a Keras model of one of minikeras; the opposite of `from_keras`.

    Args:
        model: minikeras model or layer, which stays as it is.
        custom_objects: {name of a class or function of yours in the model: what takes
            its place in Keras}. Python functions are carried over without it.

    Returns:
        A Keras model or layer, whatever the backend of Keras is.

    Raises:
        TypeError: no model or layer of minikeras.
        ImportError: Keras is not installed.
        ValueError: a class has no counterpart, or cannot be made from its config.
    """
    _check_is_layer("to_keras", model, minikeras, "minikeras")
    keras = real_keras("to_keras")
    return _exchange("to_keras", model, minikeras, keras, custom_objects)


def real_keras(name: str) -> types.ModuleType:
    """Import Keras itself.

    Args:
        name: function that needs it, for errors.

    Returns:
        The module `keras`.

    Raises:
        ImportError: Keras is not installed, or minikeras stands in its place.
    """
    try:
        keras = late_import("keras")
    except ModuleNotFoundError as error:
        if error.name != "keras":  # its backend is missing
            raise
        raise ImportError(
            f'{name}() needs Keras, which is not installed: pip install "'
            'minikeras-jax[parity]".'
        ) from None
    if issubclass(keras.layers.Layer, minikeras.layers.Layer):
        raise ImportError(
            f"{name}() needs Keras itself, but minikeras.install_as_keras() has put "
            "minikeras in its place. Call minikeras.uninstall_as_keras() first."
        )
    return keras


def _check_is_layer(name, model, package, title):
    """TypeError unless it is a model or layer of the package."""
    if isinstance(model, package.layers.Layer):
        return
    cls = model if isinstance(model, type) else type(model)
    what = "the class" if isinstance(model, type) else "an object of the class"
    raise TypeError(
        f"{name}() takes a model or layer of {title}, got {what} "
        f"{cls.__module__}.{cls.__qualname__}."
    )


def _exchange(name, source, left, right, custom_objects):
    """The counterpart in the package `right` of a layer or model of `left`."""
    with restored_random_state(), _renamed(functions_of(source)) as functions:
        with _sharing(left):
            config = left.saving.serialize_keras_object(source)
        compiled = config.pop("compile_config", None)
        objects = _counterparts(
            name, (config, compiled), left, right, custom_objects or {}, functions
        )
        with right.saving.custom_object_scope(objects), _sharing(right):
            with _explained(name, f"{config['class_name']} of its config", right):
                target = right.saving.deserialize_keras_object(config)
            _copy_state(name, source, target)
            if compiled:
                with _explained(name, f"what {source.name!r} is compiled with", right):
                    target.compile_from_config(compiled)
                _copy_optimizer(name, source, target)
    return target


def _sharing(package):
    """A scope in which an object that occurs twice in a config stays one object."""
    if package is minikeras:
        return serialization.SharingScope()
    lib = late_import("keras.src.saving.serialization_lib")
    return lib.ObjectSharingScope()


@contextlib.contextmanager
def _explained(name, what, package):
    """Turn errors within into a ValueError that says what could not be made."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"{name}: {package.__name__} could not make {what}: {error}"
        ) from error


# -- functions ------------------------------------------------------------------------


def functions_of(obj: Any) -> list[types.FunctionType]:
    """Find the user's Python functions that an object of either package holds.

    Args:
        obj: layer, model or any other object of Keras or minikeras.

    Returns:
        List of functions: of Lambda layers, losses, metrics, activations and so on.
    """
    found, seen, rest = [], {}, [obj]
    while rest:
        x = rest.pop()
        if id(x) in seen:
            continue
        seen[id(x)] = x  # kept, so that no later object gets its id
        if isinstance(x, types.FunctionType):
            if _room(x) not in _PACKAGES:
                found.append(x)
        elif isinstance(x, dict):
            rest.extend(x.values())
        elif isinstance(x, (list, tuple, set)):
            rest.extend(x)
        elif any(_room(base) in _PACKAGES for base in type(x).__mro__):
            rest.extend(getattr(x, "__dict__", {}).values())
    return found


def _room(x):
    """The package that a class or function is of."""
    return str(x.__module__).partition(".")[0]


@contextlib.contextmanager
def _renamed(functions: Iterable[Any]) -> Iterator[list[tuple[str, Any]]]:
    """Give functions unique names for a while, under which configs then hold them.

    A lambda would be written as bytecode, and two functions may have one name.
    """
    names = [(function, function.__name__) for function in functions]
    try:
        for i, (function, old) in enumerate(names):
            function.__name__ = f"{old.strip('<>')}__{i}"
        yield [(old, function) for function, old in names]
    finally:
        for function, old in names:
            function.__name__ = old


# -- classes --------------------------------------------------------------------------


def _counterparts(name, config, left, right, custom, functions):
    """{registered name: class or function} of all that is not the package's own."""
    # A function that the user registered goes by that name.
    registered_name = left.saving.get_registered_name
    found = {
        registered_name(function): custom.get(old, function)
        for old, function in functions
    }
    for node in _nodes(config):
        cls, module = node["class_name"], str(node.get("module"))
        registered = node.get("registered_name")
        if not registered or cls == "function" or cls.startswith("__"):
            continue
        if module.partition(".")[0] not in ("keras", "builtins", "jax"):
            other = custom.get(registered, custom.get(cls))
            if other is None:
                other = right.saving.get_registered_object(registered)
            _check_counterpart(name, cls, other, left, right)
            found[registered] = other
    return {**custom, **found}


def _check_counterpart(name, cls, other, left, right):
    """ValueError unless a class of the other package is given for one of the user's."""
    what = f"a class {cls} that subclasses {right.__name__}'s"
    if other is None:
        raise ValueError(
            f"{name}: {cls} is a class of your own, and {right.__name__} has no "
            f"counterpart. Pass {what} as custom_objects={{{cls!r}: ...}}."
        )
    if any(_room(base) == left.__name__ for base in getattr(other, "__mro__", ())):
        raise ValueError(
            f"{name}: custom_objects[{cls!r}] is {other.__qualname__}, a class of "
            f"{left.__name__}'s layers. Pass {what}."
        )


def _nodes(config):
    """Generate the configs of objects within a config."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str) and "config" in config:
            yield config
        for value in config.values():
            yield from _nodes(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _nodes(value)


# -- values ---------------------------------------------------------------------------


def value_of(variable: Any) -> np.ndarray:
    """Read a Variable of either package, whatever the backend.

    Args:
        variable: Variable of Keras or minikeras.

    Returns:
        NumPy array of the same dtype.
    """
    if isinstance(variable, minikeras.Variable):
        return np.asarray(variable.value)
    return np.asarray(late_import("keras").ops.convert_to_numpy(variable.value))


def _copy_state(name, source, target):
    """Flags, values of Variables, and what layers keep beside these."""
    if source.built and not target.built:
        raise ValueError(
            f"{name}: {source.name!r} is built, but what its config makes is not. "
            f"{type(target).__name__} needs a `build(input_shape)` that makes its "
            "weights."
        )
    pairs = list(zip(_sublayers(source), _sublayers(target), strict=False))
    for left, right in pairs:
        if left.trainable != right.trainable:
            right.trainable = left.trainable  # of all below, too; they come later
    _copy(name, f"{source.name!r}", source.variables, target.variables)
    for left, right in pairs:
        _copy_own_state(left, right)
    for left, right in zip(source.variables, target.variables, strict=True):
        if left.trainable != right.trainable:
            right.trainable = left.trainable
    for _, right in pairs:
        if hasattr(right, "finalize_state"):  # what `Normalization` derives from them
            right.finalize_state()


def _copy_own_state(source, target):
    """What a layer saves by methods of its own: vocabularies, arrays of a user's."""
    if hasattr(source, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            source.save_assets(folder)
            target.load_assets(folder)
    if _is_users(source, "save_own_variables"):
        store: dict[str, Any] = {}
        source.save_own_variables(store)
        target.load_own_variables({k: _as_array(v) for k, v in store.items()})


def _is_users(layer, method):
    """Is a method of a layer defined by a class of the user's?"""
    owner = next((c for c in type(layer).__mro__ if method in vars(c)), object)
    return _room(owner) not in (*_PACKAGES, "builtins")


def _as_array(x):
    return value_of(x) if hasattr(x, "value") and hasattr(x, "assign") else x


def _copy(name, what, sources, targets):
    """Copy the values of Variables; ValueError unless the two lists fit."""
    shapes = [[tuple(v.shape) for v in part] for part in (sources, targets)]
    if shapes[0] != shapes[1]:
        pairs = zip(sources, targets, strict=False)
        first = [v.path for p in pairs if p[0].shape != p[1].shape for v in p[:1]]
        raise ValueError(
            f"{name}: {what} has {len(sources)} variables, its counterpart "
            f"{len(targets)}, or of other shapes"
            f"{f', first at {first[0]!r}' if first else ''}. A class of your own must "
            "make the same weights in both packages, in the same order, when it is "
            "made and built from its config."
        )
    for left, right in zip(sources, targets, strict=True):
        right.assign(value_of(left).astype(_dtype(right)))


def _dtype(variable):
    return value_of(variable).dtype


def _copy_optimizer(name, source, target):
    """Step count, learning rate and slots."""
    if source.optimizer is None or getattr(target, "optimizer", None) is None:
        return
    if not source.optimizer.built:
        return  # it has made no step, and the config has the learning rate
    slots = [list(model.optimizer.variables) for model in (source, target)]
    _copy(name, f"the optimizer of {source.name!r}", *slots)
