"""Different optimizers for different weights."""

from collections.abc import MutableMapping

from minikeras.core import path_map
from minikeras.core.members import Alias
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_dict,
    serialize_keras_object,
)
from minikeras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from minikeras.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping):
    """Optimizers by the paths of weights; calling it with a weight gives its optimizer.

    A key is a path, or a regular expression that matches whole paths.

    Args:
        default_optimizer: `Optimizer` of the weights that no key matches.
        optimizer_map: {key: `Optimizer`}; None: empty.

    Raises:
        TypeError: `default_optimizer` is no optimizer, or `optimizer_map` no dict.

    >>> adam, sgd = keras.optimizers.Adam(), keras.optimizers.SGD(0.1)
    >>> rules = keras.optimizers.OptimizerMap(adam, {".*/bias": sgd})
    """

    def __init__(self, default_optimizer, optimizer_map=None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "OptimizerMap: `default_optimizer` must be an optimizer, got "
                f"{default_optimizer!r}. Try keras.optimizers.get(...) of it."
            )
        if not isinstance(optimizer_map or {}, dict):
            raise TypeError(
                "OptimizerMap: `optimizer_map` must be a dict {path or regular "
                f"expression: optimizer}}, got {optimizer_map!r}."
            )
        self._mk_default_optimizer, self._mk_optimizer_map = default_optimizer, {}
        self.update(optimizer_map or {})

    @property
    def default_optimizer(self):
        """The optimizer of weights that no key matches."""
        return self._mk_default_optimizer

    def __getitem__(self, key):
        return self._mk_optimizer_map.get(key, self._mk_default_optimizer)

    def __setitem__(self, key, optimizer):
        """Set the optimizer of the weights whose path matches a new key."""
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a key must be a string, got {key!r}.")
        if key in self._mk_optimizer_map:
            raise ValueError(
                f"OptimizerMap: {key!r} has an optimizer already: "
                f"{self._mk_optimizer_map[key].name!r}. Delete it first."
            )
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"OptimizerMap: the optimizer of {key!r} must be an optimizer, got "
                f"{optimizer!r}. Try keras.optimizers.get(...) of it."
            )
        if isinstance(optimizer, _WRAPPER_CLASSES):
            raise ValueError(
                f"OptimizerMap: the optimizer cannot be {type(optimizer).__name__}. "
                "Wrap the MultiOptimizer in the LossScaleOptimizer instead."
            )
        self._mk_optimizer_map[key] = optimizer

    def __delitem__(self, key):
        del self._mk_optimizer_map[key]

    def __len__(self):
        return len(self._mk_optimizer_map)

    def __iter__(self):
        return iter(self._mk_optimizer_map)

    def __call__(self, variable):
        """Find the optimizer of a weight.

        Args:
            variable: the weight, a `Variable`.

        Raises:
            ValueError: several keys match its path.
        """
        return path_map.find(
            self._mk_optimizer_map,
            variable.path,
            self._mk_default_optimizer,
            "optimizer",
        )

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "default_optimizer": serialize_keras_object(self._mk_default_optimizer),
            "optimizer_map": serialize_dict(self._mk_optimizer_map),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make a map from a config.

        Args:
            config: dict as `get_config()` returns it.
            custom_objects: {name: class or function} of your own that it names.
        """
        return cls(**deserialize_keras_object(config, custom_objects))


class MultiOptimizer(Optimizer):
    """Update each weight by the optimizer chosen for it.

    Each inner optimizer has its own learning rate, clipping, weight decay, averages and
    count of steps.

    Args:
        optimizer_map: `OptimizerMap`; or function of a weight that returns an
            `Optimizer`; or one `Optimizer` for all weights.
        loss_scale_factor: > 0; replaces that of the inner optimizers. None: 1.
        name: name of the optimizer; by default the class name in snake case, made
            unique.

    Attributes:
        optimizers: list of the inner optimizers in the order of the map, the default
            one last.

    Raises:
        TypeError: `optimizer_map` is none of these.

    >>> adam, sgd = keras.optimizers.Adam(), keras.optimizers.SGD(0.1)
    >>> by_path = keras.optimizers.OptimizerMap(adam, {"head/.*": sgd})
    >>> optimizer = keras.optimizers.MultiOptimizer(by_path)
    """

    _var_to_optimizer_idx = Alias("_mk_var_to_optimizer_idx")

    def __init__(self, optimizer_map, loss_scale_factor=None, name=None):
        if isinstance(optimizer_map, Optimizer):
            optimizer_map = OptimizerMap(optimizer_map)
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: `optimizer_map` must be an OptimizerMap or a function "
                f"of a weight, got {optimizer_map!r}. Of a dict, make an OptimizerMap: "
                "it needs a default optimizer."
            )
        self._mk_optimizer_map = optimizer_map
        self.optimizers, self._mk_var_to_optimizer_idx = [], {}
        if isinstance(optimizer_map, OptimizerMap):
            for inner in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._mk_index_of(inner)
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)

    def _mk_index_of(self, inner):
        """Index of an optimizer in `optimizers`; a new one is appended."""
        for i, known in enumerate(self.optimizers):
            if known is inner:
                return i
        self.optimizers.append(inner)
        return len(self.optimizers) - 1

    @property
    def variables(self):
        """Its own Variables, then those of each inner optimizer."""
        inner = [v for optimizer in self.optimizers for v in optimizer.variables]
        return [*self._mk_variables, *inner]

    def build(self, variables):
        """Choose an optimizer for each weight, and create the state.

        Args:
            variables: list of weights (`Variable`s).
        """
        if self.built:
            return
        variables = list(variables)
        for variable in variables:
            inner = self._mk_optimizer_map(variable)
            _check_inner(inner, variable)
            self._mk_var_to_optimizer_idx[self._mk_var_key(variable)] = (
                self._mk_index_of(inner)
            )
        super().build(variables)
        self.loss_scale_factor = self._mk_loss_scale_factor
        for inner in self.optimizers:
            if own := [v for v in variables if self._mk_optimizer_of(v) is inner]:
                inner.build(own)

    def _mk_var_key(self, variable):
        return variable  # its hash is its id, also after it was pickled

    def _mk_optimizer_of(self, variable):
        return self.optimizers[
            self._mk_var_to_optimizer_idx[self._mk_var_key(variable)]
        ]

    def _mk_update(self, variables, params, grads, state):
        """Step each inner optimizer on its own weights."""
        for inner in self.optimizers:
            own = {
                k: v for k, v in variables.items() if self._mk_optimizer_of(v) is inner
            }
            if own:
                new, state = self._mk_update_inner(
                    inner,
                    own,
                    {key: params[key] for key in own},
                    {key: grads[key] for key in own},
                    state,
                )
                params = params | new
        count = self._mk_paths()[id(self._mk_iterations)]
        return params, state | {count: state[count] + 1}

    def finalize_variable_values(self, var_list):
        """Let the inner optimizers replace weights by their averages.

        Args:
            var_list: list of weights (`Variable`s).
        """
        for inner in self.optimizers:
            if inner.built:
                inner.finalize_variable_values(var_list)

    @property
    def loss_scale_factor(self):
        """Factor of the loss. Assigning it sets that of all inner optimizers."""
        return self._mk_loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value):
        self._mk_loss_scale_factor = value
        for inner in self.optimizers:
            inner.loss_scale_factor = value

    @property
    def learning_rate(self):
        """Raise AttributeError: each inner optimizer has its own learning rate."""
        raise AttributeError(
            f"{self.name!r} has no learning rate of its own: read or set those of "
            "its inner ones, `optimizer.optimizers[i].learning_rate`."
        )

    @learning_rate.setter
    def learning_rate(self, value):
        _ = self.learning_rate

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "optimizer_map": serialize_keras_object(self._mk_optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make an optimizer from a config.

        Args:
            config: dict as `get_config()` returns it.
            custom_objects: {name: class or function} of your own that it names.
        """
        return cls(**deserialize_keras_object(config, custom_objects))


def _check_inner(inner, variable):
    """Raise ValueError unless `inner` may update this weight."""
    if not isinstance(inner, Optimizer):
        raise ValueError(
            f"MultiOptimizer: expected an optimizer for the weight {variable.path!r}, "
            f"got {inner!r}."
        )
    if isinstance(inner, _WRAPPER_CLASSES):
        raise ValueError(
            f"{type(inner).__name__} cannot be used inside an MultiOptimizer. Wrap "
            "the MultiOptimizer in the LossScaleOptimizer instead."
        )


_WRAPPER_CLASSES = (LossScaleOptimizer, MultiOptimizer)
