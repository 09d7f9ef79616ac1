"""Dtype policies by the paths of layers."""

from collections.abc import MutableMapping

from minikeras.core import path_map
from minikeras.core.dtype_policy import DTypePolicy, get_policy
from minikeras.core.serialization import serialize_keras_object


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the paths of layers, for a layer whose sub-layers need several.

    A key is a path, or a regular expression that matches whole paths.

    Args:
        default_policy: policy, or its name, for paths without an entry; None: the
            global policy.
        policy_map: {path or regular expression: policy or its name}; None: empty.

    Raises:
        TypeError: `policy_map` is no dict.
        ValueError: `default_policy` is a map.

    >>> policies = DTypePolicyMap("float32", {"model/decoder/.*": "bfloat16"})
    >>> policies["model/decoder/dense"], policies["model/encoder"]
    (<DTypePolicy "bfloat16">, <DTypePolicy "float32">)
    """

    def __init__(self, default_policy=None, policy_map=None):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "DTypePolicyMap: If specified, `policy_map` must be a dict. Got "
                f"{policy_map!r} ({type(policy_map).__name__})."
            )
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: default_policy cannot be a map itself.")
        self._default_policy_arg = default_policy
        self._default_policy = get_policy(default_policy)
        self._policy_map = {
            path: get_policy(policy) for path, policy in (policy_map or {}).items()
        }

    @property
    def default_policy(self):
        """The policy of paths without an entry."""
        return self._default_policy

    @property
    def name(self):
        """The text "map_" and the name of the default policy."""
        return f"map_{self._default_policy.name}"

    @property
    def compute_dtype(self):
        """The compute dtype of the default policy."""
        return self._default_policy.compute_dtype

    @property
    def variable_dtype(self):
        """The variable dtype of the default policy."""
        return self._default_policy.variable_dtype

    @property
    def quantization_mode(self):
        """The quantization mode of the default policy."""
        return self._default_policy.quantization_mode

    def of(self, layer):
        """Find the policy of a layer.

        Args:
            layer: layer, whose `path` is looked up.

        Raises:
            ValueError: several keys match.
        """
        return self[layer.path]

    def __getitem__(self, path):
        return path_map.find(
            self._policy_map, path, self._default_policy, "dtype policy"
        )

    def __setitem__(self, path, policy):
        if path in self._policy_map:
            raise ValueError(
                f"{path} already exist in the DTypePolicyMap, with the policy "
                f"{self._policy_map[path]!r}. Delete the entry first."
            )
        try:
            self._policy_map[path] = get_policy(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "DTypePolicyMap: Cannot interpret the assigned value. Expected a "
                f"policy, its name or config, got {policy!r}."
            ) from error

    def __delitem__(self, path):
        del self._policy_map[path]

    def __contains__(self, path):
        return path in self._policy_map

    def __len__(self):
        return len(self._policy_map)

    def __iter__(self):
        return iter(self._policy_map)

    def __repr__(self):
        mapping = [(path, policy.name) for path, policy in self.items()]
        return (
            f"<DTypePolicyMap at {id(self):#x} "
            f"default_policy={self._default_policy.name}, mapping={mapping}>"
        )

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__

    def get_config(self):
        """The constructor's arguments, with policies as configs.

        If no default policy was given, the entries have no source either: they follow
        the global policy at the time of loading, as in Keras.
        """
        default = self._default_policy_arg
        configs = {path: serialize_keras_object(p) for path, p in self.items()}
        if default is None:
            for entry in configs.values():
                own = entry["config"]
                own["source_name" if "source_name" in own else "name"] = None
        return {"default_policy": default, "policy_map": configs}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make a map from a config.

        Args:
            config: dict as `get_config()` returns it.
            custom_objects: not used; as in other classes.
        """
        return cls(**config)
