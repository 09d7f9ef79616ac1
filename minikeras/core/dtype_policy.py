"""Dtype policies: the dtypes in which a layer stores its weights and computes."""

from collections.abc import Callable, Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.core import registry
from minikeras.core.dtypes import is_float, is_text, standardize_dtype
from minikeras.core.serialization import deserialize_keras_object
from minikeras.settings import floatx

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """The dtype in which a layer stores its weights, and the one in which it computes.

    Args:
        name: name of a dtype for both; or `"mixed_float16"` or `"mixed_bfloat16"`:
            weights are float32, the computation is float16 or bfloat16. None: the name
            of the default policy.

    Raises:
        TypeError: `name` is no string.
        ValueError: `name` is no dtype and no mixed policy.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    def __init__(self, name: str | None = None):
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                f"{type(self).__name__}: 'name' must be a string, such as "
                f"'mixed_bfloat16', got {name!r} ({type(name).__name__})."
            )
        self._name = name
        if name in _MIXED:
            self._compute_dtype, self._variable_dtype = _MIXED[name], "float32"
            return
        try:
            dtype = standardize_dtype(name)
        except ValueError:
            raise ValueError(
                f"Cannot convert {name!r} to a {type(self).__name__}. Expected a dtype "
                f"name, or one of {sorted(_MIXED)}."
            ) from None
        self._compute_dtype = self._variable_dtype = dtype

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype of the layer's inputs, computation and outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Name of the dtype of the layer's weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """None: weights are not quantized."""
        return None

    def of(self, layer: Any) -> "DTypePolicy":
        """The policy of one layer; a map of policies chooses it by the layer's path.

        Args:
            layer: a layer that was given this policy.

        Returns:
            This policy, as it is no map.
        """
        del layer
        return self

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Convert an input of a layer to an array; cast floats.

        Args:
            x: array, KerasTensor, number or nested lists; others are returned as
                they are.
            autocast: are floats cast to `dtype`?
            dtype: dtype of the result, where `x` holds floats.
        """
        dtype = standardize_dtype(dtype)
        if not hasattr(x, "dtype"):
            if not hasattr(x, "__array__"):
                return x
            x = np.asarray(x)
        if is_text(x):
            return x  # text, which only layers that work on the host take
        if isinstance(x, np.ndarray) or np.isscalar(x):
            x = jnp.asarray(x)
        if not autocast or not is_float(x.dtype) or str(x.dtype) == dtype:
            return x
        if hasattr(x, "astype"):
            return x.astype(dtype)
        return registry.get_op("Cast")(x, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a JSON-ready dict."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        """Make a policy from a config.

        Args:
            config: dict, as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        kind = "DTypePolicy" if type(self) is FloatDTypePolicy else type(self).__name__
        return f'<{kind} "{self._name}">'

    def __eq__(self, other):
        return (
            isinstance(other, DTypePolicy) and self.get_config() == other.get_config()
        )

    def __hash__(self):
        return hash(self.name)


class FloatDTypePolicy(DTypePolicy):
    """`DTypePolicy` under an older name.

    Args:
        name: name of a dtype or of a mixed policy.

    >>> FloatDTypePolicy("float16")
    <DTypePolicy "float16">
    """


# {first letters of a name: function from the name to the policy}. Quantized policies
# enter themselves, because their room imports this file.
_makers: dict[str, Callable[[str], DTypePolicy]] = {}


def register_policies(
    starts: Iterable[str], policy_of: Callable[[str], DTypePolicy]
) -> None:
    """Make `get_policy` return `policy_of(name)` for names that begin like this.

    Args:
        starts: the first letters, such as `"int8"`.
        policy_of: function from the whole name to a `DTypePolicy`.
    """
    _makers.update(dict.fromkeys(starts, policy_of))


def dtype_policy() -> DTypePolicy:
    """The policy that new layers take by default."""
    policy = settings.default_dtype_policy()
    return policy if policy is not None else DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy that new layers take by default.

    Args:
        policy: name such as `"mixed_bfloat16"`, config dict, or `DTypePolicy`.

    Raises:
        ValueError: none of these.
    """
    if not isinstance(policy, (str, dict, DTypePolicy)):
        raise ValueError(
            "Invalid `policy` argument: set_dtype_policy expects a name such as "
            f"'mixed_bfloat16', or a policy. Got {policy!r} ({type(policy).__name__})."
        )
    settings.set_default_dtype_policy(get_policy(policy))


def get_policy(identifier: Any) -> DTypePolicy:
    """The policy that is meant by a name, a dtype or a config.

    Args:
        identifier: dtype, name of a policy, config dict, `DTypePolicy`, or None for
            the default policy.

    Raises:
        ValueError: none of these.

    >>> get_policy(np.float16), get_policy("int8_from_float32")
    (<DTypePolicy "float16">, <QuantizedDTypePolicy "int8_from_float32">)
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        policy = deserialize_keras_object(identifier)
        if isinstance(policy, DTypePolicy):
            return policy
    elif isinstance(identifier, str):
        for start, policy_of in _makers.items():
            if identifier.startswith(start):
                return policy_of(identifier)
        return DTypePolicy(identifier)
    else:
        try:
            return DTypePolicy(standardize_dtype(identifier))
        except (ValueError, TypeError):
            pass
    raise ValueError(
        "Cannot interpret `dtype` argument. Expected a dtype, the name of a policy, a "
        f"policy or its config, got {identifier!r}."
    )


registry.register(
    "keras", {"DTypePolicy": DTypePolicy, "FloatDTypePolicy": FloatDTypePolicy}
)
