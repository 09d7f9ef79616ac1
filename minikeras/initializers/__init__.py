"""Objects that give weights their first values: `initializer(shape, dtype)`."""

import jax
import numpy as np

from minikeras.core import registry
from minikeras.initializers.constant import STFT, Constant, Identity, Ones, Zeros
from minikeras.initializers.initializer import ArrayInitializer, Initializer
from minikeras.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from minikeras.core.family import Family as _Family

constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_family = _Family(
    "initializers",
    "initializer",
    {
        "Constant": Constant,
        "GlorotNormal": GlorotNormal,
        "GlorotUniform": GlorotUniform,
        "HeNormal": HeNormal,
        "HeUniform": HeUniform,
        "Identity": Identity,
        "IdentityInitializer": Identity,
        "Initializer": Initializer,
        "LecunNormal": LecunNormal,
        "LecunUniform": LecunUniform,
        "Ones": Ones,
        "Orthogonal": Orthogonal,
        "OrthogonalInitializer": Orthogonal,
        "RandomNormal": RandomNormal,
        "RandomUniform": RandomUniform,
        "STFT": STFT,
        "STFTInitializer": STFT,
        "TruncatedNormal": TruncatedNormal,
        "VarianceScaling": VarianceScaling,
        "Zeros": Zeros,
        "normal": RandomNormal,
        "one": Ones,
        "uniform": RandomUniform,
        "zero": Zeros,
    },
)


def deserialize(config, custom_objects=None):
    """Make an initializer from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.

    Raises:
        ValueError: unknown name.
    """
    return _family.deserialize(config, custom_objects)


def serialize(initializer):
    """Write an initializer as a config dict that `deserialize` reads.

    Args:
        initializer: an `Initializer` or a function.
    """
    return _family.serialize(initializer)


def get(identifier):
    """Make an initializer from its name, config, class or an array.

    A name makes a new object. So an initializer without a seed draws its seed from
    Python's `random` in this call.

    Args:
        identifier: name, config dict, class, function, object, or an array of the
            weight's shape; None stays None.

    Returns:
        An `Initializer` or a function; a function or object is returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> get("he_normal").get_config()["seed"] is None
    True
    """
    if isinstance(identifier, (np.ndarray, jax.Array)):
        return ArrayInitializer(identifier)
    return _family.get(identifier)


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
registry.register_all("keras.initializers", globals())
