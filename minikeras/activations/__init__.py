"""Activation functions: elementwise (or along an axis), on arrays or KerasTensors."""

from minikeras.activations.activations import (
    exponential,
    gelu,
    linear,
    mish,
    relu,
)
from minikeras.core import registry
from minikeras.ops.activation import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from minikeras.ops.elementwise import tanh
from minikeras.core.family import Family as _Family

hard_swish = hard_silu
swish = silu

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
_functions = set(__all__) - {"deserialize", "get", "serialize"}
_family = _Family(
    "activations",
    "activation function",
    {name: globals()[name] for name in _functions},
    instantiate=False,
)


def deserialize(config, custom_objects=None):
    """Make an activation from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.
    """
    return _family.deserialize(config, custom_objects)


def serialize(activation):
    """Write an activation as what `deserialize` reads.

    Args:
        activation: a function, or a layer.

    Returns:
        Name of a function; config dict of a layer.

    Raises:
        TypeError: `activation` is not callable.

    >>> serialize(swish)
    'silu'
    """
    if not callable(activation):
        raise TypeError(
            f"activations.serialize: expected a function or a layer, got {activation!r}."
        )
    return _family.serialize(activation)


def get(identifier):
    """Make an activation from its name or config.

    Args:
        identifier: name, config, function or layer; None gives `linear`.

    Returns:
        A function or layer; a function or layer is returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> get("swish") is silu, get(None) is linear
    (True, True)
    """
    return linear if identifier is None else _family.get(identifier)


registry.register_all("keras.activations", globals())
