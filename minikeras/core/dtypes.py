"""Dtypes by name, their promotion, and the policies that layers follow."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import config
from minikeras.config import floatx
from minikeras.core import registry

FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")
INTS = (
    *("int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
COMPLEX = ("complex64", "complex128")
ALLOWED = {*FLOATS, *INTS, *COMPLEX, "bool", "string"}
_PYTHON = {bool: "bool", int: "int32", "int": "int32", str: "string"}
_PYTHON[complex] = "complex64"


def standardize_dtype(dtype) -> str:
    """Any spelling of a dtype -> its name; None -> `floatx()`.

    >>> standardize_dtype(None), standardize_dtype(int), standardize_dtype(np.float16)
    ('float32', 'int32', 'float16')
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if dtype is float:
        return floatx()
    name = _PYTHON.get(dtype) if isinstance(dtype, (type, str)) else None
    if name is None:
        try:
            name = np.dtype(dtype).name if not isinstance(dtype, str) else dtype
        except TypeError:
            name = getattr(dtype, "name", str(dtype))
    if name not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype!r}. Known: {sorted(ALLOWED)}.")
    return name


def as_jax(dtype):
    """Name -> what jax.numpy takes as a dtype."""
    return jnp.dtype(standardize_dtype(dtype))


def standardize_shape(shape) -> tuple:
    """Tuple of ints >= 0 or None; ValueError / TypeError names the bad entry."""
    if shape is None:
        raise ValueError("A shape cannot be None (unknown rank).")
    if isinstance(shape, (int, np.integer)):
        raise ValueError(f"A shape must be a tuple of ints, got {shape!r}.")
    sizes = []
    for size in shape:
        if size is None:
            sizes.append(None)
            continue
        if not hasattr(size, "__index__") or isinstance(size, bool):
            raise ValueError(
                f"A shape holds ints or None, got {size!r} ({type(size).__name__}) "
                f"in {tuple(shape)}."
            )
        if size.__index__() < 0:
            raise ValueError(f"A size cannot be negative: got {tuple(shape)}.")
        sizes.append(size.__index__())
    return tuple(sizes)


def is_float(dtype) -> bool:
    """Is it one of the float dtypes?

    >>> is_float("bfloat16"), is_float(int)
    (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int(dtype) -> bool:
    """Is it one of the signed or unsigned integer dtypes?"""
    return standardize_dtype(dtype) in INTS


def result_type(*dtypes) -> str:
    """The dtype that an operation on arrays of these dtypes gives.

    Python's `int` and `float` are weak: they take the other operand's width.

    >>> result_type("int32", float), result_type(int, "float16")
    ('float32', 'float16')
    """
    if not dtypes:
        return floatx()
    weak = [kind(1) for kind in (int, float) if kind in dtypes]
    names = {standardize_dtype(d) for d in dtypes if d is not int and d is not float}
    if any(name.startswith("float8") for name in names):
        raise ValueError(
            "result_type: There is no implicit conversions from float8 dtypes, which "
            f"do not mix with anything, got {sorted(names)}. Cast one of them."
        )
    if "string" in names:
        if len(names) > 1 or weak:
            raise ValueError(f"result_type: {dtypes}: strings do not mix with numbers.")
        return "string"
    if "uint64" in names and any(name[0] == "i" for name in names):
        weak.append(1.0)  # no integer dtype holds both
    strong = [jax.dtypes.canonicalize_dtype(as_jax(name)) for name in names]
    return standardize_dtype(jnp.result_type(*strong, *weak))


_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """What dtype a layer stores its weights in and what dtype it computes in.

    Args:
        name: a dtype name (both are that dtype), or `"mixed_float16"` /
            `"mixed_bfloat16"` (float32 weights, half-width computation).
            None: the global policy's name.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    def __init__(self, name=None):
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
    def name(self):
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self):
        """Dtype of the layer's inputs, computation and outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self):
        """Dtype of the layer's weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self):
        """None: weights are not quantized."""
        return None

    def of(self, layer):
        """The policy that a layer which was given this one follows: itself."""
        del layer
        return self

    def convert_input(self, x, autocast, dtype):
        """Array-like -> array; floats are cast to `dtype` if `autocast`."""
        dtype = standardize_dtype(dtype)
        if not hasattr(x, "dtype"):
            if not hasattr(x, "__array__"):
                return x
            x = np.asarray(x)
        if isinstance(x, np.ndarray) or np.isscalar(x):
            x = jnp.asarray(x)
        if not autocast or not is_float(x.dtype) or str(x.dtype) == dtype:
            return x
        if hasattr(x, "astype"):
            return x.astype(dtype)
        return registry.op("Cast")(x, dtype)

    def get_config(self):
        """`{"name": ...}`."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """The policy of `get_config()`."""
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
    """`DTypePolicy` under an older name."""


def dtype_policy() -> DTypePolicy:
    """The policy that new layers take by default."""
    policy = config._settings["dtype_policy"]
    return policy if policy is not None else DTypePolicy(floatx())


def set_dtype_policy(policy) -> None:
    """Set the default policy from a name, config or policy."""
    if not isinstance(policy, (str, dict, DTypePolicy)):
        raise ValueError(
            "Invalid `policy` argument: set_dtype_policy expects a name such as "
            f"'mixed_bfloat16', or a policy. Got {policy!r} ({type(policy).__name__})."
        )
    config._settings["dtype_policy"] = get_policy(policy)


def get_policy(identifier) -> DTypePolicy:
    """None, dtype, name of a policy, config or policy -> policy.

    >>> get_policy(np.float16), get_policy("int8_from_float32")
    (<DTypePolicy "float16">, <QuantizedDTypePolicy "int8_from_float32">)
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        from minikeras.core.serialization import deserialize_keras_object

        policy = deserialize_keras_object(identifier)
        if isinstance(policy, DTypePolicy):
            return policy
    elif isinstance(identifier, str):
        from minikeras.core import policies

        if identifier.startswith(policies.QUANTIZATION_MODES):
            return policies.quantized_policy(identifier)
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
